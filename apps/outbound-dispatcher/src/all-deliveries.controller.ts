import { Controller, Get, Header, Inject, Param, Query, StreamableFile, UseGuards } from '@nestjs/common';
import { ApiKeyGuard, type Caller, CallerOf, params, Problem, query, REST_POOL, Scopes } from '@tocsin/nest-shell';
import type { Pool } from 'pg';
import { LISTED_BODY_MAX } from './deliveries.controller.ts';
import { findDelivery, listDeliveries, type DeliveryView } from './delivery-log.ts';
import { AllDeliveriesQuery, cursorOf, DeliveryPath, ExportQuery, filterOf, readCursor } from './delivery-pages.ts';
import { exportDeliveries } from './export-deliveries.ts';

/** The outbound log over all subscriptions. */
@Controller('api/v1/deliveries')
@UseGuards(ApiKeyGuard)
@Scopes('read')
export class OutboundDeliveriesController {
  constructor(@Inject(REST_POOL) private readonly pool: Pool) {}

  @Get()
  async list(
    @CallerOf() { workspaceId }: Caller,
    @Query(query(AllDeliveriesQuery)) asked: AllDeliveriesQuery,
  ): Promise<{ items: DeliveryView[]; next_cursor: string | null }> {
    const filter = {
      ...filterOf(workspaceId, asked),
      ...{ subscriptionId: asked.subscription_id, before: readCursor(asked.cursor), limit: asked.limit },
    };
    const { items, next } = await listDeliveries(this.pool, { ...filter, bodyMax: LISTED_BODY_MAX });
    return { items, next_cursor: next === null ? null : cursorOf(next) };
  }

  @Get('export')
  @Header('cache-control', 'no-store')
  export(@CallerOf() { workspaceId }: Caller, @Query(query(ExportQuery)) asked: ExportQuery): StreamableFile {
    const { subscription_id: subscriptionId, limit, format } = asked;
    const stream = exportDeliveries(this.pool, { ...filterOf(workspaceId, asked), subscriptionId, limit }, format);
    return new StreamableFile(stream, {
      type: format === 'csv' ? 'text/csv; charset=utf-8' : 'application/json; charset=utf-8',
      disposition: `attachment; filename="deliveries.${format}"`,
    });
  }

  @Get(':id')
  async read(
    @CallerOf() { workspaceId }: Caller,
    @Param(params(DeliveryPath)) { id }: DeliveryPath,
  ): Promise<DeliveryView> {
    const found = await findDelivery(this.pool, workspaceId, id);
    if (found) return found;
    throw new Problem('not-found', 'There is no such delivery.');
  }
}
