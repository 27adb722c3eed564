import { Controller, Inject } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import type { BatchResult } from '@tocsin/event-log';
import { Hears } from '@tocsin/nest-shell';
import type { Batch, Pipeline, Stage } from '@tocsin/postgres';
import { APPLY_EXTERNAL_COMMANDS, INCIDENT_STORE_PIPELINE } from '../tokens.ts';

/** What people did to incidents in other systems. */
@Controller()
export class ExternalCommandsConsumer {
  constructor(
    @Inject(INCIDENT_STORE_PIPELINE) private readonly pipeline: Pipeline,
    @Inject(APPLY_EXTERNAL_COMMANDS) private readonly stage: Stage<unknown>,
  ) {}

  @Hears('incident-store', 'incident.commands')
  handle(@Payload() batch: Batch): Promise<BatchResult> {
    return this.pipeline.commitBatch(batch, this.stage);
  }
}
