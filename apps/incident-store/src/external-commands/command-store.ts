import type { IncidentCommandRecord } from '@tocsin/contracts';
import type { LocalChanges, SyncDecision } from '@tocsin/domain/sync';
import type { Tx } from '@tocsin/postgres';

/** Whether this change was taken over, or noted, before. */
export async function causeIsKnown(tx: Tx, { id, incident_id: incident }: IncidentCommandRecord): Promise<boolean> {
  const { rows } = await tx.query<{ known: boolean }>(
    `select exists (select from incident_store.events where stream_id = $1 and cause_id = $2)
         or exists (select from incident_store.timeline where incident_id = $1 and starts_with(fact_id, $2 || '#')) as known`,
    [incident, id],
  );
  return rows[0]?.known === true;
}

const STATUS_EVENTS = [
  ...['IncidentAcknowledged', 'IncidentResolved', 'IncidentReopened', 'IncidentSnoozed'],
  ...['SnoozeEnded', 'IncidentSuppressed', 'IncidentsMerged'],
];
const FIELD_EVENTS = ['IncidentEdited', 'IncidentAssigned', 'SeverityChanged'];

/** When each part was last changed by anybody but this link, whose own changes are in order among themselves. */
export async function localChanges(
  tx: Tx,
  { incident_id: incident, link }: IncidentCommandRecord,
): Promise<LocalChanges> {
  const { rows } = await tx.query<{ type: string; at: Date; body: Buffer }>(
    `select e.type, e.at, p.body from incident_store.events e join incident_store.event_payloads p using (stream_id, version)
      where e.stream_id = $1 and e.type = any($2) and not starts_with(e.cause_id, $3 || ':') order by e.version`,
    [incident, [...STATUS_EVENTS, ...FIELD_EVENTS], link.id],
  );
  const latest: Record<string, string> = {};
  for (const { type, at, body } of rows) for (const name of namesOf(type, body)) latest[name] = at.toISOString();
  return latest;
}

function namesOf(type: string, body: Buffer): string[] {
  if (STATUS_EVENTS.includes(type)) return ['status'];
  if (type === 'IncidentAssigned') return ['assignee'];
  if (type === 'SeverityChanged') return ['severity'];
  const data = JSON.parse(body.toString('utf8')) as { fields?: Record<string, unknown> } | null;
  return Object.keys(data?.fields ?? {}); // erased ones name nothing
}

/** Keeps what is no event in the timeline. */
export async function noteSync(
  tx: Tx,
  record: IncidentCommandRecord,
  { type, detail }: Extract<SyncDecision, { kind: 'note' }>,
): Promise<void> {
  const { id, link, external, actor, source_at: sourceAt } = record;
  const entry = { kind: 'sync', id: `${id}#${type}`, type, detail, link, external, actor, source_at: sourceAt };
  await tx.query(
    `insert into incident_store.timeline (workspace_id, incident_id, fact_id, at, entry)
     select $1, $2, $3 || '#' || (select count(*) from incident_store.timeline where incident_id = $2 and starts_with(fact_id, $3 || '#')), $4, $5`,
    [record.workspace_id, record.incident_id, id, record.at, JSON.stringify(entry)],
  );
}
