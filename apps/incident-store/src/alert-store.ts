import type { AlertActivity, AlertSettled, BatchPlan, KeyHolder, KnownAlert } from '@tocsin/domain/incident';
import { together, type Tx } from '@tocsin/postgres';
import type { Pool } from 'pg';
import { StreamConflict } from './incident-log.ts';

type Query = Pick<Tx, 'query'> | Pick<Pool, 'query'>;
export type HolderKey = Pick<KeyHolder, 'scope' | 'webhookId' | 'dedupKey'>;

interface SettledRow {
  alert_id: string;
  index: number;
  workspace_id: string;
  webhook_id: string;
  receipt_id: string;
  incident_id: string | null;
  outcome: AlertSettled['outcome'];
  reason: AlertSettled['reason'];
  occurrence_count: number | null;
  counted_on: string | null;
  why: AlertSettled['why'];
  settled_at: Date;
}

/** What is known of alerts that are to be decided. */
export interface KnownOutcomes {
  /** First outcomes of those that were decided before. */
  settled: Map<string, AlertSettled>;
  /** Dead letters. That is no decision: redriven, such an alert is decided for the first time. */
  dead: Set<string>;
}

export async function knownOutcomes(db: Query, alertIds: readonly string[]): Promise<KnownOutcomes> {
  const { rows } = await (db as Pool).query<SettledRow>(
    `select alert_id, index, workspace_id, webhook_id, receipt_id, incident_id, outcome, reason, occurrence_count, counted_on, why, settled_at
     from incident_store.alert_outcomes where alert_id = any($1)`,
    [alertIds],
  );
  const dead = new Set(rows.filter(({ outcome }) => outcome === 'dead-lettered').map((row) => row.alert_id));
  const decided = rows.filter(({ alert_id }) => !dead.has(alert_id));
  const settled = new Map(
    decided.map((row): [string, AlertSettled] => [
      row.alert_id,
      {
        ...{
          alertId: row.alert_id,
          index: row.index,
          workspaceId: row.workspace_id,
          webhookId: row.webhook_id,
          receiptId: row.receipt_id,
        },
        ...{
          incidentId: row.incident_id,
          outcome: row.outcome,
          reason: row.reason,
          occurrenceCount: row.occurrence_count,
        },
        ...{ countedOn: row.counted_on, why: row.why, settledAt: row.settled_at.toISOString() },
      },
    ]),
  );
  return { settled, dead };
}

/** The successors of these incidents and of their successors, to the end of each chain. */
export async function successorChain(db: Query, incidentIds: readonly string[]): Promise<Map<string, string>> {
  const { rows } = await (db as Pool).query<{ incident_id: string; successor_id: string }>(
    `with recursive chain as (
       select incident_id, successor_id from incident_store.successors where incident_id = any($1)
       union select s.incident_id, s.successor_id from incident_store.successors s join chain c on s.incident_id = c.successor_id
     ) select incident_id, successor_id from chain`,
    [incidentIds],
  );
  return new Map(rows.map((row) => [row.incident_id, row.successor_id]));
}

/** An alert holds one key. The limit tells the planner of a young table that it is few: else it reads all of them. */
const KEYS_OF_ALERT = 8;

/** Locks the holders of these keys, and those whose alert is named, in one order for every writer (commit-batch rule 8). */
export async function lockHolders(
  tx: Tx,
  keys: readonly HolderKey[],
  alertIds: readonly string[],
): Promise<KeyHolder[]> {
  const { rows } = await tx.query<
    Record<'workspace_id' | 'scope' | 'webhook_id' | 'dedup_key' | 'resolve_key' | 'incident_id' | 'alert_id', string>
  >(
    `with wanted as (
       select * from unnest($1::text[], $2::text[], $3::text[]) as k (scope, webhook_id, dedup_key)
       union select held.scope, held.webhook_id, held.dedup_key from unnest($4::text[]) as named (alert_id)
         cross join lateral (select * from incident_store.key_holders own where own.alert_id = named.alert_id limit ${KEYS_OF_ALERT}) held
     )
     select h.workspace_id, h.scope, h.webhook_id, h.dedup_key, h.resolve_key, h.incident_id, h.alert_id
     from wanted join incident_store.key_holders h using (scope, webhook_id, dedup_key)
     order by h.scope collate "C", h.webhook_id collate "C", h.dedup_key collate "C" for update of h`,
    [keys.map((key) => key.scope), keys.map((key) => key.webhookId), keys.map((key) => key.dedupKey), alertIds],
  );
  return rows.map((row) => ({
    ...{ workspaceId: row.workspace_id, scope: row.scope, webhookId: row.webhook_id, dedupKey: row.dedup_key },
    ...{ resolveKey: row.resolve_key, incidentId: row.incident_id, alertId: row.alert_id },
  }));
}

