import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import type { EventLog } from '@tocsin/event-log';
import {
  ASSIGNMENTS,
  CLOCK,
  CONFIGURATION_FEED,
  EVENT_LOG,
  LOGGER,
  PIPELINE_POOL,
  RANDOM,
  REST_POOL,
  type Assignments,
  type Clock,
  type ConfigurationFeed,
  type Logger,
  type Random,
} from '@tocsin/nest-shell';
import { createPipeline, type Pipeline } from '@tocsin/postgres';
import type { Pool } from 'pg';
import { AlertCorrelatedConsumer } from './alert-correlated.consumer.ts';
import { IncidentDeliveryConsumer } from './delivery-event.consumer.ts';
import { IncidentCommands } from './incident-commands.ts';
import { IncidentQueries } from './incident-queries.ts';
import { IncidentsController } from './incidents.controller.ts';
import { noteDeliveriesStage } from './note-deliveries-batch.ts';
import { noteRcaStage } from './note-rca-batch.ts';
import { alertPolicies } from './policies.ts';
import { IncidentRcaConsumer } from './rca-event.consumer.ts';
import { ReceiptsController } from './receipts.controller.ts';
import { ReceiptsSettledConsumer } from './receipts-settled.consumer.ts';
import { recordAlertsStage } from './record-alerts-batch.ts';
import { settleReceiptsStage } from './settle-receipts-batch.ts';
import {
  INCIDENT_COMMANDS,
  INCIDENT_QUERIES,
  INCIDENT_STORE_PIPELINE,
  NOTE_DELIVERIES,
  NOTE_RCA,
  RECORD_ALERTS,
  SETTLE_RECEIPTS,
} from './tokens.ts';

/** REST and consumers write the same streams, so one publisher keeps their outputs in commit order. */
function pipelineOf(
  ...[pool, log, clock, logger, assignments]: [Pool, EventLog, Clock, Logger, Assignments]
): Pipeline {
  const onError = (error: unknown) => logger.warn({ err: error, service: 'incident-store' }, 'pipeline.retried');
  const pipeline = createPipeline({
    pool,
    schema: 'incident_store',
    service: 'incident-store',
    log,
    now: clock,
    publisher: 'single',
    onError,
  });
  assignments.register('incident-store', pipeline.assigned);
  return pipeline;
}

@Module({
  controllers: [
    AlertCorrelatedConsumer,
    IncidentRcaConsumer,
    IncidentDeliveryConsumer,
    ReceiptsSettledConsumer,
    IncidentsController,
    ReceiptsController,
  ],
  providers: [
    {
      provide: INCIDENT_STORE_PIPELINE,
      inject: [PIPELINE_POOL, EVENT_LOG, CLOCK, LOGGER, ASSIGNMENTS],
      useFactory: pipelineOf,
    },
    {
      provide: RECORD_ALERTS,
      inject: [PIPELINE_POOL, CONFIGURATION_FEED, CLOCK, RANDOM],
      useFactory: (pool: Pool, feed: ConfigurationFeed, clock: Clock, random: Random) =>
        recordAlertsStage({ pool, policies: alertPolicies(feed, clock), random }),
    },
    { provide: NOTE_RCA, inject: [RANDOM], useFactory: noteRcaStage },
    { provide: NOTE_DELIVERIES, useFactory: noteDeliveriesStage },
    { provide: SETTLE_RECEIPTS, useFactory: settleReceiptsStage },
    {
      provide: INCIDENT_COMMANDS,
      inject: [INCIDENT_STORE_PIPELINE, CLOCK, RANDOM],
      useFactory: (pipeline: Pipeline, clock: Clock, random: Random) =>
        new IncidentCommands({ pipeline, clock, random }),
    },
    { provide: INCIDENT_QUERIES, inject: [REST_POOL], useFactory: (pool: Pool) => new IncidentQueries(pool) },
  ],
})
export class IncidentStoreModule implements OnApplicationShutdown {
  constructor(@Inject(INCIDENT_STORE_PIPELINE) private readonly pipeline: Pipeline) {}

  async onApplicationShutdown(): Promise<void> {
    await this.pipeline.close();
  }
}
