import { Controller, Inject } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import type { BatchResult } from '@tocsin/event-log';
import { Hears } from '@tocsin/nest-shell';
import type { Batch, Pipeline, Stage } from '@tocsin/postgres';
import type { HeardBatch } from './correlate-batch.ts';
import { CORRELATE_STAGE, DEDUP_CORRELATOR_PIPELINE } from './tokens.ts';

@Controller()
export class CorrelationInputsConsumer {
  constructor(
    @Inject(DEDUP_CORRELATOR_PIPELINE) private readonly pipeline: Pipeline,
    @Inject(CORRELATE_STAGE) private readonly correlate: Stage<HeardBatch>,
  ) {}

  @Hears('dedup-correlator', 'correlation.inputs', { gatherMs: 10 })
  handle(@Payload() batch: Batch): Promise<BatchResult> {
    return this.pipeline.commitBatch(batch, this.correlate);
  }
}
