import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { parseAllowList } from '@tocsin/domain/delivery';
import {
  ASSIGNMENTS,
  CLOCK,
  type Clock,
  CONFIGURATION_FEED,
  type ConfigurationFeed,
  configOf,
  EVENT_LOG,
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
import type { Pipeline } from '@tocsin/postgres';
import type { Pool } from 'pg';
import { ApiKeys, Workspaces } from './access.ts';
import { ApiDocsController } from './api-docs/api-docs.controller.ts';
import { ApiKeysController } from './api-keys.controller.ts';
import { ControlPlaneEnvironment } from './config.ts';
import { ConfigurationBoot } from './configuration-boot.ts';
import { ConfigurationStore } from './configuration-store.ts';
import { connectorCatalogue } from './connector-catalogue.ts';
import { ConnectorsController } from './connectors.controller.ts';
import { CorrelationRuleSets } from './correlation/correlation-rule-sets.ts';
import { RuleTestController } from './correlation/rule-test.controller.ts';
import { RuleTests } from './correlation/rule-tests.ts';
import { WebhookCorrelationController } from './correlation/webhook-correlation.controller.ts';
import { WorkspaceCorrelationController } from './correlation/workspace-correlation.controller.ts';
import type { Credentials } from './credentials.ts';
import { EgressController } from './egress.controller.ts';
import { inboundLogControllers, inboundLogProviders } from './inbound-log/inbound-log.providers.ts';
import { investigatorControllers, investigatorProviders } from './investigator/investigator.providers.ts';
import { mappingControllers, mappingProviders } from './mapping/mapping.providers.ts';
import { muteControllers, muteProviders } from './mutes/mutes.providers.ts';
import { pipelineOf } from './pipeline.ts';
import { DeadLettersConsumer } from './dead-letters/dead-letters.consumer.ts';
import { DeadLettersController } from './dead-letters/dead-letters.controller.ts';
import { DeadLetters } from './dead-letters/dead-letters.ts';
import { storeLettersStage } from './dead-letters/store-letters-batch.ts';
import type { SeedTools } from './seed.ts';
import { WebhookSetupController } from './setup/webhook-setup.controller.ts';
import { WebhookSetup } from './setup/webhook-setup.ts';
import { Subscriptions } from './subscriptions.ts';
import { SubscriptionsController } from './subscriptions.controller.ts';
import { syncLinkControllers, syncLinkProviders } from './sync-links/sync-links.providers.ts';
import { TemplatesController } from './templates/templates.controller.ts';
import { topologyControllers, topologyProviders } from './topology/topology.providers.ts';
import {
  API_KEYS,
  CONFIGURATION_BOOT,
  CONFIGURATION_STORE,
  CONNECTOR_CATALOGUE,
  CONTROL_PLANE_CONFIG,
  CONTROL_PLANE_PIPELINE,
  CORRELATION_RULES,
  CREDENTIALS,
  DEAD_LETTERS,
  RULE_TESTS,
  SEED_TOOLS,
  STORE_LETTERS,
  SUBSCRIPTIONS,
  WEBHOOK_SETUP,
  WEBHOOKS,
  WORKSPACES,
} from './tokens.ts';
import { type ConnectorCatalogue, Webhooks } from './webhooks.ts';
import { WebhooksController } from './webhooks.controller.ts';
import { WorkspacesController } from './workspaces.controller.ts';

/** The demo and development profile opens receivers on this machine, as the dispatcher does. */
const LOOPBACK = 'localhost+http,127.0.0.0/8+http,::1+http';
export const allowListOf = (config: ControlPlaneEnvironment, shell: Pick<ShellConfig, 'development'>) =>
  parseAllowList([config.OUTBOUND_ALLOW, ...(shell.development ? [LOOPBACK] : [])].join(','));

@Module({
  controllers: [
    ApiDocsController,
    WorkspacesController,
    ConnectorsController,
    WebhooksController,
    WebhookSetupController,
    WebhookCorrelationController,
    RuleTestController,
    WorkspaceCorrelationController,
    ...mappingControllers,
    ...muteControllers,
    ...topologyControllers,
    ...investigatorControllers,
    ...syncLinkControllers,
    SubscriptionsController,
    TemplatesController,
    EgressController,
    ApiKeysController,
    ...inboundLogControllers,
    DeadLettersController,
    DeadLettersConsumer,
  ],
  providers: [
    ...mappingProviders,
    ...muteProviders,
    ...topologyProviders,
    ...investigatorProviders,
    ...syncLinkProviders,
    ...inboundLogProviders,
    configOf(CONTROL_PLANE_CONFIG, ControlPlaneEnvironment),
    {
      provide: CONTROL_PLANE_PIPELINE,
      inject: [PIPELINE_POOL, EVENT_LOG, CLOCK, ASSIGNMENTS, LOGGER],
      useFactory: pipelineOf,
    },
    {
      provide: STORE_LETTERS,
      inject: [CLOCK, LOGGER],
      useFactory: (now: Clock, log: Logger) => storeLettersStage({ now, log }),
    },
    {
      provide: DEAD_LETTERS,
      inject: [REST_POOL, CONTROL_PLANE_PIPELINE, CLOCK],
      useFactory: (pool: Pool, pipeline: Pipeline, now: Clock) => new DeadLetters(pool, pipeline, now),
    },
    { provide: CONNECTOR_CATALOGUE, useValue: connectorCatalogue },
    {
      provide: CREDENTIALS,
      inject: [KEY_RING, RANDOM],
      useFactory: (keyRing: KeyRing, random: Random): Credentials => ({ keyRing, random }),
    },
    {
      provide: CONFIGURATION_STORE,
      inject: [REST_POOL, CLOCK],
      useFactory: (pool: Pool, clock: Clock) => new ConfigurationStore(pool, clock),
    },
    {
      provide: SEED_TOOLS,
      inject: [PIPELINE_POOL, CLOCK, CREDENTIALS],
      useFactory: (pool: Pool, now: Clock, credentials: Credentials): SeedTools => ({
        ...credentials,
        store: new ConfigurationStore(pool, now),
        now,
      }),
    },
    {
      provide: WEBHOOKS,
      inject: [CONFIGURATION_STORE, CREDENTIALS, CONNECTOR_CATALOGUE, CONTROL_PLANE_CONFIG],
      useFactory: (
        store: ConfigurationStore,
        credentials: Credentials,
        connectors: ConnectorCatalogue,
        config: ControlPlaneEnvironment,
      ) => new Webhooks(store, credentials, connectors, config.RATE_LIMIT_MAX_PER_HOUR),
    },
    {
      provide: CORRELATION_RULES,
      inject: [CONFIGURATION_STORE],
      useFactory: (store: ConfigurationStore) => new CorrelationRuleSets(store),
    },
    {
      provide: RULE_TESTS,
      inject: [CONFIGURATION_STORE, CONFIGURATION_FEED, CLOCK],
      useFactory: (store: ConfigurationStore, feed: ConfigurationFeed, clock: Clock) =>
        new RuleTests({ store, feed, clock }),
    },
    {
      provide: WEBHOOK_SETUP,
      inject: [CONFIGURATION_STORE, KEY_RING, CONNECTOR_CATALOGUE, SHELL_CONFIG],
      useFactory: (store: ConfigurationStore, keyRing: KeyRing, connectors: ConnectorCatalogue, shell: ShellConfig) =>
        new WebhookSetup(store, keyRing, connectors, shell),
    },
    {
      provide: SUBSCRIPTIONS,
      inject: [CONFIGURATION_STORE, CREDENTIALS, CONTROL_PLANE_CONFIG, SHELL_CONFIG],
      useFactory: (
        store: ConfigurationStore,
        credentials: Credentials,
        config: ControlPlaneEnvironment,
        shell: ShellConfig,
      ) => new Subscriptions(store, credentials, allowListOf(config, shell)),
    },
    {
      provide: WORKSPACES,
      inject: [CONFIGURATION_STORE, CREDENTIALS, CONTROL_PLANE_CONFIG],
      useFactory: (store: ConfigurationStore, credentials: Credentials, config: ControlPlaneEnvironment) =>
        new Workspaces(store, credentials, config.RATE_LIMIT_MAX_PER_HOUR),
    },
    {
      provide: API_KEYS,
      inject: [CONFIGURATION_STORE, CREDENTIALS],
      useFactory: (store: ConfigurationStore, credentials: Credentials) => new ApiKeys(store, credentials),
    },
    {
      provide: CONFIGURATION_BOOT,
      inject: [SEED_TOOLS, CONTROL_PLANE_CONFIG, LOGGER, CONFIGURATION_STORE],
      useFactory: (tools: SeedTools, config: ControlPlaneEnvironment, log: Logger, rest: ConfigurationStore) =>
        new ConfigurationBoot(tools, config, log, rest),
    },
  ],
})
export class ControlPlaneModule implements OnApplicationShutdown {
  constructor(@Inject(CONTROL_PLANE_PIPELINE) private readonly pipeline: Pipeline) {}

  onApplicationShutdown(): Promise<void> {
    return this.pipeline.close();
  }
}
