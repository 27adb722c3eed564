import type { Pipeline } from '@tocsin/postgres';
import { withWorkspace } from '@tocsin/postgres';
import type { Pool } from 'pg';

/** A place in a feed: rows come in the order of their transactions, then of their numbers. */
export interface FeedPlace {
  xid: string;
  seq: string;
}

/** One event as a reader fetches it. */
export interface FeedItem {
  /** Acknowledge with it, or go on behind it. */
  cursor: string;
  /** Of the event: the same as `webhook-id` of a pushed one. */
  id: string;
  type: string;
  delivery_id: string;
  incident_id: string | null;
  sequence: number | null;
  created_at: string;
  test: boolean;
  /** What would be pushed, as JSON. */
  payload: unknown;
}

interface FeedRow {
  xid: string;
  seq: string;
  id: string;
  event_id: string;
  event_type: string;
  incident_id: string | null;
  sequence: string | null;
  created_at: Date;
  test: boolean;
  body: string;
}

export const feedCursorOf = ({ xid, seq }: FeedPlace): string => Buffer.from(`f${xid}.${seq}`).toString('base64url');

export function readFeedCursor(cursor: string): FeedPlace | undefined {
  const [, xid, seq] = /^f(\d{1,20})\.(\d{1,18})$/.exec(Buffer.from(cursor, 'base64url').toString('utf8')) ?? [];
  return xid && seq ? { xid, seq } : undefined;
}

/**
 * Events behind a place, oldest first. Only transactions are shown before which none is open any more: one that began earlier and commits
 * later would otherwise slip in behind the reader.
 */
export async function readFeed(
  restPool: Pool,
  feed: { workspaceId: string; subscriptionId: string; after: FeedPlace | undefined; limit: number },
): Promise<FeedItem[]> {
  const { workspaceId, subscriptionId, after, limit } = feed;
  const { rows } = await withWorkspace(restPool, workspaceId, (tx) =>
    tx.query<FeedRow>(
      `select feed_xid as xid, seq, id, event_id, event_type, incident_id, sequence, created_at, test, body
         from outbound_dispatcher.deliveries
        where workspace_id = $1 and subscription_id = $2 and feed_xid is not null and status <> 'skipped-paused' and erased_at is null
          and (feed_xid, seq) > ($3::text::xid8, $4::bigint) and feed_xid < pg_snapshot_xmin(pg_current_snapshot())
        order by feed_xid, seq limit $5`,
      [workspaceId, subscriptionId, after?.xid ?? '0', after?.seq ?? '0', limit],
    ),
  );
  return rows.map((row) => ({
    cursor: feedCursorOf(row),
    ...{ id: row.event_id, type: row.event_type, delivery_id: row.id, incident_id: row.incident_id },
    sequence: row.sequence === null ? null : Number(row.sequence),
    created_at: row.created_at.toISOString(),
    test: row.test,
    payload: JSON.parse(row.body) as unknown,
  }));
}

/** Up to where a reader has acknowledged. */
export async function acknowledgedPlace(
  restPool: Pool,
  workspaceId: string,
  subscriptionId: string,
): Promise<FeedPlace | undefined> {
  const { rows } = await withWorkspace(restPool, workspaceId, (tx) =>
    tx.query<FeedPlace>(
      'select xid, seq from outbound_dispatcher.feed_cursors where workspace_id = $1 and subscription_id = $2',
      [workspaceId, subscriptionId],
    ),
  );
  return rows[0];
}

/** Acknowledges everything up to a place; an older place than the last changes nothing. @returns what is acknowledged now */
export async function acknowledge(
  pipeline: Pick<Pipeline, 'commitCommand'>,
  asked: { workspaceId: string; subscriptionId: string; place: FeedPlace; now: Date },
): Promise<{ place: FeedPlace; acknowledged: number }> {
  const { workspaceId, subscriptionId, place, now } = asked;
  return pipeline.commitCommand(async (tx) => {
    const { rows } = await tx.query<FeedPlace>(
      `insert into outbound_dispatcher.feed_cursors as c (subscription_id, workspace_id, xid, seq, at)
       values ($1, $2, $3::text::xid8, $4, $5)
       on conflict (subscription_id) do update
         set xid = case when (excluded.xid, excluded.seq) > (c.xid, c.seq) then excluded.xid else c.xid end,
             seq = case when (excluded.xid, excluded.seq) > (c.xid, c.seq) then excluded.seq else c.seq end, at = excluded.at
       returning xid, seq`,
      [subscriptionId, workspaceId, place.xid, place.seq, now],
    );
    const { rowCount } = await tx.query(
      `update outbound_dispatcher.deliveries set status = 'delivered', reason = 'delivered', finished_at = $5
        where workspace_id = $2 and subscription_id = $1 and feed_xid is not null and finished_at is null
          and (feed_xid, seq) <= ($3::text::xid8, $4::bigint)`,
      [subscriptionId, workspaceId, place.xid, place.seq, now],
    );
    return { result: { place: rows[0] ?? place, acknowledged: rowCount ?? 0 }, outputs: [] };
  });
}
