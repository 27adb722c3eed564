import type { EventTypeName, PlatformEvent } from '@tocsin/contracts';
import type { Tx } from '@tocsin/postgres';

export interface PublishedRow {
  event: PlatformEvent;
  /** Of what was given. */
  digest: string;
  keyId: string;
  now: Date;
}

/** @returns false where this id was published before */
export async function storePublished(tx: Tx, { event, digest, keyId, now }: PublishedRow): Promise<boolean> {
  const { rowCount } = await tx.query(
    `insert into outbound_dispatcher.published_events (id, workspace_id, event_type, source, occurred_at, digest, key_id, accepted_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (workspace_id, id) do nothing`,
    [event.id, event.workspaceId, event.name, event.source, event.at, digest, keyId, now],
  );
  return rowCount === 1;
}

export async function findPublished(
  tx: Tx,
  workspaceId: string,
  id: string,
): Promise<{ name: EventTypeName; source: string; at: string; digest: string } | undefined> {
  const { rows } = await tx.query<{ name: EventTypeName; source: string; at: Date; digest: string }>(
    `select event_type as name, source, occurred_at as at, digest from outbound_dispatcher.published_events
      where workspace_id = $1 and id = $2`,
    [workspaceId, id],
  );
  const [row] = rows;
  return row && { ...row, at: row.at.toISOString() };
}

export async function prunePublished(tx: Tx, before: Date): Promise<void> {
  await tx.query('delete from outbound_dispatcher.published_events where accepted_at < $1', [before]);
}
