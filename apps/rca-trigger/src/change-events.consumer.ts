import { Controller, Inject } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import type { BatchResult } from '@tocsin/event-log';
import { Hears } from '@tocsin/nest-shell';
import type { Batch, Pipeline, Stage } from '@tocsin/postgres';
import { RCA_PIPELINE, RECORD_CHANGES } from './tokens.ts';

/** Hears which changes were made. */
@Controller()
export class RcaChangeEventsConsumer {
  constructor(
    @Inject(RCA_PIPELINE) private readonly pipeline: Pipeline,
    @Inject(RECORD_CHANGES) private readonly recordChanges: Stage<null>,
  ) {}

  @Hears('rca-trigger', 'change.events')
  handle(@Payload() batch: Batch): Promise<BatchResult> {
    return this.pipeline.commitBatch(batch, this.recordChanges);
  }
}
