import {
  Inject,
  Module,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import type { Pool } from 'pg';
import { schemaOf } from '@tocsin/contracts';
import type { EventLog } from '@tocsin/event-log';
import {
  ASSIGNMENTS,
  type Assignments,
  type Clock,
  CLOCK,
  CONFIGURATION_FEED,
  type ConfigurationFeed,
  configOf,
  EVENT_LOG,
  KEY_RING,
  type KeyRing,
  type Logger,
  LOGGER,
  PIPELINE_POOL,
  RANDOM,
  type Random,
  REST_POOL,
  SHELL_CONFIG,
  type ShellConfig,
} from '@tocsin/nest-shell';
import { createPipeline, type Pipeline } from '@tocsin/postgres';
import { OutboundDeliveriesController } from './all-deliveries.controller.ts';
import { OutboundEnvironment } from './config.ts';
import { SubscriptionDeliveriesController } from './deliveries.controller.ts';
import { createDispatcher, DISPATCHER, type Dispatcher } from './dispatcher.ts';
import { EventTypesController } from './events/event-types.controller.ts';
import { PublishedEvents } from './events/publish-event.ts';
import { PublishEventsController } from './events/publish-events.controller.ts';
import { PUBLISHED_EVENTS } from './events/tokens.ts';
import { EVENT_FEEDS, EventFeeds } from './event-feeds.ts';
import { SubscriptionFeedController } from './feed.controller.ts';
import { OutboundIncidentEventsConsumer } from './incident-events.consumer.ts';
import { OutboundDeadLettersConsumer } from './notifications/dead-letters.consumer.ts';
import { MAILER, type Mailer } from './notifications/mailer.ts';
import { NOTICE_BOARD, type NoticeBoard } from './notifications/notice-board.ts';
import { notificationProviders } from './notifications/notification.providers.ts';
import { NotificationsController } from './notifications/notifications.controller.ts';
import { OutboundPlatformEventsConsumer } from './platform-events.consumer.ts';
import { syncControllers, syncProviders } from './sync/sync.providers.ts';
import { SubscriptionCommandsController } from './subscription-commands.controller.ts';
import { SUBSCRIPTION_COMMANDS, SubscriptionCommands } from './subscription-commands.ts';

const OUTBOUND_CONFIG = Symbol('OUTBOUND_CONFIG');
const OUTBOUND_PIPELINE = Symbol('OUTBOUND_PIPELINE');
/** Sent as `User-Agent: Tocsin/<version>`. */
const VERSION = '0.1.0';

const pipelineOf = (pool: Pool, log: EventLog, now: Clock, assignments: Assignments): Pipeline => {
  const service = 'outbound-dispatcher';
  const pipeline = createPipeline({ pool, schema: schemaOf(service), service, log, now, publisher: 'single' });
  assignments.register(service, pipeline.assigned);
  return pipeline;
};

@Module({
  controllers: [
    SubscriptionDeliveriesController,
    SubscriptionCommandsController,
    SubscriptionFeedController,
    OutboundDeliveriesController,
    EventTypesController,
    NotificationsController,
    PublishEventsController,
    ...syncControllers,
    OutboundIncidentEventsConsumer,
    OutboundPlatformEventsConsumer,
    OutboundDeadLettersConsumer,
  ],
  providers: [
    configOf(OUTBOUND_CONFIG, OutboundEnvironment),
    ...syncProviders(OUTBOUND_PIPELINE, OUTBOUND_CONFIG, VERSION),
    ...notificationProviders(OUTBOUND_PIPELINE),
    { provide: OUTBOUND_PIPELINE, inject: [PIPELINE_POOL, EVENT_LOG, CLOCK, ASSIGNMENTS], useFactory: pipelineOf },
    {
      provide: PUBLISHED_EVENTS,
      inject: [OUTBOUND_PIPELINE, CLOCK, RANDOM],
      useFactory: (pipeline: Pipeline, clock: Clock, random: Random) =>
        new PublishedEvents({ pipeline, clock, random }),
    },
    {
      provide: SUBSCRIPTION_COMMANDS,
      inject: [
        ...[
          PIPELINE_POOL,
          REST_POOL,
          OUTBOUND_PIPELINE,
          CONFIGURATION_FEED,
          CLOCK,
          RANDOM,
          OUTBOUND_CONFIG,
          DISPATCHER,
        ],
      ],
      useFactory: (
        ...[pool, restPool, pipeline, feed, clock, random, config, dispatcher]: [
          ...[Pool, Pool, Pipeline, ConfigurationFeed, Clock, Random, OutboundEnvironment, Dispatcher],
        ]
      ) =>
        new SubscriptionCommands({
          ...{ pool, restPool, pipeline, feed, clock, random, drainPerSecond: config.OUTBOUND_DRAIN_PER_SECOND },
          wake: (ids) => dispatcher.wake(ids),
        }),
    },
    {
      provide: EVENT_FEEDS,
      inject: [REST_POOL, OUTBOUND_PIPELINE, CONFIGURATION_FEED, CLOCK],
      useFactory: (restPool: Pool, pipeline: Pipeline, feed: ConfigurationFeed, clock: Clock) =>
        new EventFeeds({ restPool, pipeline, feed, clock }),
    },
    {
      provide: DISPATCHER,
      inject: [
        PIPELINE_POOL,
        OUTBOUND_PIPELINE,
        CONFIGURATION_FEED,
        KEY_RING,
        CLOCK,
        RANDOM,
        LOGGER,
        OUTBOUND_CONFIG,
        SHELL_CONFIG,
        NOTICE_BOARD,
      ],
      useFactory: (
        ...[pool, pipeline, feed, keyRing, clock, random, log, config, shell, board]: [
          ...[Pool, Pipeline, ConfigurationFeed, KeyRing, Clock, Random, Logger, OutboundEnvironment, ShellConfig],
          NoticeBoard,
        ]
      ) =>
        createDispatcher({ pool, pipeline, feed, keyRing, clock, random, log, config, shell, version: VERSION, board }),
    },
  ],
})
export class OutboundDispatcherModule
  implements OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown
{
  constructor(
    @Inject(DISPATCHER) private readonly dispatcher: Dispatcher,
    @Inject(EVENT_FEEDS) private readonly feeds: EventFeeds,
    @Inject(MAILER) private readonly mailer: Mailer,
  ) {}

  onApplicationBootstrap(): void {
    this.dispatcher.start();
    this.mailer.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.feeds.close();
    await Promise.all([this.dispatcher.stop(), this.mailer.stop()]);
  }

  onApplicationShutdown(): Promise<void> {
    return this.dispatcher.close();
  }
}
