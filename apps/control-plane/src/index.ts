import type { ServiceDefinition } from '@tocsin/nest-shell';
import { ControlPlaneModule } from './control-plane.module.ts';

export const controlPlane: ServiceDefinition = {
  name: 'control-plane',
  module: ControlPlaneModule,
  migrations: new URL('../src/migrations/', import.meta.url),
};

export { ConfigurationStore } from './configuration-store.ts';
export { connectorCatalogue } from './connector-catalogue.ts';
export type { Credentials } from './credentials.ts';
export {
  BootstrapKeyError,
  bootstrapApiKey,
  type DemoCredentials,
  newDemoCredentials,
  seedDemo,
  type SeedTools,
} from './seed.ts';
export { integrationUrl, triggerUrl } from './views.ts';
export type { ConnectorCatalogue } from './webhooks.ts';
