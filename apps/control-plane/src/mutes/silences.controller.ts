import {
  Body,
  Controller,
  Delete,
  Get,
  Headers,
  HttpCode,
  Inject,
  Param,
  Patch,
  Post,
  Query,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common';
import { ApiKeyGuard, type Caller, CallerOf, CLOCK, type Clock, Scopes, body, params, query } from '@tocsin/nest-shell';
import { IdPath, revisionOf } from '../fields.ts';
import { pageOf } from '../pages.ts';
import { RevisionTag } from '../revision-tag.ts';
import { SILENCES } from '../tokens.ts';
import { CreateSilence, ListMutes, PreviewMute, UpdateMute } from './mute.dto.ts';
import type { SilenceRow } from './mute-rows.ts';
import { muteView } from './mute-views.ts';
import type { Mutes } from './mutes.ts';

/** Silences: whoever is on call quiets what is known. */
@Controller('api/v1/silences')
@UseGuards(ApiKeyGuard)
@UseInterceptors(new RevisionTag())
@Scopes('respond')
export class SilencesController {
  constructor(
    @Inject(SILENCES) private readonly mutes: Mutes<SilenceRow>,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Get()
  @Scopes('read')
  async list(@CallerOf() caller: Caller, @Query(query(ListMutes)) filter: ListMutes) {
    const now = this.clock();
    return pageOf(await this.mutes.list(caller.workspaceId, filter), (row) => muteView(row, now));
  }

  @Post()
  async create(
    @CallerOf() caller: Caller,
    @Body(body(CreateSilence)) input: CreateSilence,
    @Headers('idempotency-key') idempotencyKey: string | undefined,
  ) {
    return muteView(await this.mutes.create(caller, input, idempotencyKey), this.clock());
  }

  @Post('preview')
  @HttpCode(200)
  @Scopes('read')
  preview(@CallerOf() caller: Caller, @Body(body(PreviewMute)) input: PreviewMute) {
    return this.mutes.preview(caller.workspaceId, input);
  }

  @Get(':id')
  @Scopes('read')
  async get(@CallerOf() caller: Caller, @Param(params(IdPath)) { id }: IdPath) {
    return muteView(await this.mutes.get(caller.workspaceId, id), this.clock());
  }

  @Patch(':id')
  async update(
    @CallerOf() caller: Caller,
    @Param(params(IdPath)) { id }: IdPath,
    @Body(body(UpdateMute)) input: UpdateMute,
    @Headers('if-match') ifMatch: string | undefined,
  ) {
    return muteView(await this.mutes.update(caller.workspaceId, id, input, revisionOf(ifMatch)), this.clock());
  }

  @Post(':id/expire')
  @HttpCode(200)
  async expire(
    @CallerOf() caller: Caller,
    @Param(params(IdPath)) { id }: IdPath,
    @Headers('if-match') ifMatch: string | undefined,
  ) {
    return muteView(await this.mutes.expire(caller.workspaceId, id, revisionOf(ifMatch)), this.clock());
  }

  @Delete(':id')
  @HttpCode(204)
  async remove(
    @CallerOf() caller: Caller,
    @Param(params(IdPath)) { id }: IdPath,
    @Headers('if-match') ifMatch: string | undefined,
  ) {
    await this.mutes.remove(caller.workspaceId, id, revisionOf(ifMatch));
  }
}
