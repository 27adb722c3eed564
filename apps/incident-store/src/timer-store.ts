import type { AlertActivity } from '@tocsin/domain/incident';
import { together, type Tx } from '@tocsin/postgres';
import type { Pool } from 'pg';
import type { AppendedStream } from './incident-log.ts';

/** `snooze`: the end of one. `alerts`: the earliest deadline of the incident's open alerts. */
export type TimerKind = 'snooze' | 'alerts';

export interface Timer {
  incidentId: string;
  kind: TimerKind;
  /** Of the event that set it; 0 for alerts, whose deadlines are read again. */
  version: number;
}

/** Long enough for one command, short enough that another replica takes over soon after a crash. */
const LEASE_SECONDS = 15;

/** Sets and clears timers with the events that they belong to, in the transaction that appends. */
export async function moveTimers(tx: Tx, streams: readonly AppendedStream[]): Promise<void> {
  const set = streams.flatMap(({ after }) =>
    after.status === 'snoozed'
      ? [
          {
            ...{ incident_id: after.id, workspace_id: after.workspaceId },
            ...{ version: after.snoozedByVersion, due_at: after.snoozedUntil },
          },
        ]
      : [],
  );
  const awake = streams
    .filter(({ before, after }) => before.status === 'snoozed' && after.status !== 'snoozed')
    .map(({ after }) => after.id);
  const closed = streams.filter(({ after }) => after.status === 'resolved').map(({ after }) => after.id);
  await together(setSnoozes(tx, set), clearTimers(tx, awake, closed));
}

interface Snooze {
  incident_id: string;
  workspace_id: string;
  version: number;
  due_at: string;
}

async function setSnoozes(tx: Tx, set: readonly Snooze[]): Promise<void> {
  if (set.length === 0) return;
  await tx.query(
    `insert into incident_store.timers as t (incident_id, kind, workspace_id, version, due_at)
     select incident_id, 'snooze', workspace_id, version, due_at
       from json_to_recordset($1::json) as r (incident_id text, workspace_id text, version bigint, due_at timestamptz)
     on conflict (incident_id, kind) do update set version = excluded.version, due_at = excluded.due_at, leased_until = null
     where t.version < excluded.version`,
    [JSON.stringify(set)],
  );
}

async function clearTimers(tx: Tx, awake: readonly string[], closed: readonly string[]): Promise<void> {
  if (awake.length + closed.length === 0) return;
  await tx.query(
    `delete from incident_store.timers
      where (incident_id = any($1) and kind = 'snooze') or (incident_id = any($2) and kind = 'alerts')`,
    [awake, closed],
  );
}

/** Deadlines that a batch has set. One that is later than the timer leaves it: it fires, finds nothing, and is set anew. */
export async function armAlertTimers(tx: Tx, activity: readonly AlertActivity[]): Promise<void> {
  const due = new Map<string, { incident_id: string; workspace_id: string; due_at: string }>();
  for (const { incidentId: incident_id, workspaceId: workspace_id, deadline } of activity) {
    const known = due.get(incident_id);
    if (deadline && (!known || deadline.at < known.due_at))
      due.set(incident_id, { incident_id, workspace_id, due_at: deadline.at });
  }
  if (due.size === 0) return;
  await tx.query(
    `insert into incident_store.timers as t (incident_id, kind, workspace_id, version, due_at)
     select incident_id, 'alerts', workspace_id, 0, due_at
       from json_to_recordset($1::json) as r (incident_id text, workspace_id text, due_at timestamptz) order by incident_id collate "C"
     on conflict (incident_id, kind) do update set due_at = excluded.due_at where t.due_at > excluded.due_at`,
    [JSON.stringify([...due.values()])],
  );
}

/** Sets the timers of these incidents to what their open alerts say now; none where no alert has a deadline. Their streams are locked. */
export async function rearmAlertTimers(tx: Tx, incidentIds: readonly string[]): Promise<void> {
  await tx.query(
    `with next as materialized (
       select a.incident_id, min(a.workspace_id) as workspace_id, min(s.ends_at) as due_at
         from incident_store.incident_alerts a join incident_store.alert_activity s on s.alert_id = a.alert_id
        where a.incident_id = any($1) and a.status = 'open' and s.ends_at is not null group by a.incident_id
     ), gone as (
       delete from incident_store.timers t where t.incident_id = any($1) and t.kind = 'alerts'
          and not exists (select from next where next.incident_id = t.incident_id)
     )
     insert into incident_store.timers (incident_id, kind, workspace_id, version, due_at)
     select incident_id, 'alerts', workspace_id, 0, due_at from next order by incident_id collate "C"
     on conflict (incident_id, kind) do update set due_at = excluded.due_at, leased_until = null`,
    [incidentIds],
  );
}

/** Whether an alert would be over by now. */
export async function alertsAreDue(pool: Pool, now: Date): Promise<boolean> {
  const { rowCount } = await pool.query(
    `select from incident_store.timers where kind = 'alerts' and due_at <= $1 limit 1`,
    [now],
  );
  return rowCount !== 0;
}

/**
 * Takes due timers for a while, in a transaction of its own: who runs them locks in the order of every writer. Those of alerts only
 * as far as all news was heard; null = none of them.
 */
export async function leaseDue(
  pool: Pool,
  { now, heard }: { now: Date; heard: Date | null },
  most: number,
): Promise<Timer[]> {
  const { rows } = await pool.query<{ incident_id: string; kind: TimerKind; version: string }>(
    `with due as (
       select incident_id, kind from incident_store.timers
        where due_at <= $1 and (kind <> 'alerts' or due_at <= $3) and (leased_until is null or leased_until <= $1) order by due_at limit $2 for update skip locked)
     update incident_store.timers t set leased_until = $1::timestamptz + interval '${LEASE_SECONDS} seconds'
       from due where t.incident_id = due.incident_id and t.kind = due.kind
     returning t.incident_id, t.kind, t.version`,
    [now, most, heard],
  );
  return rows.map(({ incident_id: incidentId, kind, version }) => ({ incidentId, kind, version: Number(version) }));
}

/** A timer that belongs to nothing any more; one that was set anew meanwhile stays. */
export async function dropTimer(tx: Tx, { incidentId, kind, version }: Timer): Promise<void> {
  await tx.query(`delete from incident_store.timers where incident_id = $1 and kind = $2 and version = $3`, [
    incidentId,
    kind,
    version,
  ]);
}
