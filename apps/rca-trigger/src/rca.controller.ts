import { Controller, Get, Inject, Param, UseGuards } from '@nestjs/common';
import { ApiKeyGuard, type Caller, CallerOf, Problem, params, REST_POOL, Scopes } from '@tocsin/nest-shell';
import { withWorkspace } from '@tocsin/postgres';
import type { Pool } from 'pg';
import { IncidentPath } from './changes.dto.ts';
import { investigationsOf } from './investigation-views.ts';

/** The investigations of one incident. */
@Controller('api/v1/incidents/:id/rca')
@UseGuards(ApiKeyGuard)
export class IncidentRcaController {
  constructor(@Inject(REST_POOL) private readonly pool: Pool) {}

  @Get()
  @Scopes('read')
  async get(@CallerOf() { workspaceId }: Caller, @Param(params(IncidentPath)) { id }: IncidentPath) {
    const found = await withWorkspace(this.pool, workspaceId, (tx) => investigationsOf(tx, id));
    if (!found) throw new Problem('not-found', 'There is no such incident, or its first event has not come here yet.');
    return found;
  }
}
