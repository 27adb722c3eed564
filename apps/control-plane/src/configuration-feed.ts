import type { ConfigurationDocument } from '@tocsin/contracts';
import type { EntityManager } from 'typeorm';

/** One change: what `configuration_documents` gets beside its revision. */
export type Change = Pick<ConfigurationDocument, 'kind' | 'id' | 'workspaceId' | 'deleted' | 'body'>;

export const FEED_CHANNEL = 'tocsin_configuration';

/**
 * Revisions that a restored database leaves out. Followers and stored receipts may name revisions that were lost with
 * the newer data; a revision is never given out twice with another meaning.
 */
export const RESTORE_GAP = 1_000_000;

/**
 * Takes the next revision for a change that the caller writes in this transaction. The head row stays locked until it
 * commits or rolls back: revisions become visible in order, and a roll-back gives its revision to the next writer.
 * Call it last, since every other change waits behind it.
 */
export async function nextRevision(manager: EntityManager): Promise<number> {
  const [rows] = await manager.query<[{ revision: string }[], number]>(
    'update control_plane.feed_head set revision = revision + 1 returning revision',
  );
  if (!rows[0]) throw new Error('control_plane.feed_head has no row');
  return Number(rows[0].revision);
}

/** Writes one change to the history under its revision and wakes the followers when it commits. */
export async function publishChange(manager: EntityManager, revision: number, change: Change, at: Date): Promise<void> {
  await manager.query(
    `insert into control_plane.configuration_documents (revision, kind, id, workspace_id, deleted, body, at)
     values ($1, $2, $3, $4, $5, $6::jsonb, $7)`,
    [revision, change.kind, change.id, change.workspaceId, change.deleted, JSON.stringify(change.body), at],
  );
  await manager.query('select pg_notify($1, $2)', [FEED_CHANNEL, String(revision)]);
}

/**
 * Names the database: cluster, timeline (a point-in-time recovery and a promoted standby begin a new one), database
 * and table (a dump that is loaded elsewhere, or over a dropped database, has new ids).
 */
const MARKER = `
  select concat_ws('/',
    (select system_identifier from pg_control_system()),
    (select timeline_id from pg_control_checkpoint()),
    (select oid from pg_database where datname = current_database()),
    'control_plane.feed_head'::regclass::oid) as marker`;

/**
 * Gives the feed its id, and a new one when this database is not the one that the id was made for, i.e. after a restore:
 * followers then load everything again instead of waiting for revisions that will not come. Run at each boot of the
 * control-plane. A volume snapshot that is put back under the same server cannot be told apart from a crash;
 * after one, run `update control_plane.feed_head set marker = ''` and restart the control-plane.
 */
export async function claimFeed(
  manager: EntityManager,
  newFeedId: () => string,
): Promise<{ feedId: string; renewed: boolean }> {
  const [head] = await manager.query<{ feed_id: string; marker: string }[]>(
    'select feed_id, marker from control_plane.feed_head for update',
  );
  const [here] = await manager.query<{ marker: string }[]>(MARKER);
  if (!head || !here) throw new Error('control_plane.feed_head has no row');
  if (head.feed_id !== '' && head.marker === here.marker) return { feedId: head.feed_id, renewed: false };
  const feedId = newFeedId();
  await manager.query('update control_plane.feed_head set feed_id = $1, marker = $2, revision = revision + $3', [
    feedId,
    here.marker,
    head.feed_id === '' ? 0 : RESTORE_GAP,
  ]);
  return { feedId, renewed: head.feed_id !== '' };
}
