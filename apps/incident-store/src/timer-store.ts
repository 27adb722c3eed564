import type { Pool } from 'pg';
import type { Tx } from '@tocsin/postgres';
import type { AppendedStream } from './incident-log.ts';

export interface Timer {
  incidentId: string;
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
  const cleared = streams
    .filter(({ before, after }) => before.status === 'snoozed' && after.status !== 'snoozed')
    .map(({ after }) => after.id);
  if (set.length > 0)
    await tx.query(
      `insert into incident_store.timers as t (incident_id, kind, workspace_id, version, due_at)
       select incident_id, 'snooze', workspace_id, version, due_at
         from json_to_recordset($1::json) as r (incident_id text, workspace_id text, version bigint, due_at timestamptz)
       on conflict (incident_id, kind) do update set version = excluded.version, due_at = excluded.due_at, leased_until = null
       where t.version < excluded.version`,
      [JSON.stringify(set)],
    );
  if (cleared.length > 0)
    await tx.query(`delete from incident_store.timers where incident_id = any($1) and kind = 'snooze'`, [cleared]);
}

/** Takes due timers for a while, in a transaction of its own: who runs them locks in the order of every writer. */
export async function leaseDue(pool: Pool, now: Date, most: number): Promise<Timer[]> {
  const { rows } = await pool.query<{ incident_id: string; version: string }>(
    `with due as (
       select incident_id, kind from incident_store.timers
        where due_at <= $1 and (leased_until is null or leased_until <= $1) order by due_at limit $2 for update skip locked)
     update incident_store.timers t set leased_until = $1::timestamptz + interval '${LEASE_SECONDS} seconds'
       from due where t.incident_id = due.incident_id and t.kind = due.kind
     returning t.incident_id, t.version`,
    [now, most],
  );
  return rows.map(({ incident_id: incidentId, version }) => ({ incidentId, version: Number(version) }));
}

/** A timer that belongs to nothing any more; one that was set anew meanwhile stays. */
export async function dropTimer(tx: Tx, { incidentId, version }: Timer): Promise<void> {
  await tx.query(`delete from incident_store.timers where incident_id = $1 and kind = 'snooze' and version = $2`, [
    incidentId,
    version,
  ]);
}
