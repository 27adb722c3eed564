import type { ServiceDefinition } from '@tocsin/nest-shell';
import { OutboundDispatcherModule } from './outbound-dispatcher.module.ts';

export const outboundDispatcher: ServiceDefinition = {
  name: 'outbound-dispatcher',
  module: OutboundDispatcherModule,
  migrations: new URL('../src/migrations/', import.meta.url),
};
