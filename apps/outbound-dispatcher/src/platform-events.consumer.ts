import { Controller, Inject } from '@nestjs/common';
import { Payload } from '@nestjs/microservices';
import type { BatchResult } from '@tocsin/event-log';
import { Hears } from '@tocsin/nest-shell';
import type { Batch } from '@tocsin/postgres';
import { DISPATCHER, type Dispatcher } from './dispatcher.ts';

/** Hears the catalogue's other events, of Tocsin's services and of the organisation's own. */
@Controller()
export class OutboundPlatformEventsConsumer {
  constructor(@Inject(DISPATCHER) private readonly dispatcher: Dispatcher) {}

  @Hears('outbound-dispatcher', 'platform.events')
  handle(@Payload() batch: Batch): Promise<BatchResult> {
    return this.dispatcher.planPlatform(batch);
  }
}
