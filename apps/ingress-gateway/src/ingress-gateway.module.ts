import { Inject, Module, type BeforeApplicationShutdown } from '@nestjs/common';
import type { EventLog } from '@tocsin/event-log';
import {
  CLOCK,
  CONFIGURATION_FEED,
  configOf,
  EVENT_LOG,
  KEY_RING,
  LOGGER,
  RANDOM,
  type Clock,
  type ConfigurationFeed,
  type KeyRing,
  type Logger,
  type Random,
} from '@tocsin/nest-shell';
import { INGRESS_CONFIG, IngressConfig } from './config.ts';
import { createIngress, INGRESS, type Ingress } from './ingress.ts';
import { IntegrationController } from './integration.controller.ts';
import { ReceiptRepliedConsumer } from './receipt-replied.consumer.ts';
import { WebhookTriggerController } from './webhook-trigger.controller.ts';

@Module({
  controllers: [WebhookTriggerController, IntegrationController, ReceiptRepliedConsumer],
  providers: [
    configOf(INGRESS_CONFIG, IngressConfig),
    {
      provide: INGRESS,
      inject: [EVENT_LOG, CONFIGURATION_FEED, KEY_RING, CLOCK, RANDOM, LOGGER, INGRESS_CONFIG],
      useFactory: (
        ...[eventLog, feed, keyRing, clock, random, log, config]: [
          EventLog,
          ConfigurationFeed,
          KeyRing,
          Clock,
          Random,
          Logger,
          IngressConfig,
        ]
      ) => createIngress({ eventLog, feed, keyRing, clock, random, log, config }),
    },
  ],
})
export class IngressGatewayModule implements BeforeApplicationShutdown {
  constructor(@Inject(INGRESS) private readonly ingress: Ingress) {}

  /** Senders that wait get their 202 before the HTTP server stops; their receipts are durable. */
  beforeApplicationShutdown(): void {
    this.ingress.room.close();
  }
}
