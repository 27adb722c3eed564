import type { Provider, Type } from '@nestjs/common';
import {
  CLOCK,
  type Clock,
  CONFIGURATION_FEED,
  type ConfigurationFeed,
  LOGGER,
  type Logger,
  PIPELINE_POOL,
  RANDOM,
  type Random,
  REST_POOL,
} from '@tocsin/nest-shell';
import type { Pipeline } from '@tocsin/postgres';
import type { Pool } from 'pg';
import type { ControlPlaneEnvironment } from '../config.ts';
import { LedgerController } from '../ledger/ledger.controller.ts';
import { LedgerQueries } from '../ledger/ledger-queries.ts';
import {
  CONTROL_PLANE_CONFIG,
  CONTROL_PLANE_PIPELINE,
  DELIVERY_QUERIES,
  INBOUND_LOG_KEEPER,
  LEDGER_QUERIES,
  RECORD_OUTCOMES,
  RECORD_RECEIPTS,
  REPLAYS,
  WEBHOOKS,
} from '../tokens.ts';
import type { Webhooks } from '../webhooks.ts';
import { DeliveriesController } from './deliveries.controller.ts';
import { DeliveryQueries } from './delivery-queries.ts';
import { InboundLogKeeper } from './inbound-log-keeper.ts';
import { recordOutcomesStage } from './record-outcomes-batch.ts';
import { recordReceiptsStage } from './record-receipts-batch.ts';
import { Replays } from './replay.ts';
import { ControlPlaneOutcomesConsumer } from './webhook-outcomes.consumer.ts';
import { ControlPlaneReceivedConsumer } from './webhook-received.consumer.ts';

export const inboundLogControllers: Type[] = [
  ControlPlaneReceivedConsumer,
  ControlPlaneOutcomesConsumer,
  DeliveriesController,
  LedgerController,
];

/** Delivery log and ledger: two stages that write, queries that read, a keeper that prunes. */
export const inboundLogProviders: Provider[] = [
  {
    provide: RECORD_RECEIPTS,
    inject: [CONFIGURATION_FEED, CLOCK, CONTROL_PLANE_CONFIG],
    useFactory: (feed: ConfigurationFeed, clock: Clock, config: ControlPlaneEnvironment) =>
      recordReceiptsStage({
        feed,
        clock,
        sampling: { rowsPerMinute: config.INBOUND_LOG_ROWS_PER_MINUTE, every: config.INBOUND_LOG_SAMPLE_EVERY },
      }),
  },
  { provide: RECORD_OUTCOMES, inject: [CLOCK], useFactory: recordOutcomesStage },
  { provide: DELIVERY_QUERIES, inject: [REST_POOL], useFactory: (pool: Pool) => new DeliveryQueries(pool) },
  {
    provide: LEDGER_QUERIES,
    inject: [REST_POOL, CLOCK],
    useFactory: (pool: Pool, clock: Clock) => new LedgerQueries(pool, clock),
  },
  {
    provide: REPLAYS,
    inject: [CONTROL_PLANE_PIPELINE, DELIVERY_QUERIES, WEBHOOKS, CLOCK, RANDOM],
    useFactory: (
      ...[pipeline, queries, webhooks, clock, random]: [Pipeline, DeliveryQueries, Webhooks, Clock, Random]
    ) => new Replays({ pipeline, queries, webhooks, clock, random }),
  },
  {
    provide: INBOUND_LOG_KEEPER,
    inject: [PIPELINE_POOL, CLOCK, LOGGER, CONTROL_PLANE_CONFIG],
    useFactory: (pool: Pool, clock: Clock, log: Logger, config: ControlPlaneEnvironment) =>
      new InboundLogKeeper({
        pool,
        clock,
        log,
        keeping: { rowDays: config.INBOUND_LOG_RETENTION_DAYS, payloadDays: config.INBOUND_LOG_PAYLOAD_DAYS },
      }),
  },
];
