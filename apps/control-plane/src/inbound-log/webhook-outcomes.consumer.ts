import { Controller, Inject } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import type { BatchResult } from '@tocsin/event-log';
import { Hears } from '@tocsin/nest-shell';
import type { Batch, Pipeline, Stage } from '@tocsin/postgres';
import { CONTROL_PLANE_PIPELINE, RECORD_OUTCOMES } from '../tokens.ts';

/** What became of it, what senders were answered, and what was refused. */
@Controller()
export class ControlPlaneOutcomesConsumer {
  constructor(
    @Inject(CONTROL_PLANE_PIPELINE) private readonly pipeline: Pipeline,
    @Inject(RECORD_OUTCOMES) private readonly stage: Stage<unknown>,
  ) {}

  @Hears('control-plane', 'webhook.outcomes', { gatherMs: 100 })
  handle(@Payload() batch: Batch): Promise<BatchResult> {
    return this.pipeline.commitTogether(batch, this.stage);
  }
}
