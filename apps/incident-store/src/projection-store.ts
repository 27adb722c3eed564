import {
  projectAlerts,
  publicIncident,
  type AlertRow,
  type AlertRowChange,
  type ExistingIncident,
  type Incident,
  type IncidentEvent,
} from '@tocsin/domain/incident';
import { together, type Tx } from '@tocsin/postgres';

/** Where projections lie: the live ones, or those that a rebuild makes beside them. */
export type ProjectionSchema = 'incident_store' | 'incident_store_rebuild';

/** Events of one incident, and the incident around them. */
export interface ProjectedStream {
  before: Incident;
  after: ExistingIncident;
  events: readonly { event: IncidentEvent }[];
}

/**
 * What people read, brought along in the transaction that appends: at most one statement per table and kind of change. The rows of an
 * incident depend on its own events alone, in whatever portions they come: so they can be rebuilt (`rebuild/`).
 */
export async function writeProjections(
  tx: Tx,
  streams: readonly ProjectedStream[],
  schema: ProjectionSchema = 'incident_store',
): Promise<void> {
  const rows = streams.map(({ after, events }) => ({ after, ...projectAlerts(events.map(({ event }) => event)) }));
  const closed = rows
    .filter(({ closedAt }) => closedAt !== null)
    .map(({ after, closedAt }) => ({ incident_id: after.id, closed_at: closedAt }));
  const changed = rows.flatMap((row) => [...row.changed.values()]);
  const inserted = rows.flatMap(({ after, inserted: added }) =>
    [...added.values()].map((row) => insertedRow(after.workspaceId, after.id, row)),
  );
  const removed = rows.flatMap(({ after, removed: ids }) => [...ids].map((alert_id) => [after.id, alert_id] as const));
  await together(
    upsertIncidents(tx, streams, schema),
    removeAlerts(tx, removed, schema),
    closeAlerts(tx, closed, schema),
    changeAlerts(tx, changed, schema),
    insertAlerts(tx, inserted, schema),
  );
}

async function upsertIncidents(tx: Tx, streams: readonly ProjectedStream[], schema: ProjectionSchema): Promise<void> {
  const records = streams.map(({ after }) => {
    const document = publicIncident(after);
    const {
      id,
      workspace_id,
      number,
      status,
      severity,
      title,
      description,
      services,
      tags,
      source,
      webhook_id,
      created_at,
      updated_at,
      version,
    } = document;
    return {
      ...{
        incident_id: id,
        workspace_id,
        number,
        status,
        severity,
        title,
        description,
        services,
        tags,
        source,
        webhook_id,
      },
      ...{ created_at, updated_at, version, document },
    };
  });
  await tx.query(
    `insert into ${schema}.incidents as i (incident_id, workspace_id, number, status, severity, title, description, services, tags, source,
       webhook_id, created_at, updated_at, version, document)
     select incident_id, workspace_id, number, status, severity, title, description, services, tags, source, webhook_id, created_at, updated_at, version, document
     from json_to_recordset($1::json) as r (incident_id text, workspace_id text, number bigint, status text, severity text, title text, description text,
       services text[], tags text[], source text, webhook_id text, created_at timestamptz, updated_at timestamptz, version bigint, document json)
     on conflict (incident_id) do update set status = excluded.status, severity = excluded.severity, title = excluded.title,
       description = excluded.description, services = excluded.services, tags = excluded.tags, updated_at = excluded.updated_at,
       version = excluded.version, document = excluded.document
     where i.version < excluded.version`,
    [JSON.stringify(records)],
  );
}

/** Rows that go to another incident: they come there anew, behind what it has. */
async function removeAlerts(tx: Tx, removed: (readonly [string, string])[], schema: ProjectionSchema): Promise<void> {
  if (removed.length === 0) return;
  await tx.query(
    `delete from ${schema}.incident_alerts a using unnest($1::text[], $2::text[]) as r (incident_id, alert_id)
     where a.alert_id = r.alert_id and a.incident_id = r.incident_id`,
    [removed.map(([incidentId]) => incidentId), removed.map(([, alertId]) => alertId)],
  );
}

async function closeAlerts(
  tx: Tx,
  closed: { incident_id: string; closed_at: string | null }[],
  schema: ProjectionSchema,
): Promise<void> {
  if (closed.length === 0) return;
  await tx.query(
    `update ${schema}.incident_alerts a set status = 'resolved', resolved_at = c.closed_at
     from json_to_recordset($1::json) as c (incident_id text, closed_at timestamptz) where a.incident_id = c.incident_id and a.status = 'open'`,
    [JSON.stringify(closed)],
  );
}

async function changeAlerts(tx: Tx, changed: AlertRowChange[], schema: ProjectionSchema): Promise<void> {
  if (changed.length === 0) return;
  const records = changed.map(({ alertId, added, resolvedAt }) => ({
    alert_id: alertId,
    added,
    resolved_at: resolvedAt,
  }));
  await tx.query(
    `update ${schema}.incident_alerts a set occurrences = a.occurrences + c.added, resolved_at = coalesce(c.resolved_at, a.resolved_at),
       status = case when c.resolved_at is null then a.status else 'resolved' end
     from json_to_recordset($1::json) as c (alert_id text, added int, resolved_at timestamptz) where a.alert_id = c.alert_id`,
    [JSON.stringify(records)],
  );
}

const insertedRow = (
  workspaceId: string,
  incidentId: string,
  { alert, status, resolvedAt, occurrences }: AlertRow,
) => ({
  ...{
    alert_id: alert.id,
    workspace_id: workspaceId,
    incident_id: incidentId,
    webhook_id: alert.webhook_id,
    status,
    severity: alert.severity,
  },
  ...{ role: alert.role, occurrences, received_at: alert.received_at, resolved_at: resolvedAt, alert },
});

async function insertAlerts(tx: Tx, rows: ReturnType<typeof insertedRow>[], schema: ProjectionSchema): Promise<void> {
  if (rows.length === 0) return;
  await tx.query(
    `insert into ${schema}.incident_alerts (alert_id, workspace_id, incident_id, webhook_id, status, severity, role, occurrences, received_at, resolved_at, alert)
     select * from json_to_recordset($1::json) as r (alert_id text, workspace_id text, incident_id text, webhook_id text, status text, severity text,
       role text, occurrences int, received_at timestamptz, resolved_at timestamptz, alert json)`,
    [JSON.stringify(rows)],
  );
}
