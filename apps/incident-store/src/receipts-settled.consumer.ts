import { Controller, Inject } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import type { BatchResult } from '@tocsin/event-log';
import { Hears } from '@tocsin/nest-shell';
import type { Batch, Pipeline, Stage } from '@tocsin/postgres';
import { INCIDENT_STORE_PIPELINE, SETTLE_RECEIPTS } from './tokens.ts';

/** Receipts that other services have settled. */
@Controller()
export class ReceiptsSettledConsumer {
  constructor(
    @Inject(INCIDENT_STORE_PIPELINE) private readonly pipeline: Pipeline,
    @Inject(SETTLE_RECEIPTS) private readonly stage: Stage<unknown>,
  ) {}

  @Hears('incident-store', 'webhook.outcomes', { gatherMs: 100 })
  handle(@Payload() batch: Batch): Promise<BatchResult> {
    return this.pipeline.commitTogether(batch, this.stage);
  }
}
