import { Module } from '@nestjs/common';
import { parseAllowList } from '@tocsin/domain/delivery';
import {
  CLOCK,
  type Clock,
  configOf,
  KEY_RING,
  type KeyRing,
  LOGGER,
  type Logger,
  PIPELINE_POOL,
  RANDOM,
  type Random,
  REST_POOL,
  SHELL_CONFIG,
  type ShellConfig,
} from '@tocsin/nest-shell';
import type { Pool } from 'pg';
import { ApiKeys, Workspaces } from './access.ts';
import { ApiKeysController } from './api-keys.controller.ts';
import { ControlPlaneEnvironment } from './config.ts';
import { ConfigurationBoot } from './configuration-boot.ts';
import { ConfigurationStore } from './configuration-store.ts';
import { connectorCatalogue } from './connector-catalogue.ts';
import { Subscriptions } from './subscriptions.ts';
import { SubscriptionsController } from './subscriptions.controller.ts';
import { API_KEYS, CONFIGURATION_BOOT, CONFIGURATION_STORE, CONNECTOR_CATALOGUE, CONTROL_PLANE_CONFIG, SUBSCRIPTIONS, WEBHOOKS, WORKSPACES } from './tokens.ts';
import { type ConnectorCatalogue, Webhooks } from './webhooks.ts';
import { WebhooksController } from './webhooks.controller.ts';
import { WorkspacesController } from './workspaces.controller.ts';

/** The demo and development profile opens receivers on this machine, as the dispatcher does. */
const LOOPBACK = 'localhost+http,127.0.0.0/8+http,::1+http';
export const allowListOf = (config: ControlPlaneEnvironment, shell: Pick<ShellConfig, 'development'>) =>
  parseAllowList([config.OUTBOUND_ALLOW, ...(shell.development ? [LOOPBACK] : [])].join(','));

@Module({
  controllers: [WorkspacesController, WebhooksController, SubscriptionsController, ApiKeysController],
  providers: [
    configOf(CONTROL_PLANE_CONFIG, ControlPlaneEnvironment),
    { provide: CONNECTOR_CATALOGUE, useValue: connectorCatalogue },
    {
      provide: CONFIGURATION_STORE,
      inject: [REST_POOL, CLOCK],
      useFactory: (pool: Pool, clock: Clock) => new ConfigurationStore(pool, clock),
    },
    {
      provide: WEBHOOKS,
      inject: [CONFIGURATION_STORE, KEY_RING, RANDOM, CONNECTOR_CATALOGUE],
      useFactory: (store: ConfigurationStore, keyRing: KeyRing, random: Random, connectors: ConnectorCatalogue) =>
        new Webhooks(store, { keyRing, random }, connectors),
    },
    {
      provide: SUBSCRIPTIONS,
      inject: [CONFIGURATION_STORE, KEY_RING, RANDOM, CONTROL_PLANE_CONFIG, SHELL_CONFIG],
      useFactory: (store: ConfigurationStore, keyRing: KeyRing, random: Random, config: ControlPlaneEnvironment, shell: ShellConfig) =>
        new Subscriptions(store, { keyRing, random }, allowListOf(config, shell)),
    },
    {
      provide: WORKSPACES,
      inject: [CONFIGURATION_STORE, KEY_RING, RANDOM],
      useFactory: (store: ConfigurationStore, keyRing: KeyRing, random: Random) => new Workspaces(store, { keyRing, random }),
    },
    {
      provide: API_KEYS,
      inject: [CONFIGURATION_STORE, KEY_RING, RANDOM],
      useFactory: (store: ConfigurationStore, keyRing: KeyRing, random: Random) => new ApiKeys(store, { keyRing, random }),
    },
    {
      provide: CONFIGURATION_BOOT,
      inject: [PIPELINE_POOL, CLOCK, KEY_RING, RANDOM, CONTROL_PLANE_CONFIG, LOGGER, CONFIGURATION_STORE],
      useFactory: (pool: Pool, now: Clock, keyRing: KeyRing, random: Random, config: ControlPlaneEnvironment, log: Logger, rest: ConfigurationStore) =>
        new ConfigurationBoot({ store: new ConfigurationStore(pool, now), keyRing, random, now }, config, log, rest),
    },
  ],
})
export class ControlPlaneModule {}
