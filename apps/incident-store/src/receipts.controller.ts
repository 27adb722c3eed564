import { Controller, Get, Inject, Param, UseGuards } from '@nestjs/common';
import { ApiKeyGuard, CallerOf, Scopes, type Caller } from '@tocsin/nest-shell';
import type { IncidentQueries } from './incident-queries.ts';
import { INCIDENT_QUERIES } from './tokens.ts';

/** What became of one request. */
@Controller('api/v1/receipts')
@UseGuards(ApiKeyGuard)
export class ReceiptsController {
  constructor(@Inject(INCIDENT_QUERIES) private readonly queries: IncidentQueries) {}

  @Get(':id')
  @Scopes('read')
  read(@CallerOf() caller: Caller, @Param('id') id: string) {
    return this.queries.receipt(caller.workspaceId, id);
  }
}
