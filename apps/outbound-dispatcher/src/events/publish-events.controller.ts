import { Body, Controller, Headers, HttpCode, Inject, Post, UseGuards } from '@nestjs/common';
import { ApiKeyGuard, body, type Caller, CallerOf, Scopes } from '@tocsin/nest-shell';
import { PublishEvent } from './events.dto.ts';
import type { PublishedEvents } from './publish-event.ts';
import { PUBLISHED_EVENTS } from './tokens.ts';

/** Where other services of the organisation say catalogue events; incident-store answers `GET` at the same address. */
@Controller('api/v1/events')
@UseGuards(ApiKeyGuard)
export class PublishEventsController {
  constructor(@Inject(PUBLISHED_EVENTS) private readonly published: PublishedEvents) {}

  @Post()
  @HttpCode(202)
  @Scopes('ingest', 'respond')
  publish(
    @CallerOf() caller: Caller,
    @Body(body(PublishEvent)) input: PublishEvent,
    @Headers('idempotency-key') idempotencyKey: string | undefined,
  ) {
    return this.published.publish(caller, input, idempotencyKey);
  }
}
