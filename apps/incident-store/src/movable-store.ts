import type { AttachedAlert, KeyHolder, MovableAlert } from '@tocsin/domain/incident';
import type { Tx } from '@tocsin/postgres';

/** An alert as it is now, and where. */
export interface HeldAlert extends MovableAlert {
  incidentId: string;
}

/** Alerts of these incidents in the order in which they joined, or of them those that are named; at most `most`. Read under the locks of the streams. */
export async function alertsOf(
  tx: Tx,
  incidentIds: readonly string[],
  alertIds: readonly string[] | null,
  most: number,
): Promise<HeldAlert[]> {
  const { rows } = await tx.query<{
    incident_id: string;
    alert: AttachedAlert;
    role: MovableAlert['role'];
    status: MovableAlert['status'];
    occurrences: number;
    resolved_at: Date | null;
    last_seen_at: Date;
  }>(
    `select a.incident_id, a.alert, a.role, a.status, a.occurrences, a.resolved_at, coalesce(s.last_seen_at, a.received_at) as last_seen_at
       from incident_store.incident_alerts a left join incident_store.alert_activity s on s.alert_id = a.alert_id
      where a.incident_id = any($1) and ($2::text[] is null or a.alert_id = any($2)) order by a.incident_id, a.position limit $3`,
    [incidentIds, alertIds, most],
  );
  return rows.map(({ incident_id: incidentId, alert, role, status, occurrences, resolved_at, last_seen_at }) => ({
    ...{ incidentId, alert, role, status, occurrences },
    ...{ resolvedAt: resolved_at?.toISOString() ?? null, lastSeenAt: last_seen_at.toISOString() },
  }));
}

/** The keys that these alerts hold, and what is known of when they were seen, go with them. @returns the keys */
export async function rehome(tx: Tx, alertIds: readonly string[], incidentId: string): Promise<KeyHolder[]> {
  if (alertIds.length === 0) return [];
  await tx.query('update incident_store.alert_activity set incident_id = $2 where alert_id = any($1)', [
    alertIds,
    incidentId,
  ]);
  const { rows } = await tx.query<KeyHolder>(
    `update incident_store.key_holders set incident_id = $2 where alert_id = any($1)
     returning workspace_id as "workspaceId", scope, webhook_id as "webhookId", dedup_key as "dedupKey", resolve_key as "resolveKey",
       incident_id as "incidentId", alert_id as "alertId"`,
    [alertIds, incidentId],
  );
  return rows;
}

/** Later records for a merged incident go to its survivor; one that has a successor already keeps it. */
export async function insertMerged(
  tx: Tx,
  workspaceId: string,
  incidentIds: readonly string[],
  survivorId: string,
): Promise<void> {
  await tx.query(
    `insert into incident_store.successors (incident_id, successor_id, workspace_id)
     select incident_id, $2, $3 from unnest($1::text[]) as m (incident_id) on conflict (incident_id) do nothing`,
    [incidentIds, survivorId, workspaceId],
  );
}
