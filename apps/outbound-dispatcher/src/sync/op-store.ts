import type { SyncLinkDocument } from '@tocsin/contracts';
import type { PlannedOp, SyncOp } from '@tocsin/domain/sync';
import type { Tx } from '@tocsin/postgres';
import type { Pool } from 'pg';

/** What an event means for one link. */
export interface PlannedFor {
  link: SyncLinkDocument;
  incidentId: string;
  op: PlannedOp;
}

/** An op that is the next of its incident, with what is known of the issue. */
export interface DueOp {
  seq: string;
  incidentId: string;
  eventId: string;
  op: SyncOp;
  at: string;
  attempts: number;
  /** An attempt began earlier, and how it ended is not known. */
  begun: boolean;
  entry: SyncEntry;
}

export interface SyncEntry {
  incidentId: string;
  externalId: string | null;
  externalKey: string | null;
  externalUrl: string | null;
  remoteVersion: string | null;
  agreed: Record<string, string>;
  /** See `KnownValue.takenAt`, by name. */
  taken: Record<string, string>;
  writing: Record<string, string>;
  creatingSince: Date | null;
  createdAt: Date;
}

/** `done`; `met`: it was so already; `theirs`: overruled by a later change there; `failed`: given up; `dropped`: nobody wants it any more. */
export type OpOutcome = 'done' | 'met' | 'theirs' | 'failed' | 'dropped';

/** Plans ops: a creation makes the entry; anything else is for incidents that have one. An event that comes again plans nothing. */
export async function planOps(tx: Tx, planned: readonly PlannedFor[], now: Date): Promise<void> {
  if (planned.length === 0) return;
  const rows = planned.map(({ link, incidentId, op: { eventId, at, op } }, index) => ({
    ...{ place: index, link_id: link.id, incident_id: incidentId, workspace_id: link.workspaceId },
    ...{ event_id: eventId, kind: op.kind, op, at, begins: op.kind === 'create' },
  }));
  await tx.query(
    `with given as materialized (
       select * from json_to_recordset($1::json) as g (place int, link_id text, incident_id text, workspace_id text, event_id text, kind text, op jsonb,
         at timestamptz, begins boolean)
     ), begun as (
       insert into outbound_dispatcher.sync_entries (link_id, incident_id, workspace_id, created_at)
       select link_id, incident_id, workspace_id, $2 from given where begins on conflict do nothing returning link_id, incident_id
     ), known as (
       select link_id, incident_id from begun
       union select e.link_id, e.incident_id from outbound_dispatcher.sync_entries e join given g using (link_id, incident_id)
     )
     insert into outbound_dispatcher.sync_ops (link_id, incident_id, workspace_id, event_id, kind, op, at, due_at)
     select g.link_id, g.incident_id, g.workspace_id, g.event_id, g.kind, g.op, g.at, $2 from given g join known using (link_id, incident_id)
      order by g.place on conflict (link_id, event_id, kind) do nothing`,
    [JSON.stringify(rows), now],
  );
}

interface OpRow extends EntryRow {
  seq: string;
  event_id: string;
  op: SyncOp;
  at: Date;
  attempts: number;
  started_at: Date | null;
}
export interface EntryRow {
  incident_id: string;
  external_id: string | null;
  external_key: string | null;
  external_url: string | null;
  remote_version: string | null;
  agreed: Record<string, string>;
  taken: Record<string, string>;
  writing: Record<string, string>;
  creating_since: Date | null;
  created_at: Date;
}

export const entryOf = (row: EntryRow): SyncEntry => ({
  ...{ incidentId: row.incident_id, externalId: row.external_id, externalKey: row.external_key },
  ...{ externalUrl: row.external_url, remoteVersion: row.remote_version, agreed: row.agreed, writing: row.writing },
  ...{ taken: row.taken, creatingSince: row.creating_since, createdAt: row.created_at },
});

/** The next op of each incident of a link that is due. Only the process that holds the link asks. */
export async function dueOps(pool: Pool, linkId: string, now: Date, limit: number): Promise<DueOp[]> {
  const { rows } = await pool.query<OpRow>(
    `select o.seq, o.event_id, o.op, o.at, o.attempts, o.started_at, e.* from (
       select distinct on (incident_id) * from outbound_dispatcher.sync_ops
        where link_id = $1 and finished_at is null order by incident_id, seq) o
     join outbound_dispatcher.sync_entries e on e.link_id = $1 and e.incident_id = o.incident_id
      where o.due_at <= $2 order by o.seq limit $3`,
    [linkId, now, limit],
  );
  return rows.map((row) => ({
    ...{ seq: row.seq, incidentId: row.incident_id, eventId: row.event_id, op: row.op, at: row.at.toISOString() },
    ...{ attempts: row.attempts, begun: row.started_at !== null, entry: entryOf(row) },
  }));
}

/** Notes that an attempt begins, and what it is about to write: the other half of the echo guard, should this process end in between. */
export async function beginOp(
  pool: Pool,
  { link, seq, incidentId }: { link: string; seq: string; incidentId: string },
  now: Date,
  intent: { creating?: boolean; writing?: Record<string, string> },
): Promise<void> {
  await pool.query(
    `with begun as (update outbound_dispatcher.sync_ops set started_at = coalesce(started_at, $4) where seq = $1)
     update outbound_dispatcher.sync_entries
        set writing = $5, creating_since = case when $6 then coalesce(creating_since, $4) else creating_since end
      where link_id = $2 and incident_id = $3`,
    [seq, link, incidentId, now, intent.writing ?? {}, intent.creating === true],
  );
}

/** Puts an op off. Where the other side is the trouble, the attempt does not count. */
export async function postponeOp(
  pool: Pool,
  { link, seq, incidentId }: { link: string; seq: string; incidentId: string },
  failure: { error: string; dueAt: Date; counts: boolean; now: Date },
): Promise<void> {
  await pool.query(
    `with put_off as (
       update outbound_dispatcher.sync_ops set attempts = attempts + $4::int, due_at = $5, error = $6 where seq = $1)
     update outbound_dispatcher.sync_entries set last_error = $6, last_error_at = $7 where link_id = $2 and incident_id = $3`,
    [seq, link, incidentId, failure.counts ? 1 : 0, failure.dueAt, failure.error, failure.now],
  );
}

/** Ends an op; what it held is forgotten, its outcome stays for the log. */
export async function finishOp(
  tx: Tx,
  seq: string,
  { outcome, error, now }: { outcome: OpOutcome; error: string | null; now: Date },
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `update outbound_dispatcher.sync_ops set outcome = $2, error = $3, finished_at = $4, op = '{}' where seq = $1 and finished_at is null`,
    [seq, outcome, error, now],
  );
  return rowCount === 1;
}

/** Removes ops that ended long ago, a bounded number at a time: their events are not heard again. */
export async function pruneOps(pool: Pool, before: Date): Promise<void> {
  await pool.query(
    `delete from outbound_dispatcher.sync_ops where seq in (
       select seq from outbound_dispatcher.sync_ops where finished_at < $1 order by finished_at limit 1000)`,
    [before],
  );
}
