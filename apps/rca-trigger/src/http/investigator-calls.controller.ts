import { Body, Controller, HttpCode, Inject, Param, Post, UseGuards } from '@nestjs/common';
import { ApiKeyGuard, body, type Caller, CallerOf, params, Scopes } from '@tocsin/nest-shell';
import { INVESTIGATOR_CALLS } from '../tokens.ts';
import type { InvestigatorCalls } from './investigator-calls.ts';
import { InvestigationPath, InvestigationProgress, InvestigationResult } from './investigator.dto.ts';

/** What the workspace's own investigator tells of its work. */
@Controller('api/v1/incidents/:id/rca/:rca')
@UseGuards(ApiKeyGuard)
@Scopes('respond')
export class InvestigatorCallsController {
  constructor(@Inject(INVESTIGATOR_CALLS) private readonly calls: InvestigatorCalls) {}

  @Post('progress')
  @HttpCode(200)
  progress(
    @CallerOf() caller: Caller,
    @Param(params(InvestigationPath)) path: InvestigationPath,
    @Body(body(InvestigationProgress)) input: InvestigationProgress,
  ) {
    return this.calls.progress(caller, path, input);
  }

  @Post('result')
  @HttpCode(200)
  result(
    @CallerOf() caller: Caller,
    @Param(params(InvestigationPath)) path: InvestigationPath,
    @Body(body(InvestigationResult)) input: InvestigationResult,
  ) {
    return this.calls.result(caller, path, input);
  }
}
