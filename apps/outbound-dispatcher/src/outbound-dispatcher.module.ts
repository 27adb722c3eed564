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
  SHELL_CONFIG,
  type ShellConfig,
} from '@tocsin/nest-shell';
import { createPipeline, type Pipeline } from '@tocsin/postgres';
import { OutboundEnvironment } from './config.ts';
import { SubscriptionDeliveriesController } from './deliveries.controller.ts';
import { createDispatcher, DISPATCHER, type Dispatcher } from './dispatcher.ts';
import { EventTypesController } from './events/event-types.controller.ts';
import { PublishedEvents } from './events/publish-event.ts';
import { PublishEventsController } from './events/publish-events.controller.ts';
import { PUBLISHED_EVENTS } from './events/tokens.ts';
import { OutboundIncidentEventsConsumer } from './incident-events.consumer.ts';
import { OutboundPlatformEventsConsumer } from './platform-events.consumer.ts';

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
    EventTypesController,
    PublishEventsController,
    OutboundIncidentEventsConsumer,
    OutboundPlatformEventsConsumer,
  ],
  providers: [
    configOf(OUTBOUND_CONFIG, OutboundEnvironment),
    { provide: OUTBOUND_PIPELINE, inject: [PIPELINE_POOL, EVENT_LOG, CLOCK, ASSIGNMENTS], useFactory: pipelineOf },
    {
      provide: PUBLISHED_EVENTS,
      inject: [OUTBOUND_PIPELINE, CLOCK, RANDOM],
      useFactory: (pipeline: Pipeline, clock: Clock, random: Random) => new PublishedEvents({ pipeline, clock, random }),
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
      ],
      useFactory: (
        ...[pool, pipeline, feed, keyRing, clock, random, log, config, shell]: [
          ...[Pool, Pipeline, ConfigurationFeed, KeyRing, Clock, Random, Logger, OutboundEnvironment, ShellConfig],
        ]
      ) => createDispatcher({ pool, pipeline, feed, keyRing, clock, random, log, config, shell, version: VERSION }),
    },
  ],
})
export class OutboundDispatcherModule
  implements OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown
{
  constructor(@Inject(DISPATCHER) private readonly dispatcher: Dispatcher) {}

  onApplicationBootstrap(): void {
    this.dispatcher.start();
  }

  beforeApplicationShutdown(): Promise<void> {
    return this.dispatcher.stop();
  }

  onApplicationShutdown(): Promise<void> {
    return this.dispatcher.close();
  }
}
