import { Controller, Get, Inject, Param, UseGuards } from '@nestjs/common';
import { ApiKeyGuard, CallerOf, Scopes, type Caller } from '@tocsin/nest-shell';
import type { ReceiptQueries } from './receipt-queries.ts';
import { RECEIPT_QUERIES } from './tokens.ts';

/** What became of one request, stage by stage. */
@Controller('api/v1/receipts')
@UseGuards(ApiKeyGuard)
export class ReceiptsController {
  constructor(@Inject(RECEIPT_QUERIES) private readonly queries: ReceiptQueries) {}

  @Get(':id')
  @Scopes('read')
  read(@CallerOf() caller: Caller, @Param('id') id: string) {
    return this.queries.read(caller.workspaceId, id);
  }
}
