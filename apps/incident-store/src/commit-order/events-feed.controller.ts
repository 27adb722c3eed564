import { Controller, Get, Inject, Query, UseGuards } from '@nestjs/common';
import { ApiKeyGuard, CallerOf, query, Scopes, type Caller } from '@tocsin/nest-shell';
import { Type } from 'class-transformer';
import { IsInt, IsString, Matches, Max, Min } from 'class-validator';
import { EVENTS_FEED } from '../tokens.ts';
import type { EventsFeed } from './events-feed.ts';

export const POSITION = /^\d{1,18}$/;

export class EventsQuery {
  /** The position that was handled last; 0 = from the beginning. */
  @IsString() @Matches(POSITION, { message: 'after must be a position of this feed' }) after = '0';
  @Type(() => Number) @IsInt() @Min(1) @Max(500) limit = 100;
}

/** Incident events of a workspace in their order, for whoever asks from time to time. */
@Controller('api/v1/events')
@UseGuards(ApiKeyGuard)
export class EventsFeedController {
  constructor(@Inject(EVENTS_FEED) private readonly feed: EventsFeed) {}

  @Get()
  @Scopes('read')
  async list(@CallerOf() caller: Caller, @Query(query(EventsQuery)) { after, limit }: EventsQuery) {
    const items = await this.feed.after(caller.workspaceId, BigInt(after), limit);
    return { items, next_after: items.at(-1)?.position ?? after };
  }
}
