import { setTimeout as pause } from 'node:timers/promises';
import { Controller, Inject } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import type { BatchResult } from '@tocsin/event-log';
import { CLOCK, Hears, type Clock } from '@tocsin/nest-shell';
import type { Batch, Pipeline, Stage } from '@tocsin/postgres';
import { broughtBy } from './record-alerts-batch.ts';
import { StormPace } from './storm-pace.ts';
import { INCIDENT_STORE_PIPELINE, RECORD_ALERTS } from './tokens.ts';

/** In a storm, the larger the batch, the fewer events hold its alerts (100,000 into 50 incidents: under 5,000). */
const BATCH_MAX = 3_000;
/** A batch whose last record is older than this did not take all that there was. */
const BEHIND_MS = 250;

/** Alerts that the correlator has decided on. */
@Controller()
export class AlertCorrelatedConsumer {
  private readonly pace = new StormPace(BATCH_MAX);

  constructor(
    @Inject(INCIDENT_STORE_PIPELINE) private readonly pipeline: Pipeline,
    @Inject(RECORD_ALERTS) private readonly stage: Stage<unknown>,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Hears('incident-store', 'alert.correlated', { maxRecords: BATCH_MAX, gatherMs: 10 })
  async handle(@Payload() batch: Batch): Promise<BatchResult> {
    const behind = this.clock().getTime() - (batch.inputs.at(-1)?.timestamp ?? 0) > BEHIND_MS;
    const result = await this.pipeline.commitTogether(batch, this.stage);
    if (result.kind !== 'committed') return result;
    const around = { now: this.clock().getTime(), behind };
    const wait = this.pace.after(batch.source.partition, broughtBy(batch.inputs), around);
    if (wait > 0) await pause(wait);
    return result;
  }
}
