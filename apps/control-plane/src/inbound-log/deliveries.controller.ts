import { Controller, Get, Headers, HttpCode, Inject, Param, Post, Query, UseGuards } from '@nestjs/common';
import { ApiKeyGuard, type Caller, CallerOf, Scopes, params, query } from '@tocsin/nest-shell';
import { IdPath } from '../fields.ts';
import { pageOf } from '../pages.ts';
import { DELIVERY_QUERIES, REPLAYS } from '../tokens.ts';
import { DeliveryPath, ListDeliveries } from './deliveries.dto.ts';
import type { DeliveryQueries } from './delivery-queries.ts';
import { deliveryView, deliveryWithPayload } from './delivery-view.ts';
import type { Replays } from './replay.ts';

/** What came in at a webhook and what became of it. */
@Controller('api/v1/webhooks/:id/deliveries')
@UseGuards(ApiKeyGuard)
@Scopes('admin')
export class DeliveriesController {
  constructor(
    @Inject(DELIVERY_QUERIES) private readonly queries: DeliveryQueries,
    @Inject(REPLAYS) private readonly replays: Replays,
  ) {}

  @Get()
  async list(
    @CallerOf() caller: Caller,
    @Param(params(IdPath)) { id }: IdPath,
    @Query(query(ListDeliveries)) wanted: ListDeliveries,
  ) {
    return pageOf(await this.queries.list(caller.workspaceId, id, wanted), deliveryView);
  }

  @Get(':receipt')
  async read(@CallerOf() caller: Caller, @Param(params(DeliveryPath)) { id, receipt }: DeliveryPath) {
    const { row, payload } = await this.queries.read(caller.workspaceId, id, receipt);
    return deliveryWithPayload(row, payload);
  }

  @Post(':receipt/replay')
  @HttpCode(202)
  async replay(
    @CallerOf() { workspaceId }: Caller,
    @Param(params(DeliveryPath)) { id, receipt }: DeliveryPath,
    @Headers('idempotency-key') idempotencyKey: string | undefined,
  ) {
    const made = await this.replays.run({ workspaceId, webhookId: id, receiptId: receipt, idempotencyKey });
    return { receipt_id: made, status: 'accepted', status_url: `/api/v1/receipts/${made}`, replay_of: receipt };
  }
}
