import { Body, Controller, HttpCode, Inject, Param, Post, Query, UseGuards } from '@nestjs/common';
import { ApiKeyGuard, body, type Caller, CallerOf, params, query, Scopes } from '@tocsin/nest-shell';
import { IdPath } from '../fields.ts';
import { RULE_TESTS } from '../tokens.ts';
import { PutCorrelationRules, RuleTestQuery } from './correlation.dto.ts';
import type { RuleTests } from './rule-tests.ts';

/** Trying correlation rules on what came in lately, before they decide about anything. */
@Controller('api/v1/webhooks')
@UseGuards(ApiKeyGuard)
@Scopes('admin')
export class RuleTestController {
  constructor(@Inject(RULE_TESTS) private readonly tests: RuleTests) {}

  @Post(':id/correlation-rules/test')
  @HttpCode(200)
  test(
    @CallerOf() { workspaceId }: Caller,
    @Param(params(IdPath)) { id: webhookId }: IdPath,
    @Query(query(RuleTestQuery)) { hours, limit }: RuleTestQuery,
    @Body(body(PutCorrelationRules)) input: PutCorrelationRules,
  ) {
    return this.tests.run({ workspaceId, webhookId, input, hours, limit });
  }
}
