import type { ServiceDefinition } from '@tocsin/nest-shell';
import { DedupCorrelatorModule } from './dedup-correlator.module.ts';

export const dedupCorrelator: ServiceDefinition = {
  name: 'dedup-correlator',
  module: DedupCorrelatorModule,
  migrations: new URL('../src/migrations/', import.meta.url),
};
