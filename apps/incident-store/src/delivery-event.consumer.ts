import { Controller, Inject } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import type { BatchResult } from '@tocsin/event-log';
import { Hears } from '@tocsin/nest-shell';
import type { Batch, Pipeline, Stage } from '@tocsin/postgres';
import { INCIDENT_STORE_PIPELINE, NOTE_DELIVERIES } from './tokens.ts';

/** What became of outbound deliveries. */
@Controller()
export class IncidentDeliveryConsumer {
  constructor(
    @Inject(INCIDENT_STORE_PIPELINE) private readonly pipeline: Pipeline,
    @Inject(NOTE_DELIVERIES) private readonly stage: Stage<unknown>,
  ) {}

  @Hears('incident-store', 'delivery.events')
  handle(@Payload() batch: Batch): Promise<BatchResult> {
    return this.pipeline.commitBatch(batch, this.stage);
  }
}
