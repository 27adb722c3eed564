import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query, UseGuards } from '@nestjs/common';
import {
  ApiKeyGuard,
  body,
  type Caller,
  CallerOf,
  CLOCK,
  type Clock,
  params,
  Problem,
  query,
  REST_POOL,
  Scopes,
} from '@tocsin/nest-shell';
import { withWorkspace } from '@tocsin/postgres';
import type { Pool } from 'pg';
import {
  ListNotifications,
  notificationCursor,
  NotificationPath,
  readNotificationCursor,
  ReadNotifications,
} from './notification.dto.ts';
import { countUnread, hasNotification, listNotifications, markRead } from './notification-store.ts';

/** The bell of the console. */
@Controller('api/v1/notifications')
@UseGuards(ApiKeyGuard)
export class NotificationsController {
  constructor(
    @Inject(REST_POOL) private readonly pool: Pool,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Get()
  @Scopes('read')
  async list(
    @CallerOf() { workspaceId }: Caller,
    @Query(query(ListNotifications)) { unread, limit, cursor }: ListNotifications,
  ) {
    const before = readNotificationCursor(cursor);
    const now = this.clock();
    return withWorkspace(this.pool, workspaceId, async (tx) => {
      const found = await listNotifications(tx, { unread, before, limit: limit + 1, now });
      const items = found.slice(0, limit);
      const last = items.at(-1);
      const next = last && found.length > limit ? notificationCursor(last) : null;
      return { items, next_cursor: next, unread: await countUnread(tx, now) };
    });
  }

  @Post('read')
  @HttpCode(200)
  @Scopes('read')
  async readAll(
    @CallerOf() { workspaceId }: Caller,
    @Body(body(ReadNotifications)) { ids, up_to: upTo }: ReadNotifications,
  ) {
    const now = this.clock();
    const what = ids ? { ids } : { upTo: upTo === undefined ? now : new Date(upTo) };
    return withWorkspace(this.pool, workspaceId, async (tx) => ({
      read: await markRead(tx, what, now),
      unread: await countUnread(tx, now),
    }));
  }

  @Post(':id/read')
  @HttpCode(200)
  @Scopes('read')
  async read(@CallerOf() { workspaceId }: Caller, @Param(params(NotificationPath)) { id }: NotificationPath) {
    const now = this.clock();
    return withWorkspace(this.pool, workspaceId, async (tx) => {
      if (!(await hasNotification(tx, id))) throw new Problem('not-found', 'There is no such notification.');
      return { read: await markRead(tx, { ids: [id] }, now), unread: await countUnread(tx, now) };
    });
  }
}
