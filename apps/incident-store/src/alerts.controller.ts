import { Controller, Get, HttpCode, Inject, Param, Post, Query, UseGuards } from '@nestjs/common';
import { isId } from '@tocsin/contracts';
import { ApiKeyGuard, CallerOf, query, Scopes, type Caller } from '@tocsin/nest-shell';
import { noSuchAlert, type AlertQueries } from './alert-queries.ts';
import { ListAlerts } from './alert.dto.ts';
import type { PromoteAlert } from './promote-alert.ts';
import { ALERT_QUERIES, PROMOTE_ALERT } from './tokens.ts';

/** Alerts over HTTP: those that were recorded, one by its id, and making an incident of one. */
@Controller('api/v1/alerts')
@UseGuards(ApiKeyGuard)
export class AlertsController {
  constructor(
    @Inject(ALERT_QUERIES) private readonly queries: AlertQueries,
    @Inject(PROMOTE_ALERT) private readonly promotion: PromoteAlert,
  ) {}

  @Get()
  @Scopes('read')
  list(@CallerOf() caller: Caller, @Query(query(ListAlerts)) filter: ListAlerts) {
    return this.queries.list(caller.workspaceId, filter);
  }

  @Get(':id')
  @Scopes('read')
  read(@CallerOf() caller: Caller, @Param('id') id: string) {
    return this.queries.read(caller.workspaceId, id);
  }

  @Post(':id/promote')
  @HttpCode(200)
  @Scopes('respond')
  async promote(@CallerOf() caller: Caller, @Param('id') id: string) {
    if (!isId('alr', id)) throw noSuchAlert(id);
    const { incident, events } = await this.promotion.run(caller, id);
    return { ...incident, events };
  }
}