/** Which incidents these attached alerts belong to. A person may move them meanwhile: what is read under the locks counts. */
export async function incidentsOfAlerts(db: Query, alertIds: readonly string[]): Promise<string[]> {
  const { rows } = await (db as Pool).query<{ incident_id: string }>(
    'select distinct incident_id from incident_store.incident_alerts where alert_id = any($1)',
    [alertIds],
  );
  return rows.map((row) => row.incident_id);
}

/** Attached alerts as decisions need them. Read under the locks of their streams. */
export async function knownAlerts(tx: Tx, alertIds: readonly string[]): Promise<Map<string, KnownAlert>> {
  const { rows } = await tx.query<{
    alert_id: string;
    incident_id: string;
    webhook_id: string;
    status: KnownAlert['status'];
    severity: string;
    occurrences: number;
    firing_key: string | null;
    first_seen_at: Date;
    last_seen_at: Date;
  }>(
    `select a.alert_id, a.incident_id, a.webhook_id, a.status, a.severity, a.occurrences, s.firing_key, s.first_seen_at, s.last_seen_at
     from incident_store.incident_alerts a join incident_store.alert_activity s using (alert_id) where a.alert_id = any($1)`,
    [alertIds],
  );
  return new Map(
    rows.map((row): [string, KnownAlert] => [
      row.alert_id,
      {
        ...{
          id: row.alert_id,
          incidentId: row.incident_id,
          webhookId: row.webhook_id,
          status: row.status,
          severity: row.severity,
        },
        ...{ occurrences: row.occurrences, firingKey: row.firing_key },
        ...{ firstSeenAt: row.first_seen_at.toISOString(), lastSeenAt: row.last_seen_at.toISOString() },
      },
    ]),
  );
}

/** Frees the keys of these alerts, and every key of closed incidents. @returns what the incidents held */
export async function releaseHolders(
  tx: Tx,
  alertIds: readonly string[],
  incidentIds: readonly string[],
): Promise<KeyHolder[]> {
  if (alertIds.length === 0 && incidentIds.length === 0) return [];
  const { rows } = await tx.query<KeyHolder>(
    `with doomed as (
       select scope, webhook_id, dedup_key from incident_store.key_holders where alert_id = any($1)
       union select scope, webhook_id, dedup_key from incident_store.key_holders where incident_id = any($2)
     )
     delete from incident_store.key_holders h using doomed d
     where (h.scope, h.webhook_id, h.dedup_key) = (d.scope, d.webhook_id, d.dedup_key)
     returning h.workspace_id as "workspaceId", h.scope, h.webhook_id as "webhookId", h.dedup_key as "dedupKey", h.resolve_key as "resolveKey",
       h.incident_id as "incidentId", h.alert_id as "alertId"`,
    [alertIds, incidentIds],
  );
  return rows;
}

export async function insertHolders(tx: Tx, holders: readonly KeyHolder[]): Promise<void> {
  if (holders.length === 0) return;
  await tx.query(
    `insert into incident_store.key_holders (workspace_id, scope, webhook_id, dedup_key, resolve_key, incident_id, alert_id)
     select "workspaceId", scope, "webhookId", "dedupKey", "resolveKey", "incidentId", "alertId" from json_to_recordset($1::json) as h
       ("workspaceId" text, scope text, "webhookId" text, "dedupKey" text, "resolveKey" text, "incidentId" text, "alertId" text)
     order by scope collate "C", "webhookId" collate "C", "dedupKey" collate "C"`,
    [JSON.stringify(holders)],
  );
}

