import { Controller, Inject } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import type { BatchResult } from '@tocsin/event-log';
import { Hears } from '@tocsin/nest-shell';
import type { Batch, Pipeline, Stage } from '@tocsin/postgres';
import { INCIDENT_STORE_PIPELINE, NOTE_RCA } from './tokens.ts';

/** Results of investigations. */
@Controller()
export class IncidentRcaConsumer {
  constructor(
    @Inject(INCIDENT_STORE_PIPELINE) private readonly pipeline: Pipeline,
    @Inject(NOTE_RCA) private readonly stage: Stage<unknown>,
  ) {}

  @Hears('incident-store', 'rca.events', { gatherMs: 100 })
  handle(@Payload() batch: Batch): Promise<BatchResult> {
    return this.pipeline.commitTogether(batch, this.stage);
  }
}
