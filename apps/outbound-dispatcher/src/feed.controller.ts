import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query, UseGuards } from '@nestjs/common';
import { ApiKeyGuard, body, type Caller, CallerOf, params, query, Scopes } from '@tocsin/nest-shell';
import { SubscriptionPath } from './delivery-pages.ts';
import { EVENT_FEEDS, type EventFeeds } from './event-feeds.ts';
import { FeedAck, FeedQuery } from './feed.dto.ts';

/** Events to be fetched, for receivers that nobody can send to. */
@Controller('api/v1/subscriptions/:id/feed')
@UseGuards(ApiKeyGuard)
export class SubscriptionFeedController {
  constructor(@Inject(EVENT_FEEDS) private readonly feeds: EventFeeds) {}

  @Get()
  @Scopes('read')
  read(
    @CallerOf() { workspaceId }: Caller,
    @Param(params(SubscriptionPath)) { id }: SubscriptionPath,
    @Query(query(FeedQuery)) asked: FeedQuery,
  ) {
    return this.feeds.read(workspaceId, id, asked);
  }

  @Post('ack')
  @HttpCode(200)
  @Scopes('respond')
  acknowledge(
    @CallerOf() { workspaceId }: Caller,
    @Param(params(SubscriptionPath)) { id }: SubscriptionPath,
    @Body(body(FeedAck)) { cursor }: FeedAck,
  ) {
    return this.feeds.acknowledge(workspaceId, id, cursor);
  }
}
