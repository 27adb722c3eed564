import { Module } from '@nestjs/common';
import type { EventLog } from '@tocsin/event-log';
import { CONFIGURATION_FEED, type ConfigurationFeed, EVENT_LOG, LOGGER, type Logger } from '@tocsin/nest-shell';
import { normalizeBatch } from './normalize-batch.ts';
import { NORMALIZE_BATCH } from './tokens.ts';
import { WebhookReceivedConsumer } from './webhook-received.consumer.ts';

@Module({
  controllers: [WebhookReceivedConsumer],
  providers: [
    {
      provide: NORMALIZE_BATCH,
      inject: [EVENT_LOG, CONFIGURATION_FEED, LOGGER],
      useFactory: (log: EventLog, webhooks: ConfigurationFeed, logger: Logger) =>
        normalizeBatch({ log, webhooks, onFailure: (error, what) => logger.warn({ err: error }, what) }),
    },
  ],
})
export class NormalizerModule {}
