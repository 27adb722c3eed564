import type { Hypothesis, RcaEvent, Severity } from '@tocsin/contracts';
import type { Tx } from '@tocsin/postgres';
import type { IncidentRow, InvestigationRequest, KnownIncident } from './incident-records.ts';

const HOUR_MS = 3_600_000;

/** Locks the rows of these incidents and says what is known of them. */
export async function lockIncidents(tx: Tx, ids: readonly string[]): Promise<Map<string, KnownIncident>> {
  const { rows } = await tx.query<{
    id: string;
    version: string;
    severity: Severity;
    decision: string | null;
    running: boolean;
    investigations: string;
  }>(
    `with known as (
       select id, version, severity, decision from rca_trigger.incidents where id = any($1) order by id for update
     )
     select known.*, coalesce(bool_or(i.status in ('requested', 'running')), false) as running, count(i.id) as investigations
     from known left join rca_trigger.investigations i on i.incident_id = known.id
     group by known.id, known.version, known.severity, known.decision`,
    [ids],
  );
  return new Map(
    rows.map(({ id, version, severity, decision, running, investigations }) => [
      id,
      { version: Number(version), severity, decision, running, investigations: Number(investigations) },
    ]),
  );
}

/** Locks one incident of a workspace. `running`: the investigation of it that has not ended. */
export async function lockIncident(tx: Tx, workspaceId: string, id: string) {
  const { rows } = await tx.query<{ version: string; number: string; config_revision: string }>(
    'select version, number, config_revision from rca_trigger.incidents where id = $1 and workspace_id = $2 for update',
    [id, workspaceId],
  );
  const [incident] = rows;
  if (!incident) return undefined;
  const running = await tx.query<{ id: string }>(
    `select id from rca_trigger.investigations where incident_id = $1 and status in ('requested', 'running') limit 1`,
    [id],
  );
  return {
    version: Number(incident.version),
    number: Number(incident.number),
    configRevision: Number(incident.config_revision),
    running: running.rows[0]?.id ?? null,
  };
}

/** When the workspace may ask again; null = now. `perHour` 0 = no cap. */
export async function capFreeAt(
  tx: Tx,
  workspaceId: string,
  { perHour, now }: { perHour: number; now: Date },
): Promise<Date | null> {
  if (perHour === 0) return null;
  const { rows } = await tx.query<{ requested_at: Date }>(
    `select requested_at from rca_trigger.investigations where workspace_id = $1 and requested_at > $2
      order by requested_at desc offset $3 limit 1`,
    [workspaceId, new Date(now.getTime() - HOUR_MS), perHour - 1],
  );
  return rows[0] ? new Date(rows[0].requested_at.getTime() + HOUR_MS) : null;
}

/** Investigations of each workspace in the last hour. Read without a lock: two batches at once may each stay one batch under the cap. */
export async function countLastHour(tx: Tx, workspaceIds: readonly string[], now: Date): Promise<Map<string, number>> {
  const since = now.getTime() - HOUR_MS;
  const { rows } = await tx.query<{ workspace_id: string; count: string }>(
    `select workspace_id, count(*) from rca_trigger.investigations
     where workspace_id = any($1) and requested_at > to_timestamp($2::double precision / 1000) group by workspace_id`,
    [workspaceIds, since],
  );
  return new Map(rows.map(({ workspace_id, count }) => [workspace_id, Number(count)]));
}

const incidentColumns =
  'id text, workspace_id text, number bigint, title text, title_key text, severity text, status text, services text[], service_keys text[], webhook_id text, opened_at timestamptz, resolved_at timestamptz, version bigint, decision text, config_revision bigint';
const incidentNames = incidentColumns.replace(/ (text|bigint|timestamptz)(\[\])?/g, '');

export async function storeIncidents(tx: Tx, rows: readonly IncidentRow[]): Promise<void> {
  if (rows.length === 0) return;
  const excluded = incidentNames
    .split(', ')
    .filter((name) => name !== 'id')
    .map((name) => `${name} = excluded.${name}`)
    .join(', ');
  await tx.query(
    `insert into rca_trigger.incidents (${incidentNames}) select ${incidentNames} from jsonb_to_recordset($1) as given(${incidentColumns})
     on conflict (id) do update set ${excluded} where incidents.version < excluded.version`,
    [JSON.stringify(rows)],
  );
}

