import { Controller, Get, Inject, Query, UseGuards } from '@nestjs/common';
import { ApiKeyGuard, type Caller, CallerOf, Scopes, query } from '@tocsin/nest-shell';
import { LEDGER_QUERIES } from '../tokens.ts';
import { ReadLedger } from './ledger.dto.ts';
import type { LedgerQueries } from './ledger-queries.ts';

/** Whether everything that was accepted has an outcome. */
@Controller('api/v1/ledger')
@UseGuards(ApiKeyGuard)
export class LedgerController {
  constructor(@Inject(LEDGER_QUERIES) private readonly ledger: LedgerQueries) {}

  @Get()
  @Scopes('read')
  read(@CallerOf() caller: Caller, @Query(query(ReadLedger)) wanted: ReadLedger) {
    return this.ledger.read(caller.workspaceId, wanted);
  }
}
