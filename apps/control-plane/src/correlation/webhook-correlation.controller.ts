import { Body, Controller, Get, Headers, Inject, Param, Put, UseGuards, UseInterceptors } from '@nestjs/common';
import { ApiKeyGuard, type Caller, CallerOf, Scopes, body, params } from '@tocsin/nest-shell';
import { IdPath, revisionOf } from '../fields.ts';
import { RevisionTag } from '../revision-tag.ts';
import { CORRELATION_RULES } from '../tokens.ts';
import { PutCorrelationRules } from './correlation.dto.ts';
import type { CorrelationRuleSets } from './correlation-rule-sets.ts';

/** Correlation rules of a webhook. */
@Controller('api/v1/webhooks')
@UseGuards(ApiKeyGuard)
@UseInterceptors(new RevisionTag())
@Scopes('admin')
export class WebhookCorrelationController {
  constructor(@Inject(CORRELATION_RULES) private readonly rules: CorrelationRuleSets) {}

  @Get(':id/correlation-rules')
  read(@CallerOf() caller: Caller, @Param(params(IdPath)) { id }: IdPath) {
    return this.rules.ofWebhook(caller.workspaceId, id);
  }

  @Put(':id/correlation-rules')
  replace(
    @CallerOf() caller: Caller,
    @Param(params(IdPath)) { id }: IdPath,
    @Body(body(PutCorrelationRules)) input: PutCorrelationRules,
    @Headers('if-match') ifMatch: string | undefined,
  ) {
    return this.rules.replaceOfWebhook(caller.workspaceId, id, input, revisionOf(ifMatch));
  }
}
