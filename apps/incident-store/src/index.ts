import type { ServiceDefinition } from '@tocsin/nest-shell';
import { IncidentStoreModule } from './incident-store.module.ts';

/** Keeps incidents as event streams: applies correlated alerts and commands, tells subscribers and waiting senders. */
export const incidentStore: ServiceDefinition = {
  name: 'incident-store',
  module: IncidentStoreModule,
  migrations: new URL('../src/migrations/', import.meta.url),
};
export { IncidentStoreModule };
