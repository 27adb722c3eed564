import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import type { EventLog } from '@tocsin/event-log';
import {
  ASSIGNMENTS,
  CLOCK,
  CONFIGURATION_FEED,
  EVENT_LOG,
  LOGGER,
  PIPELINE_POOL,
  type Assignments,
  type Clock,
  type ConfigurationFeed,
  type Logger,
} from '@tocsin/nest-shell';
import { createPipeline, type Pipeline } from '@tocsin/postgres';
import type { Pool } from 'pg';
import { correlateStage } from './correlate-batch.ts';
import { CorrelationInputsConsumer } from './correlation-inputs.consumer.ts';
import { CORRELATE_STAGE, DEDUP_CORRELATOR_PIPELINE } from './tokens.ts';
import { WebhookRules } from './webhook-rules.ts';

@Module({
  controllers: [CorrelationInputsConsumer],
  providers: [
    {
      provide: DEDUP_CORRELATOR_PIPELINE,
      inject: [PIPELINE_POOL, EVENT_LOG, CLOCK, ASSIGNMENTS, LOGGER],
      // eslint-disable-next-line max-params -- a factory's parameters are its injections
      useFactory: (pool: Pool, log: EventLog, now: Clock, assignments: Assignments, logger: Logger) => {
        const onError = (error: unknown) =>
          logger.error({ err: error, service: 'dedup-correlator' }, 'pipeline.failed');
        const pipeline = createPipeline({
          pool,
          schema: 'dedup_correlator',
          service: 'dedup-correlator',
          log,
          now,
          publisher: 'per-partition',
          onError,
        });
        assignments.register('dedup-correlator', pipeline.assigned);
        return pipeline;
      },
    },
    {
      provide: CORRELATE_STAGE,
      inject: [CONFIGURATION_FEED],
      useFactory: (feed: ConfigurationFeed) => correlateStage(new WebhookRules(feed)),
    },
  ],
})
export class DedupCorrelatorModule implements OnApplicationShutdown {
  constructor(@Inject(DEDUP_CORRELATOR_PIPELINE) private readonly pipeline: Pipeline) {}

  onApplicationShutdown(): Promise<void> {
    return this.pipeline.close();
  }
}
