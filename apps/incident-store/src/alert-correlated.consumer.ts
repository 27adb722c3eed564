import { Controller, Inject } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import type { BatchResult } from '@tocsin/event-log';
import { Hears } from '@tocsin/nest-shell';
import type { Batch, Pipeline, Stage } from '@tocsin/postgres';
import { INCIDENT_STORE_PIPELINE, RECORD_ALERTS } from './tokens.ts';

/** In a storm there is a backlog: the larger the batch, the fewer events hold its alerts (100,000 into 50 incidents: under 5,000). */
const BATCH_MAX = 2_500;

/** Alerts that the correlator has decided on. */
@Controller()
export class AlertCorrelatedConsumer {
  constructor(
    @Inject(INCIDENT_STORE_PIPELINE) private readonly pipeline: Pipeline,
    @Inject(RECORD_ALERTS) private readonly stage: Stage<unknown>,
  ) {}

  @Hears('incident-store', 'alert.correlated', { maxRecords: BATCH_MAX })
  handle(@Payload() batch: Batch): Promise<BatchResult> {
    return this.pipeline.commitBatch(batch, this.stage);
  }
}
