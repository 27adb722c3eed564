import { Controller, Inject } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import type { BatchResult } from '@tocsin/event-log';
import { Hears } from '@tocsin/nest-shell';
import type { Batch, Pipeline, Stage } from '@tocsin/postgres';
import { CONTROL_PLANE_PIPELINE, RECORD_RECEIPTS } from '../tokens.ts';

/** What was accepted, for the delivery log and the ledger. */
@Controller()
export class ControlPlaneReceivedConsumer {
  constructor(
    @Inject(CONTROL_PLANE_PIPELINE) private readonly pipeline: Pipeline,
    @Inject(RECORD_RECEIPTS) private readonly stage: Stage<unknown>,
  ) {}

  @Hears('control-plane', 'webhook.received', { gatherMs: 100 })
  handle(@Payload() batch: Batch): Promise<BatchResult> {
    return this.pipeline.commitTogether(batch, this.stage);
  }
}
