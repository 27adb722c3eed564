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
import { ApiKeyGuard, type Caller, CallerOf, Scopes, body, params, query } from '@tocsin/nest-shell';
import { IdPath, revisionOf } from '../fields.ts';
import { PageQuery, pageOf } from '../pages.ts';
import { RevisionTag } from '../revision-tag.ts';
import { syncLinkView } from './sync-link-row.ts';
import { CreateSyncLink, UpdateSyncLink } from './sync-link.dto.ts';
import type { SyncLinks } from './sync-links.ts';
import { SYNC_LINKS } from './tokens.ts';

/** Links with Jira and ServiceNow. Their entries and `check` are the dispatcher's. */
@Controller('api/v1/sync-links')
@UseGuards(ApiKeyGuard)
@UseInterceptors(new RevisionTag())
@Scopes('admin')
export class SyncLinksController {
  constructor(@Inject(SYNC_LINKS) private readonly links: SyncLinks) {}

  @Get()
  async list(@CallerOf() caller: Caller, @Query(query(PageQuery)) page: PageQuery) {
    return pageOf(await this.links.list(caller.workspaceId, page), syncLinkView);
  }

  @Post()
  async create(
    @CallerOf() caller: Caller,
    @Body(body(CreateSyncLink)) input: CreateSyncLink,
    @Headers('idempotency-key') idempotencyKey: string | undefined,
  ) {
    return syncLinkView(await this.links.create(caller, input, idempotencyKey));
  }

  @Get(':id')
  async get(@CallerOf() caller: Caller, @Param(params(IdPath)) { id }: IdPath) {
    return syncLinkView(await this.links.get(caller.workspaceId, id));
  }

  @Patch(':id')
  async update(
    @CallerOf() caller: Caller,
    @Param(params(IdPath)) { id }: IdPath,
    @Body(body(UpdateSyncLink)) input: UpdateSyncLink,
    @Headers('if-match') ifMatch: string | undefined,
  ) {
    return syncLinkView(await this.links.update(caller.workspaceId, id, input, revisionOf(ifMatch)));
  }

  @Delete(':id')
  @HttpCode(204)
  async remove(
    @CallerOf() caller: Caller,
    @Param(params(IdPath)) { id }: IdPath,
    @Headers('if-match') ifMatch: string | undefined,
  ) {
    await this.links.remove(caller.workspaceId, id, revisionOf(ifMatch));
  }
}
