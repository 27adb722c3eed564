import { Controller, Inject } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import type { BatchResult } from '@tocsin/event-log';
import { Hears } from '@tocsin/nest-shell';
import type { Batch, Pipeline, Stage } from '@tocsin/postgres';
import { RCA_PIPELINE, RECORD_INCIDENTS } from './tokens.ts';

/** Hears what happened to incidents and asks for investigations. */
@Controller()
export class RcaIncidentEventsConsumer {
  constructor(
    @Inject(RCA_PIPELINE) private readonly pipeline: Pipeline,
    @Inject(RECORD_INCIDENTS) private readonly recordIncidents: Stage<null>,
  ) {}

  @Hears('rca-trigger', 'incident.events', { gatherMs: 100 })
  handle(@Payload() batch: Batch): Promise<BatchResult> {
    return this.pipeline.commitTogether(batch, this.recordIncidents);
  }
}
