import type { Provider, Type } from '@nestjs/common';
import type { ConfigurationStore } from '../configuration-store.ts';
import { CONFIGURATION_STORE, TOPOLOGIES } from '../tokens.ts';
import { ServicesController } from './services.controller.ts';
import { Topologies } from './topologies.ts';
import { TopologyController } from './topology.controller.ts';

export const topologyControllers: Type[] = [TopologyController, ServicesController];

/** Services and their dependencies. */
export const topologyProviders: Provider[] = [
  {
    provide: TOPOLOGIES,
    inject: [CONFIGURATION_STORE],
    useFactory: (store: ConfigurationStore) => new Topologies(store),
  },
];
