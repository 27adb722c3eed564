import { Controller, Get, HttpCode, Inject, Param, Post, Query, UseGuards } from '@nestjs/common';
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
import { findDelivery, hasDeliveries, listDeliveries, type DeliveryView } from './delivery-log.ts';
import {
  cursorOf,
  DeliveriesQuery,
  filterOf,
  readCursor,
  SubscriptionDeliveryPath,
  SubscriptionPath,
} from './delivery-pages.ts';
import { latestSubscription } from './known-subscription.ts';
import { SUBSCRIPTION_COMMANDS, type SubscriptionCommands } from './subscription-commands.ts';

/** Bodies in lists are cut there; one delivery alone is shown in full. */
export const LISTED_BODY_MAX = 10_000;

/** The outbound log of one subscription. */
@Controller('api/v1/subscriptions/:id/deliveries')
@UseGuards(ApiKeyGuard)
export class SubscriptionDeliveriesController {
  constructor(
    @Inject(REST_POOL) private readonly pool: Pool,
    @Inject(CONFIGURATION_FEED) private readonly feed: ConfigurationFeed,
    @Inject(SUBSCRIPTION_COMMANDS) private readonly commands: SubscriptionCommands,
  ) {}

  @Get()
  @Scopes('read')
  async list(
    @CallerOf() { workspaceId }: Caller,
    @Param(params(SubscriptionPath)) { id: subscriptionId }: SubscriptionPath,
    @Query(query(DeliveriesQuery)) asked: DeliveriesQuery,
  ): Promise<{ items: DeliveryView[]; next_cursor: string | null }> {
    const before = readCursor(asked.cursor);
    await this.mustExist(workspaceId, subscriptionId);
    const filter = { ...filterOf(workspaceId, asked), subscriptionId, before, limit: asked.limit };
    const { items, next } = await listDeliveries(this.pool, { ...filter, bodyMax: LISTED_BODY_MAX });
    return { items, next_cursor: next === null ? null : cursorOf(next) };
  }

  @Get(':delivery')
  @Scopes('read')
  async read(
    @CallerOf() { workspaceId }: Caller,
    @Param(params(SubscriptionDeliveryPath)) { id: subscriptionId, delivery }: SubscriptionDeliveryPath,
  ): Promise<DeliveryView> {
    const found = await findDelivery(this.pool, workspaceId, delivery);
    if (found?.subscription_id === subscriptionId) return found;
    throw new Problem('not-found', 'There is no such delivery.');
  }

  @Post(':delivery/redeliver')
  @HttpCode(202)
  @Scopes('respond')
  redeliver(
    @CallerOf() { workspaceId }: Caller,
    @Param(params(SubscriptionDeliveryPath)) { id: subscriptionId, delivery }: SubscriptionDeliveryPath,
  ): Promise<DeliveryView> {
    return this.commands.redeliverOne(workspaceId, subscriptionId, delivery);
  }

  /** A deleted one is known by its deliveries; another workspace's is unknown. */
  private async mustExist(workspaceId: string, subscriptionId: string): Promise<void> {
    if (await latestSubscription(this.feed, workspaceId, subscriptionId)) return;
    if (await hasDeliveries(this.pool, workspaceId, subscriptionId)) return;
    throw new Problem('not-found', 'There is no such subscription.');
  }
}
