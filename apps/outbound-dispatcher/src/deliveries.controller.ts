import { Controller, Get, Inject, Param, Query, UseGuards } from '@nestjs/common';
import type { Pool } from 'pg';
import {
  ApiKeyGuard,
  type Caller,
  CallerOf,
  CONFIGURATION_FEED,
  type ConfigurationFeed,
  params,
  Problem,
  query,
  REST_POOL,
  Scopes,
} from '@tocsin/nest-shell';
import { subscriptionOf } from './attempt-delivery.ts';
import { hasDeliveries, listDeliveries, type DeliveryView } from './delivery-log.ts';
import { cursorOf, DeliveriesQuery, readCursor, SubscriptionPath } from './delivery-pages.ts';

/** The outbound log of one subscription. */
@Controller('api/v1/subscriptions/:id/deliveries')
@UseGuards(ApiKeyGuard)
export class SubscriptionDeliveriesController {
  constructor(
    @Inject(REST_POOL) private readonly pool: Pool,
    @Inject(CONFIGURATION_FEED) private readonly feed: ConfigurationFeed,
  ) {}

  @Get()
  @Scopes('read')
  async list(
    @CallerOf() { workspaceId }: Caller,
    @Param(params(SubscriptionPath)) { id: subscriptionId }: SubscriptionPath,
    @Query(query(DeliveriesQuery)) { status, event_type, incident_id, cursor, limit }: DeliveriesQuery,
  ): Promise<{ items: DeliveryView[]; next_cursor: string | null }> {
    const before = readCursor(cursor);
    await this.mustExist(workspaceId, subscriptionId);
    const filter = {
      workspaceId,
      subscriptionId,
      status,
      eventType: event_type,
      incidentId: incident_id,
      before,
      limit,
    };
    const { items, next } = await listDeliveries(this.pool, filter);
    return { items, next_cursor: next === null ? null : cursorOf(next) };
  }

  /** A new one may not have reached this process yet, a deleted one is known by its deliveries; another workspace's is unknown. */
  private async mustExist(workspaceId: string, subscriptionId: string): Promise<void> {
    if (subscriptionOf(this.feed, { workspaceId, subscriptionId })) return;
    await this.feed.refresh();
    if (subscriptionOf(this.feed, { workspaceId, subscriptionId })) return;
    if (await hasDeliveries(this.pool, workspaceId, subscriptionId)) return;
    throw new Problem('not-found', 'There is no such subscription.');
  }
}
