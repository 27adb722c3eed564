import {
  Inject,
  Module,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type Provider,
} from '@nestjs/common';
import type { EventLog } from '@tocsin/event-log';
import {
  CLOCK,
  CONFIGURATION_FEED,
  configOf,
  EVENT_LOG,
  HEALTH,
  KEY_RING,
  LOGGER,
  PIPELINE_POOL,
  RANDOM,
  SHELL_CONFIG,
  type Clock,
  type ConfigurationFeed,
  type Health,
  type KeyRing,
  type Logger,
  type Random,
  type ShellConfig,
} from '@tocsin/nest-shell';
import type { Pool } from 'pg';
import { INGRESS_CONFIG, IngressConfig } from './config.ts';
import { AlertmanagerApiController } from './drop-in/alertmanager-api.controller.ts';
import { EventsApiController } from './drop-in/events-api.controller.ts';
import { createIngress, INGRESS, systemRoots, VENDOR_ACCESS, type Ingress, type VendorAccess } from './ingress.ts';
import { IntegrationController } from './integration.controller.ts';
import { migrateMeanwhile, type OwnSchema } from './own-schema.ts';
import { ReceiptRepliedConsumer } from './receipt-replied.consumer.ts';
import { vendorFetch } from './vendors/vendor-fetch.ts';
import { WebhookTriggerController } from './webhook-trigger.controller.ts';

type Injected = [
  EventLog,
  ConfigurationFeed,
  KeyRing,
  Clock,
  Random,
  Logger,
  IngressConfig,
  Pool,
  ShellConfig,
  VendorAccess,
  Health,
];

export const ingressControllers = [
  WebhookTriggerController,
  IntegrationController,
  EventsApiController,
  AlertmanagerApiController,
  ReceiptRepliedConsumer,
];

/** Everything but the access to vendors. */
export const ingressProviders: Provider[] = [
  configOf(INGRESS_CONFIG, IngressConfig),
  {
    provide: INGRESS,
    inject: [
      EVENT_LOG,
      CONFIGURATION_FEED,
      KEY_RING,
      CLOCK,
      RANDOM,
      LOGGER,
      INGRESS_CONFIG,
      PIPELINE_POOL,
      SHELL_CONFIG,
      VENDOR_ACCESS,
      HEALTH,
    ],
    useFactory: (...[eventLog, feed, keyRing, clock, random, log, config, pool, shell, vendors, health]: Injected) =>
      createIngress({
        eventLog,
        feed,
        keyRing,
        clock,
        random,
        log,
        config,
        pool,
        publicUrl: () => shell.publicUrl,
        vendors,
        health,
      }),
  },
];

const vendorAccess = (): VendorAccess => {
  const fetch = vendorFetch();
  return { fetch, roots: systemRoots(), close: () => fetch.close() };
};

@Module({
  controllers: ingressControllers,
  providers: [...ingressProviders, { provide: VENDOR_ACCESS, useFactory: vendorAccess }],
})
export class IngressGatewayModule implements OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown {
  private schema: OwnSchema | undefined;

  constructor(
    @Inject(INGRESS) private readonly ingress: Ingress,
    @Inject(VENDOR_ACCESS) private readonly vendors: VendorAccess,
    @Inject(SHELL_CONFIG) private readonly shell: ShellConfig,
    @Inject(LOGGER) private readonly log: Logger,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    this.schema = migrateMeanwhile(this.shell.databaseUrl, this.log);
    await this.ingress.receipts.start(this.schema.ready);
  }

  /** Senders that wait get their 202 before the HTTP server stops; their receipts are durable. */
  beforeApplicationShutdown(): void {
    this.ingress.room.close();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.ingress.answers.stop();
    await Promise.all([
      this.ingress.limits.stop(),
      this.ingress.receipts.stop(),
      this.vendors.close(),
      this.schema?.stop(),
    ]);
  }
}
