import type { Tx } from '@tocsin/postgres';
import type { Notification, NotificationKind } from './notification.ts';

export interface NotificationView {
  id: string;
  kind: NotificationKind;
  title: string;
  text: string;
  subject_id: string | null;
  url: string | null;
  count: number;
  at: string;
  read_at: string | null;
}

/** Stores what is new; what is the same notification counts on it, and is news again. */
export async function storeNotifications(tx: Tx, made: readonly Notification[], mail: boolean): Promise<void> {
  if (made.length === 0) return;
  const rows = new Map<string, Notification & { count: number }>();
  for (const one of made) {
    const key = `${one.workspaceId} ${one.id}`;
    rows.set(key, { ...one, count: (rows.get(key)?.count ?? 0) + 1 });
  }
  await tx.query(
    `insert into outbound_dispatcher.notifications as n (workspace_id, id, kind, title, text, subject_id, url, count, at, mail_due, mail_after)
     select "workspaceId", id, kind, title, text, "subjectId", url, count, at, $2, case when held then at else '-infinity' end
       from jsonb_to_recordset($1::jsonb) as given("workspaceId" text, id text, kind text, title text, text text, "subjectId" text, url text,
            count integer, at timestamptz, held boolean)
      order by "workspaceId" collate "C", id collate "C"
     on conflict (workspace_id, id) do update
        set count = n.count + excluded.count, at = greatest(n.at, excluded.at), text = excluded.text, read_at = null`,
    [JSON.stringify([...rows.values()]), mail],
  );
}

interface Row extends Omit<NotificationView, 'at' | 'read_at'> {
  at: Date;
  read_at: Date | null;
}

export interface NotificationFilter {
  unread: boolean;
  before?: { at: string; id: string } | undefined;
  limit: number;
  /** What rings later is not there yet. */
  now: Date;
}

/** Newest first, of the workspace that the transaction is bound to. */
export async function listNotifications(
  tx: Tx,
  { unread, before, limit, now }: NotificationFilter,
): Promise<NotificationView[]> {
  const { rows } = await tx.query<Row>(
    `select id, kind, title, text, subject_id, url, count, at, read_at from outbound_dispatcher.notifications
      where at <= $5 and (not $1 or read_at is null) and ($2::timestamptz is null or (at, id) < ($2, $3)) order by at desc, id desc limit $4`,
    [unread, before?.at ?? null, before?.id ?? null, limit, now],
  );
  return rows.map((row) => ({ ...row, at: row.at.toISOString(), read_at: row.read_at?.toISOString() ?? null }));
}

/** How many are unread; more than 1,000 are not counted further. */
export async function countUnread(tx: Tx, now: Date): Promise<number> {
  const { rows } = await tx.query<{ count: number }>(
    `select count(*)::integer as count from (select from outbound_dispatcher.notifications where read_at is null and at <= $1 limit 1000) unread`,
    [now],
  );
  return rows[0]?.count ?? 0;
}

/** Marks these, or without ids all up to an instant, as read. @returns how many were unread */
export async function markRead(tx: Tx, what: { ids: readonly string[] } | { upTo: Date }, now: Date): Promise<number> {
  const [column, value] = 'ids' in what ? ['id = any($2)', what.ids] : ['at <= $2', what.upTo];
  const { rowCount } = await tx.query(
    `update outbound_dispatcher.notifications set read_at = $1 where read_at is null and ${column}`,
    [now, value],
  );
  return rowCount ?? 0;
}

export async function hasNotification(tx: Tx, id: string): Promise<boolean> {
  const { rowCount } = await tx.query('select from outbound_dispatcher.notifications where id = $1', [id]);
  return rowCount === 1;
}

export async function pruneNotifications(tx: Pick<Tx, 'query'>, before: Date): Promise<void> {
  await tx.query('delete from outbound_dispatcher.notifications where at < $1', [before]);
}
