import {
  Body,
  Controller,
  Delete,
  Get,
  Headers,
  HttpCode,
  Inject,
  Param,
  Put,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common';
import { ApiKeyGuard, type Caller, CallerOf, Scopes, body, params } from '@tocsin/nest-shell';
import { IdPath, revisionOf } from '../fields.ts';
import { RevisionTag } from '../revision-tag.ts';
import { INVESTIGATORS } from '../tokens.ts';
import { PutInvestigator } from './investigator.dto.ts';
import type { Investigators } from './investigators.ts';

/** Who looks for the root cause of the workspace's incidents, where that is not Tocsin. */
@Controller('api/v1/workspaces')
@UseGuards(ApiKeyGuard)
@UseInterceptors(new RevisionTag())
@Scopes('admin')
export class WorkspaceInvestigatorController {
  constructor(@Inject(INVESTIGATORS) private readonly investigators: Investigators) {}

  @Get(':id/investigator')
  read(@CallerOf() caller: Caller, @Param(params(IdPath)) { id }: IdPath) {
    return this.investigators.get(caller.workspaceId, id);
  }

  @Put(':id/investigator')
  replace(
    @CallerOf() caller: Caller,
    @Param(params(IdPath)) { id }: IdPath,
    @Body(body(PutInvestigator)) input: PutInvestigator,
    @Headers('if-match') ifMatch: string | undefined,
  ) {
    return this.investigators.put(caller.workspaceId, id, input, revisionOf(ifMatch));
  }

  @Delete(':id/investigator')
  @HttpCode(204)
  async remove(
    @CallerOf() caller: Caller,
    @Param(params(IdPath)) { id }: IdPath,
    @Headers('if-match') ifMatch: string | undefined,
  ) {
    await this.investigators.remove(caller.workspaceId, id, revisionOf(ifMatch));
  }
}
