import type { ServiceDefinition } from '@tocsin/nest-shell';
import { RcaTriggerModule } from './rca-trigger.module.ts';

export const rcaTrigger: ServiceDefinition = {
  name: 'rca-trigger',
  module: RcaTriggerModule,
  migrations: new URL('../src/migrations/', import.meta.url),
};
