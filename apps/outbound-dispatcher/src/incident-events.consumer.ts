import { Controller, Inject } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import type { BatchResult } from '@tocsin/event-log';
import { Hears } from '@tocsin/nest-shell';
import type { Batch } from '@tocsin/postgres';
import { DISPATCHER, type Dispatcher } from './dispatcher.ts';
import { SYNC, type Sync } from './sync/sync.ts';

/** Hears what happened to incidents and plans who is told: receivers, and systems that are kept in step. */
@Controller()
export class OutboundIncidentEventsConsumer {
  private readonly plan: ReturnType<Dispatcher['planWith']>;

  constructor(@Inject(DISPATCHER) dispatcher: Dispatcher, @Inject(SYNC) sync: Sync) {
    this.plan = dispatcher.planWith((stage) => sync.alsoPlanning(stage));
  }

  // A plan is no larger than what receivers take at once: more of it would have to be claimed.
  @Hears('outbound-dispatcher', 'incident.events', { maxRecords: 100 })
  handle(@Payload() batch: Batch): Promise<BatchResult> {
    return this.plan(batch);
  }
}
