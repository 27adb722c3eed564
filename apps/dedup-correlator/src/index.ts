import type { ServiceDefinition } from '@tocsin/nest-shell';
import { DedupCorrelatorModule } from './dedup-correlator.module.ts';

/** The service without its process, for benchmarks. */
export { correlateStage } from './correlate-batch.ts';
export { WebhookRules } from './webhook-rules.ts';

export const dedupCorrelator: ServiceDefinition = {
  name: 'dedup-correlator',
  module: DedupCorrelatorModule,
  migrations: new URL('../src/migrations/', import.meta.url),
};
