import { Controller, Inject } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import type { BatchResult } from '@tocsin/event-log';
import { Hears } from '@tocsin/nest-shell';
import type { Batch, Pipeline, Stage } from '@tocsin/postgres';
import { CONTROL_PLANE_PIPELINE, STORE_LETTERS } from '../tokens.ts';

@Controller()
export class DeadLettersConsumer {
  constructor(
    @Inject(CONTROL_PLANE_PIPELINE) private readonly pipeline: Pipeline,
    @Inject(STORE_LETTERS) private readonly stage: Stage<null>,
  ) {}

  @Hears('control-plane', 'dead-letters')
  handle(@Payload() batch: Batch): Promise<BatchResult> {
    return this.pipeline.commitBatch(batch, this.stage);
  }
}