/** @returns the ids that were new: a repeated request stays what it was */
export async function storeRequests(
  tx: Tx,
  requests: readonly InvestigationRequest[],
  at: { requested: string; due: string },
): Promise<Set<string>> {
  if (requests.length === 0) return new Set();
  const { rows } = await tx.query<{ id: string }>(
    `insert into rca_trigger.investigations
       (id, workspace_id, incident_id, incident_version, cause_id, cause, occurred_at, investigator, status, requested_at, due_at, config_revision)
     select id, workspace_id, incident_id, incident_version, cause_id, cause, occurred_at, investigator, 'requested', $2, $3, config_revision
     from jsonb_to_recordset($1) as given(id text, workspace_id text, incident_id text, incident_version bigint, cause_id text, cause text, occurred_at timestamptz, config_revision bigint, investigator text)
     on conflict do nothing returning id`,
    [JSON.stringify(requests.map(rowOf)), at.requested, at.due],
  );
  return new Set(rows.map(({ id }) => id));
}

/** The columns alone: what asks may know more of it, e.g. the record, which is none of them. */
const rowOf = (request: InvestigationRequest) => ({
  id: request.id,
  workspace_id: request.workspace_id,
  incident_id: request.incident_id,
  incident_version: request.incident_version,
  cause_id: request.cause_id,
  cause: request.cause,
  occurred_at: request.occurred_at,
  config_revision: request.config_revision,
  investigator: request.investigator,
});

export interface DueInvestigation {
  id: string;
  workspaceId: string;
  incidentId: string;
  incidentVersion: number;
  cause: string;
  occurredAt: Date;
  requestedAt: Date;
  configRevision: number;
  /** Of the incident. */
  number: number;
  webhookId: string | null;
  title: string;
  titleKey: string;
  severity: Severity;
  services: string[];
  serviceKeys: string[];
  investigator: RcaEvent['investigator'];
}

/** The columns of a due investigation, of `investigations r` joined with `incidents i`. */
export const dueColumns = `r.id, r.workspace_id as "workspaceId", r.incident_id as "incidentId", r.incident_version as "incidentVersion", r.cause,
       r.occurred_at as "occurredAt", r.requested_at as "requestedAt", r.config_revision as "configRevision", i.number, i.webhook_id as "webhookId",
       i.title, i.title_key as "titleKey", i.severity, i.services, i.service_keys as "serviceKeys", r.investigator`;
type Big = 'incidentVersion' | 'configRevision' | 'number';
export type DueRow = Omit<DueInvestigation, Big> & Record<Big, string>;

/** bigint columns arrive as text. */
export const dueOf = (row: DueRow): DueInvestigation => ({
  ...row,
  incidentVersion: Number(row.incidentVersion),
  configRevision: Number(row.configRevision),
  number: Number(row.number),
});

/** Takes due investigations of Tocsin's own; nobody else gets them before this transaction ends. */
export async function claimDue(tx: Tx, now: Date, limit: number): Promise<DueInvestigation[]> {
  const { rows } = await tx.query<DueRow>(
    `select ${dueColumns} from rca_trigger.investigations r join rca_trigger.incidents i on i.id = r.incident_id
     where r.status = 'requested' and r.investigator = 'built-in' and r.due_at <= $1 order by r.due_at, r.id limit $2 for update of r skip locked`,
    [now, limit],
  );
  return rows.map(dueOf);
}

export interface FinishedInvestigation {
  id: string;
  status: 'completed' | 'failed';
  summary: string;
  hypotheses: readonly Hypothesis[];
}

export async function storeFinished(tx: Tx, finished: readonly FinishedInvestigation[], now: Date): Promise<void> {
  await tx.query(
    `update rca_trigger.investigations as r set status = f.status, summary = f.summary, hypotheses = f.hypotheses, completed_at = $2
     from jsonb_to_recordset($1) as f(id text, status text, summary text, hypotheses jsonb) where r.id = f.id`,
    [JSON.stringify(finished), now],
  );
}

/** Drops what no investigation looks at any more: changes after 30 days, resolved incidents and their investigations after a year. */
export async function prune(tx: Tx, now: Date): Promise<void> {
  await tx.query(`delete from rca_trigger.changes where at < $1::timestamptz - interval '30 days'`, [now]);
  await tx.query(`delete from rca_trigger.incidents where resolved_at < $1::timestamptz - interval '365 days'`, [now]);
}
