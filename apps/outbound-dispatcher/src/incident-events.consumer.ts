import { Controller, Inject } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import type { BatchResult } from '@tocsin/event-log';
import { Hears } from '@tocsin/nest-shell';
import type { Batch } from '@tocsin/postgres';
import { DISPATCHER, type Dispatcher } from './dispatcher.ts';

/** Hears what happened to incidents and plans who is told. */
@Controller()
export class OutboundIncidentEventsConsumer {
  constructor(@Inject(DISPATCHER) private readonly dispatcher: Dispatcher) {}

  @Hears('outbound-dispatcher', 'incident.events')
  handle(@Payload() batch: Batch): Promise<BatchResult> {
    return this.dispatcher.plan(batch);
  }
}
