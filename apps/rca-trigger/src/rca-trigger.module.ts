import {
  type BeforeApplicationShutdown,
  Inject,
  Module,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { schemaOf } from '@tocsin/contracts';
import type { EventLog } from '@tocsin/event-log';
import {
  type Assignments,
  ASSIGNMENTS,
  CLOCK,
  type Clock,
  configOf,
  CONFIGURATION_FEED,
  type ConfigurationFeed,
  EVENT_LOG,
  LOGGER,
  type Logger,
  PIPELINE_POOL,
  RANDOM,
  type Random,
  SHELL_CONFIG,
  type ShellConfig,
} from '@tocsin/nest-shell';
import type { Sender } from '@tocsin/egress';
import { createPipeline, type Pipeline } from '@tocsin/postgres';
import type { Pool } from 'pg';
import { RcaChangeEventsConsumer } from './change-events.consumer.ts';
import { ChangesController } from './changes.controller.ts';
import { capsOf, RcaEnvironment } from './config.ts';
import type { AskInvestigators } from './http/ask-investigators.ts';
import { investigatorControllers, investigatorProviders } from './http/investigator.providers.ts';
import { RcaIncidentEventsConsumer } from './incident-events.consumer.ts';
import { InvestigationWorker } from './investigation-worker.ts';
import { IncidentRcaController } from './rca.controller.ts';
import { recordChangesStage } from './record-changes-batch.ts';
import { recordIncidentsStage } from './record-incidents-batch.ts';
import type { RequestInvestigationParts } from './request-investigation.ts';
import { RecommendationsController } from './recommendations/recommendations.controller.ts';
import { Recommendations } from './recommendations/recommendations.ts';
import {
  ASK_INVESTIGATORS,
  INVESTIGATION_WORKER,
  INVESTIGATOR_SENDER,
  RCA_CONFIG,
  RCA_PIPELINE,
  RECOMMENDATIONS,
  RECORD_CHANGES,
  RECORD_INCIDENTS,
  REQUEST_INVESTIGATION,
} from './tokens.ts';

type PipelineParts = [Pool, EventLog, Clock, Assignments, Logger];
function pipelineOf(...[pool, log, now, assignments, logger]: PipelineParts): Pipeline {
  const service = 'rca-trigger';
  const onError = (error: unknown) => logger.error({ err: error, service }, 'pipeline.failed');
  const pipeline = createPipeline({ pool, schema: schemaOf(service), service, log, now, publisher: 'single', onError });
  assignments.register(service, pipeline.assigned);
  return pipeline;
}

type RequestingParts = [Pipeline, ConfigurationFeed, Clock, Random, RcaEnvironment, InvestigationWorker];
const requestingOf = (
  ...[pipeline, feed, clock, random, config, worker]: RequestingParts
): RequestInvestigationParts => ({
  ...{ pipeline, feed, clock, random, caps: capsOf(config) },
  wake: () => worker.wake(0),
});

@Module({
  controllers: [
    RcaIncidentEventsConsumer,
    RcaChangeEventsConsumer,
    IncidentRcaController,
    ChangesController,
    RecommendationsController,
    ...investigatorControllers,
  ],
  providers: [
    configOf(RCA_CONFIG, RcaEnvironment),
    ...investigatorProviders,
    { provide: RCA_PIPELINE, inject: [PIPELINE_POOL, EVENT_LOG, CLOCK, ASSIGNMENTS, LOGGER], useFactory: pipelineOf },
    {
      provide: INVESTIGATION_WORKER,
      inject: [RCA_PIPELINE, CLOCK, LOGGER, RCA_CONFIG, SHELL_CONFIG, ASK_INVESTIGATORS],
      useFactory: (
        ...[pipeline, clock, log, config, shell, asking]: [
          ...[Pipeline, Clock, Logger, RcaEnvironment, ShellConfig, AskInvestigators],
        ]
      ) =>
        new InvestigationWorker({
          ...{ pipeline, clock, log, settleMs: config.RCA_SETTLE_MS, asking },
          publicUrl: () => shell.publicUrl,
        }),
    },
    {
      provide: RECOMMENDATIONS,
      inject: [RCA_PIPELINE, CLOCK, RANDOM, SHELL_CONFIG],
      useFactory: (pipeline: Pipeline, clock: Clock, random: Random, shell: ShellConfig) =>
        new Recommendations({ pipeline, clock, random, publicUrl: () => shell.publicUrl }),
    },
    {
      provide: RECORD_INCIDENTS,
      inject: [CONFIGURATION_FEED, CLOCK, RCA_CONFIG, INVESTIGATION_WORKER],
      useFactory: (feed: ConfigurationFeed, clock: Clock, config: RcaEnvironment, worker: InvestigationWorker) =>
        recordIncidentsStage({
          feed,
          clock,
          caps: capsOf(config),
          settleMs: config.RCA_SETTLE_MS,
          wake: () => worker.wake(),
        }),
    },
    {
      provide: REQUEST_INVESTIGATION,
      inject: [RCA_PIPELINE, CONFIGURATION_FEED, CLOCK, RANDOM, RCA_CONFIG, INVESTIGATION_WORKER],
      useFactory: requestingOf,
    },
    { provide: RECORD_CHANGES, useFactory: recordChangesStage },
  ],
})
export class RcaTriggerModule implements OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown {
  constructor(
    @Inject(RCA_PIPELINE) private readonly pipeline: Pipeline,
    @Inject(INVESTIGATION_WORKER) private readonly worker: InvestigationWorker,
    @Inject(INVESTIGATOR_SENDER) private readonly sender: Sender,
  ) {}

  onApplicationBootstrap(): void {
    this.worker.start();
  }

  beforeApplicationShutdown(): Promise<void> {
    this.sender.abort(); // an investigator may take its time: it is asked again
    return this.worker.stop();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.sender.close();
    await this.pipeline.close();
  }
}