const SETTLED = `(alert_id, index, workspace_id, webhook_id, receipt_id, incident_id, outcome, reason, occurrence_count, counted_on, why, settled_at)
     select * from json_to_recordset($1::json) as s ("alertId" text, index int, "workspaceId" text, "webhookId" text, "receiptId" text, "incidentId" text,
       outcome text, reason text, "occurrenceCount" int, "countedOn" text, why jsonb, "settledAt" timestamptz)`;

/**
 * Outcomes of alerts; `dead` says which of them were dead letters. The others are plainly new: cheaper than to look for each whether it
 * is, and one that somebody else has settled meanwhile is a conflict either way. Their ids are hashes, so in their order neighbours share pages.
 */
export async function insertSettled(
  tx: Tx,
  settled: readonly AlertSettled[],
  dead: ReadonlySet<string>,
): Promise<void> {
  const redriven = settled.filter(({ alertId }) => dead.has(alertId));
  const fresh = redriven.length === 0 ? settled : settled.filter(({ alertId }) => !dead.has(alertId));
  await together(insertFresh(tx, fresh), replaceDead(tx, redriven));
}

async function insertFresh(tx: Tx, settled: readonly AlertSettled[]): Promise<void> {
  if (settled.length === 0) return;
  await tx.query(`insert into incident_store.alert_outcomes ${SETTLED} order by "alertId" collate "C"`, [
    JSON.stringify(settled),
  ]);
}

async function replaceDead(tx: Tx, settled: readonly AlertSettled[]): Promise<void> {
  if (settled.length === 0) return;
  const { rowCount } = await tx.query(
    `insert into incident_store.alert_outcomes ${SETTLED} order by "alertId" collate "C"
     on conflict (alert_id) do update set incident_id = excluded.incident_id, outcome = excluded.outcome, reason = excluded.reason,
       occurrence_count = excluded.occurrence_count, counted_on = excluded.counted_on, why = excluded.why, settled_at = excluded.settled_at
     where alert_outcomes.outcome = 'dead-lettered'`,
    [JSON.stringify(settled)],
  );
  if (rowCount !== settled.length) throw new StreamConflict('an alert of the batch was settled meanwhile');
}

/** What was seen of alerts, and until when each is open if nothing more is heard of it. */
export async function upsertActivity(tx: Tx, activity: readonly AlertActivity[]): Promise<void> {
  if (activity.length === 0) return;
  const records = activity.map(({ deadline, ...seen }) => ({
    ...seen,
    ...{ endsAt: deadline?.at ?? null, endsBecause: deadline?.reason ?? null },
  }));
  await tx.query(
    `insert into incident_store.alert_activity as a (alert_id, workspace_id, incident_id, firing_key, first_seen_at, last_seen_at, ends_at, ends_because)
     select * from json_to_recordset($1::json) as s ("alertId" text, "workspaceId" text, "incidentId" text, "firingKey" text, "firstSeenAt" timestamptz,
       "lastSeenAt" timestamptz, "endsAt" timestamptz, "endsBecause" text)
     on conflict (alert_id) do update set last_seen_at = greatest(a.last_seen_at, excluded.last_seen_at),
       ends_at = excluded.ends_at, ends_because = excluded.ends_because`,
    [JSON.stringify(records)],
  );
}

export async function insertSuccessors(tx: Tx, successors: BatchPlan['successors']): Promise<void> {
  if (successors.length === 0) return;
  await tx.query(
    `insert into incident_store.successors (incident_id, successor_id, workspace_id)
     select * from json_to_recordset($1::json) as s ("incidentId" text, "successorId" text, "workspaceId" text)`,
    [JSON.stringify(successors)],
  );
}
