import { Controller, Get, HttpCode, Inject, Param, Post, Query, UseGuards } from '@nestjs/common';
import type { SyncLinkDocument } from '@tocsin/contracts';
import {
  ApiKeyGuard,
  type Caller,
  CallerOf,
  CONFIGURATION_FEED,
  type ConfigurationFeed,
  params,
  Problem,
  query,
  REST_POOL,
  Scopes,
} from '@tocsin/nest-shell';
import type { Pool } from 'pg';
import { checkLink } from './check-link.ts';
import { listEntries } from './entry-list.ts';
import { EntriesQuery, SyncLinkPath } from './sync-link.dto.ts';
import { SYNC, type Sync } from './sync.ts';

/** What became of the incidents of a link, and whether the link can work. */
@Controller('api/v1/sync-links/:id')
@UseGuards(ApiKeyGuard)
export class SyncLinkEntriesController {
  constructor(
    @Inject(REST_POOL) private readonly pool: Pool,
    @Inject(CONFIGURATION_FEED) private readonly feed: ConfigurationFeed,
    @Inject(SYNC) private readonly sync: Sync,
  ) {}

  @Get('entries')
  @Scopes('read')
  async entries(
    @CallerOf() { workspaceId }: Caller,
    @Param(params(SyncLinkPath)) { id }: SyncLinkPath,
    @Query(query(EntriesQuery)) asked: EntriesQuery,
  ) {
    await this.linkOf(workspaceId, id);
    return listEntries(this.pool, { ...asked, workspaceId, linkId: id });
  }

  @Post('check')
  @HttpCode(200)
  @Scopes('admin')
  async check(@CallerOf() { workspaceId }: Caller, @Param(params(SyncLinkPath)) { id }: SyncLinkPath) {
    return checkLink(await this.linkOf(workspaceId, id), this.sync.systemOf);
  }

  /** A new one may not have reached this process yet. */
  private async linkOf(workspaceId: string, id: string): Promise<SyncLinkDocument> {
    const find = () => this.feed.syncLinks(workspaceId).find((link) => link.id === id);
    const known = find() ?? (await this.feed.refresh().then(find));
    if (known) return known;
    throw new Problem('not-found', 'There is no such sync link.');
  }
}
