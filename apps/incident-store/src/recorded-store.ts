import type { RecordedAlert } from '@tocsin/domain/incident';
import type { Tx } from '@tocsin/postgres';

interface Row {
  alert_id: string;
  alert: RecordedAlert['alert'];
  why: RecordedAlert['why'];
  status: RecordedAlert['status'];
  incident_id: string | null;
  occurrences: number;
  last_seen_at: Date;
  ended_at: Date | null;
}

/** Locks recorded alerts, in the order of their ids: after the holders of keys, before streams. */
export async function lockRecorded(tx: Tx, alertIds: readonly string[]): Promise<Map<string, RecordedAlert>> {
  if (alertIds.length === 0) return new Map();
  const { rows } = await tx.query<Row>(
    `select alert_id, alert, why, status, incident_id, occurrences, last_seen_at, ended_at from incident_store.recorded_alerts
     where alert_id = any($1) order by alert_id collate "C" for update`,
    [[...new Set(alertIds)]],
  );
  return new Map(
    rows.map((row): [string, RecordedAlert] => [
      row.alert_id,
      {
        ...{ alert: row.alert, why: row.why, status: row.status, incidentId: row.incident_id },
        ...{ occurrences: row.occurrences, lastSeenAt: row.last_seen_at.toISOString() },
        endedAt: row.ended_at?.toISOString() ?? null,
      },
    ]),
  );
}

/** Writes recorded alerts as they are now. What the alert said, and why it was recorded, stays as it was first written. */
export async function saveRecorded(tx: Tx, recorded: readonly RecordedAlert[]): Promise<void> {
  if (recorded.length === 0) return;
  const rows = recorded.map(({ alert, why, status, incidentId, occurrences, lastSeenAt, endedAt }) => ({
    ...{ alert_id: alert.id, workspace_id: alert.workspaceId, webhook_id: alert.webhookId },
    ...{ status, incident_id: incidentId, occurrences, received_at: alert.receivedAt },
    ...{ last_seen_at: lastSeenAt, ended_at: endedAt, alert, why },
  }));
  await tx.query(
    `insert into incident_store.recorded_alerts (alert_id, workspace_id, webhook_id, status, incident_id, occurrences, received_at, last_seen_at, ended_at, alert, why)
     select * from json_to_recordset($1::json) as r (alert_id text, workspace_id text, webhook_id text, status text, incident_id text, occurrences int,
       received_at timestamptz, last_seen_at timestamptz, ended_at timestamptz, alert json, why json) order by alert_id
     on conflict (alert_id) do update set status = excluded.status, incident_id = excluded.incident_id, occurrences = excluded.occurrences,
       last_seen_at = excluded.last_seen_at, ended_at = excluded.ended_at`,
    [JSON.stringify(rows)],
  );
}
