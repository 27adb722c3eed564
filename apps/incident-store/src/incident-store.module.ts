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
  ASSIGNMENTS,
  CLOCK,
  CONFIGURATION_FEED,
  EVENT_LOG,
  KEY_RING,
  LOGGER,
  PIPELINE_POOL,
  RANDOM,
  REST_POOL,
  type Assignments,
  type Clock,
  type ConfigurationFeed,
  type KeyRing,
  type Logger,
  type Random,
} from '@tocsin/nest-shell';
import { createPipeline, type Pipeline } from '@tocsin/postgres';
import type { Pool } from 'pg';
import { AlertCorrelatedConsumer } from './alert-correlated.consumer.ts';
import { AlertQueries } from './alert-queries.ts';
import { AlertsController } from './alerts.controller.ts';
import { BulkCommandsController } from './bulk-commands.controller.ts';
import { EventStreamController } from './commit-order/event-stream.controller.ts';
import { EventStreams } from './commit-order/event-streams.ts';
import { EventsFeedController } from './commit-order/events-feed.controller.ts';
import { EventsFeed } from './commit-order/events-feed.ts';
import { Sequencer } from './commit-order/sequencer.ts';
import { DeclareIncident } from './declare-incident.ts';
import { DeclaredIncidentsController } from './declared-incidents.controller.ts';
import { EraseIncident } from './erasure/erase-incident.ts';
import { IncidentErasuresController } from './erasure/erasures.controller.ts';
import { IncidentDeliveryConsumer } from './delivery-event.consumer.ts';
import { applyExternalCommandsStage } from './external-commands/apply-commands-batch.ts';
import { ExternalCommandsConsumer } from './external-commands/incident-commands.consumer.ts';
import { IncidentCommands, type CommandParts } from './incident-commands.ts';
import { IncidentMovesController } from './incident-moves.controller.ts';
import { IncidentQueries } from './incident-queries.ts';
import { IncidentsController } from './incidents.controller.ts';
import { MergeIncidents } from './merge-incidents.ts';
import { MoveAlertsCommand } from './move-alerts.ts';
import { noteDeliveriesStage } from './note-deliveries-batch.ts';
import { noteRcaStage } from './note-rca-batch.ts';
import { alertPolicies } from './policies.ts';
import { PromoteAlert } from './promote-alert.ts';
import { IncidentRcaConsumer } from './rca-event.consumer.ts';
import { ReceiptQueries } from './receipt-queries.ts';
import { ReceiptsController } from './receipts.controller.ts';
import { ReceiptsSettledConsumer } from './receipts-settled.consumer.ts';
import { recordAlertsStage } from './record-alerts-batch.ts';
import { settleReceiptsStage } from './settle-receipts-batch.ts';
import { TimerWorker } from './timer-worker.ts';
import {
  ALERT_QUERIES,
  APPLY_EXTERNAL_COMMANDS,
  DECLARE_INCIDENT,
  ERASE_INCIDENT,
  INCIDENT_COMMANDS,
  INCIDENT_QUERIES,
  EVENT_STREAMS,
  EVENTS_FEED,
  INCIDENT_STORE_PIPELINE,
  MERGE_INCIDENTS,
  MOVE_ALERTS,
  NOTE_DELIVERIES,
  NOTE_RCA,
  PROMOTE_ALERT,
  RECEIPT_QUERIES,
  RECORD_ALERTS,
  SEQUENCER,
  SETTLE_RECEIPTS,
  TIMER_WORKER,
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

type TimerDependencies = [Pool, Pipeline, ConfigurationFeed, EventLog, Clock, Random, Logger];

/** Commands of people: all need the same. */
const commandsOf = (provide: symbol, Commands: new (parts: CommandParts) => object): Provider => ({
  provide,
  inject: [INCIDENT_STORE_PIPELINE, CLOCK, RANDOM],
  useFactory: (pipeline: Pipeline, clock: Clock, random: Random) => new Commands({ pipeline, clock, random }),
});

@Module({
  controllers: [
    AlertCorrelatedConsumer,
    IncidentRcaConsumer,
    IncidentDeliveryConsumer,
    ExternalCommandsConsumer,
    ReceiptsSettledConsumer,
    AlertsController,
    BulkCommandsController,
    DeclaredIncidentsController,
    EventStreamController,
    EventsFeedController,
    IncidentErasuresController,
    IncidentMovesController,
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
    { provide: APPLY_EXTERNAL_COMMANDS, inject: [RANDOM], useFactory: applyExternalCommandsStage },
    { provide: NOTE_DELIVERIES, inject: [RANDOM], useFactory: noteDeliveriesStage },
    { provide: SETTLE_RECEIPTS, useFactory: settleReceiptsStage },
    commandsOf(INCIDENT_COMMANDS, IncidentCommands),
    commandsOf(MERGE_INCIDENTS, MergeIncidents),
    commandsOf(MOVE_ALERTS, MoveAlertsCommand),
    commandsOf(DECLARE_INCIDENT, DeclareIncident),
    commandsOf(ERASE_INCIDENT, EraseIncident),
    {
      provide: SEQUENCER,
      inject: [PIPELINE_POOL, INCIDENT_STORE_PIPELINE, KEY_RING, CLOCK, LOGGER],
      useFactory: (...[pool, pipeline, keyRing, clock, log]: [Pool, Pipeline, KeyRing, Clock, Logger]) =>
        new Sequencer({ pool, pipeline, keyRing, clock, log }),
    },
    { provide: EVENTS_FEED, inject: [REST_POOL], useFactory: (pool: Pool) => new EventsFeed(pool) },
    {
      provide: EVENT_STREAMS,
      inject: [EVENTS_FEED, LOGGER, SEQUENCER],
      useFactory: (feed: EventsFeed, log: Logger, sequencer: Sequencer) => {
        const streams = new EventStreams(feed, log);
        sequencer.onProgress(streams.wake);
        return streams;
      },
    },
    {
      provide: TIMER_WORKER,
      inject: [PIPELINE_POOL, INCIDENT_STORE_PIPELINE, CONFIGURATION_FEED, EVENT_LOG, CLOCK, RANDOM, LOGGER],
      useFactory: (...[pool, pipeline, feed, eventLog, clock, random, log]: TimerDependencies) =>
        new TimerWorker({ pool, pipeline, policies: alertPolicies(feed, clock), eventLog, clock, random, log }),
    },
    {
      provide: PROMOTE_ALERT,
      inject: [INCIDENT_STORE_PIPELINE, CONFIGURATION_FEED, CLOCK, RANDOM],
      useFactory: (pipeline: Pipeline, feed: ConfigurationFeed, clock: Clock, random: Random) =>
        new PromoteAlert({ pipeline, policies: alertPolicies(feed, clock), clock, random }),
    },
    { provide: ALERT_QUERIES, inject: [REST_POOL], useFactory: (pool: Pool) => new AlertQueries(pool) },
    { provide: RECEIPT_QUERIES, inject: [REST_POOL], useFactory: (pool: Pool) => new ReceiptQueries(pool) },
    {
      provide: INCIDENT_QUERIES,
      inject: [REST_POOL, CLOCK],
      useFactory: (pool: Pool, clock: Clock) => new IncidentQueries(pool, clock),
    },
  ],
})
export class IncidentStoreModule implements OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown {
  constructor(
    @Inject(INCIDENT_STORE_PIPELINE) private readonly pipeline: Pipeline,
    @Inject(TIMER_WORKER) private readonly timers: TimerWorker,
    @Inject(SEQUENCER) private readonly sequencer: Sequencer,
    @Inject(EVENT_STREAMS) private readonly streams: EventStreams,
  ) {}

  onApplicationBootstrap(): void {
    this.timers.start();
    this.sequencer.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.streams.close();
    await Promise.all([this.timers.stop(), this.sequencer.stop()]);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.pipeline.close();
  }
}
