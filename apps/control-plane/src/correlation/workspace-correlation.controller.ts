import { Body, Controller, Get, Headers, Inject, Param, Put, UseGuards, UseInterceptors } from '@nestjs/common';
import { ApiKeyGuard, type Caller, CallerOf, Scopes, body, params } from '@tocsin/nest-shell';
import { IdPath, revisionOf } from '../fields.ts';
import { RevisionTag } from '../revision-tag.ts';
import { CORRELATION_RULES } from '../tokens.ts';
import { PutCorrelationRules } from './correlation.dto.ts';
import type { CorrelationRuleSets } from './correlation-rule-sets.ts';

/** Correlation rules for all webhooks of a workspace, asked behind each webhook's own. */
@Controller('api/v1/workspaces')
@UseGuards(ApiKeyGuard)
@UseInterceptors(new RevisionTag())
@Scopes('admin')
export class WorkspaceCorrelationController {
  constructor(@Inject(CORRELATION_RULES) private readonly rules: CorrelationRuleSets) {}

  @Get(':id/correlation-rules')
  read(@CallerOf() caller: Caller, @Param(params(IdPath)) { id }: IdPath) {
    return this.rules.ofWorkspace(caller.workspaceId, id);
  }

  @Put(':id/correlation-rules')
  replace(
    @CallerOf() caller: Caller,
    @Param(params(IdPath)) { id }: IdPath,
    @Body(body(PutCorrelationRules)) input: PutCorrelationRules,
    @Headers('if-match') ifMatch: string | undefined,
  ) {
    return this.rules.replaceOfWorkspace(caller.workspaceId, id, input, revisionOf(ifMatch));
  }
}
