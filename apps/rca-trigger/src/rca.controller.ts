import { Controller, Get, Headers, HttpCode, Inject, Param, Post, UseGuards } from '@nestjs/common';
import { ApiKeyGuard, type Caller, CallerOf, Problem, params, REST_POOL, Scopes } from '@tocsin/nest-shell';
import { withWorkspace } from '@tocsin/postgres';
import type { Pool } from 'pg';
import { IncidentPath } from './changes.dto.ts';
import { investigationsOf, type InvestigationView } from './investigation-views.ts';
import { requestInvestigation, type RequestInvestigationParts } from './request-investigation.ts';
import { REQUEST_INVESTIGATION } from './tokens.ts';

/** The investigations of one incident. */
@Controller('api/v1/incidents/:id/rca')
@UseGuards(ApiKeyGuard)
export class IncidentRcaController {
  constructor(
    @Inject(REST_POOL) private readonly pool: Pool,
    @Inject(REQUEST_INVESTIGATION) private readonly requesting: RequestInvestigationParts,
  ) {}

  @Get()
  @Scopes('read')
  async get(@CallerOf() { workspaceId }: Caller, @Param(params(IncidentPath)) { id }: IncidentPath) {
    const found = await withWorkspace(this.pool, workspaceId, (tx) => investigationsOf(tx, id));
    if (!found) throw new Problem('not-found', 'There is no such incident, or its first event has not come here yet.');
    return found;
  }

  @Post()
  @HttpCode(202)
  @Scopes('respond')
  ask(
    @CallerOf() { workspaceId }: Caller,
    @Param(params(IncidentPath)) { id }: IncidentPath,
    @Headers('idempotency-key') idempotencyKey: string | undefined,
  ): Promise<InvestigationView> {
    return requestInvestigation(this.requesting, { workspaceId, incidentId: id, idempotencyKey });
  }
}
