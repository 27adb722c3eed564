import type { Tx } from '@tocsin/postgres';
import { type DueInvestigation, dueColumns, dueOf, type DueRow } from '../investigation-store.ts';

/** An investigation that the workspace's own investigator is, or was, asked for. */
export interface AskedInvestigation extends DueInvestigation {
  status: 'requested' | 'running' | 'completed' | 'failed';
  /** Requests that were begun, this one included. */
  attempts: number;
  incidentStatus: string;
  openedAt: Date;
}

const columns = `${dueColumns}, r.status, r.attempts, i.status as "incidentStatus", i.opened_at as "openedAt"`;
type AskedRow = DueRow & Pick<AskedInvestigation, 'status' | 'attempts' | 'incidentStatus' | 'openedAt'>;
const askedOf = (row: AskedRow): AskedInvestigation => ({ ...row, ...dueOf(row) });

/** Takes requests that are due; until `leaseMs` have passed nobody else makes them. Those that gave no sign in time come with them, as `running`. */
export async function takeAsked(tx: Tx, { now, limit, leaseMs }: { now: Date; limit: number; leaseMs: number }) {
  const { rows } = await tx.query<AskedRow>(
    `with due as (
       select id from rca_trigger.investigations
        where investigator = 'http' and status in ('requested', 'running') and due_at <= $1
        order by due_at, id limit $2 for update skip locked),
     taken as (
       update rca_trigger.investigations r
          set attempts = attempts + (status = 'requested')::int, due_at = $1::timestamptz + $3::int * interval '1 millisecond'
         from due where r.id = due.id returning r.*)
     select ${columns} from taken r join rca_trigger.incidents i on i.id = r.incident_id order by r.id`,
    [now, limit, leaseMs],
  );
  return rows.map(askedOf);
}

/** Locks one, whatever its state. */
export async function lockAsked(
  tx: Tx,
  where: { workspaceId: string; incidentId: string; id: string },
): Promise<AskedInvestigation | undefined> {
  const { rows } = await tx.query<AskedRow>(
    `select ${columns} from rca_trigger.investigations r join rca_trigger.incidents i on i.id = r.incident_id
      where r.id = $1 and r.incident_id = $2 and r.workspace_id = $3 and r.investigator = 'http' for update of r`,
    [where.id, where.incidentId, where.workspaceId],
  );
  return rows[0] && askedOf(rows[0]);
}

/** What became of a request that gave no result: asked again later, or waited for. A result that has come meanwhile stands. */
export async function storeWaiting(
  tx: Tx,
  id: string,
  { status, dueAt }: { status: 'requested' | 'running'; dueAt: Date },
): Promise<void> {
  await tx.query(
    `update rca_trigger.investigations set status = $2, due_at = $3 where id = $1 and status = 'requested'`,
    [id, status, dueAt],
  );
}

/** It is at work: something must be heard again until `dueAt`. */
export async function storeProgress(
  tx: Tx,
  id: string,
  { message, now, dueAt }: { message: string | null; now: Date; dueAt: Date },
): Promise<void> {
  await tx.query(
    `update rca_trigger.investigations
        set status = 'running', due_at = $4, progress = coalesce($2, progress),
            progress_at = case when $2::text is null then progress_at else $3 end
      where id = $1`,
    [id, message, now, dueAt],
  );
}

/** Tocsin investigates it after all. */
export async function handBack(tx: Tx, id: string, now: Date): Promise<void> {
  await tx.query(
    `update rca_trigger.investigations set investigator = 'built-in', status = 'requested', due_at = $2
      where id = $1 and status in ('requested', 'running')`,
    [id, now],
  );
}

/** @returns the ids of events that were not said before */
export async function storeSaid(
  tx: Tx,
  { id, workspaceId }: AskedInvestigation,
  eventIds: readonly string[],
  now: Date,
): Promise<Set<string>> {
  if (eventIds.length === 0) return new Set();
  const { rows } = await tx.query<{ id: string }>(
    `insert into rca_trigger.investigation_events (id, workspace_id, investigation_id, at)
     select distinct event, $2, $3, $4::timestamptz from unnest($1::text[]) as event on conflict (id) do nothing returning id`,
    [eventIds, workspaceId, id, now],
  );
  return new Set(rows.map((row) => row.id));
}
