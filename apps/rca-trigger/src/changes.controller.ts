import { Body, Controller, Get, Headers, Inject, Post, Query, UseGuards } from '@nestjs/common';
import type { ChangeEvent } from '@tocsin/contracts';
import {
  ApiKeyGuard,
  type Caller,
  CallerOf,
  CLOCK,
  type Clock,
  RANDOM,
  type Random,
  REST_POOL,
  Scopes,
  body,
  query,
} from '@tocsin/nest-shell';
import { type Pipeline, withWorkspace } from '@tocsin/postgres';
import type { Pool } from 'pg';
import { listChanges } from './change-store.ts';
import { cursorOf, ListChanges, readCursor, RecordChange } from './changes.dto.ts';
import { recordChange } from './record-change.ts';
import { RCA_PIPELINE } from './tokens.ts';

@Controller('api/v1/changes')
@UseGuards(ApiKeyGuard)
export class ChangesController {
  constructor(
    @Inject(RCA_PIPELINE) private readonly pipeline: Pipeline,
    @Inject(REST_POOL) private readonly pool: Pool,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(RANDOM) private readonly random: Random,
  ) {}

  @Post()
  @Scopes('ingest', 'respond')
  record(
    @CallerOf() { workspaceId }: Caller,
    @Body(body(RecordChange)) input: RecordChange,
    @Headers('idempotency-key') idempotencyKey: string | undefined,
  ): Promise<ChangeEvent> {
    const { pipeline, clock, random } = this;
    return recordChange({ pipeline, clock, random }, workspaceId, input, idempotencyKey);
  }

  @Get()
  @Scopes('read')
  async list(@CallerOf() { workspaceId }: Caller, @Query(query(ListChanges)) { service, cursor, limit }: ListChanges) {
    const before = readCursor(cursor);
    const found = await withWorkspace(this.pool, workspaceId, (tx) =>
      listChanges(tx, { service, before, limit: limit + 1 }),
    );
    const items = found.slice(0, limit);
    const last = items.at(-1);
    return { items, next_cursor: last && found.length > limit ? cursorOf(last) : null };
  }
}
