import { Controller, Get, Headers, Inject, Res, UseGuards } from '@nestjs/common';
import { ApiKeyGuard, CallerOf, Problem, Scopes, type Caller } from '@tocsin/nest-shell';
import type { FastifyReply } from 'fastify';
import { EVENT_STREAMS, EVENTS_FEED } from '../tokens.ts';
import type { EventStreams } from './event-streams.ts';
import { POSITION } from './events-feed.controller.ts';
import type { EventsFeed } from './events-feed.ts';

/** Incident events of a workspace as they come (Server-Sent Events, HTML standard 9.2). */
@Controller('api/v1/incidents/stream')
@UseGuards(ApiKeyGuard)
export class EventStreamController {
  constructor(
    @Inject(EVENTS_FEED) private readonly feed: EventsFeed,
    @Inject(EVENT_STREAMS) private readonly streams: EventStreams,
  ) {}

  @Get()
  @Scopes('read')
  async stream(
    @CallerOf() { workspaceId }: Caller,
    @Headers('last-event-id') lastEventId: string | undefined,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    if (lastEventId !== undefined && !POSITION.test(lastEventId))
      throw new Problem('malformed-request', 'Last-Event-ID is not an id of this stream.');
    if (this.streams.isFull)
      throw new Problem('unavailable', 'This process serves as many streams as it can.', {
        headers: { 'retry-after': '10' },
      });
    const from = lastEventId === undefined ? await this.feed.end(workspaceId) : BigInt(lastEventId);
    reply.hijack();
    this.streams.open(workspaceId, from, reply.raw);
  }
}
