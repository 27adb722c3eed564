import { setTimeout as pause } from 'node:timers/promises';
import { deriveId, encodeRecord, eventIdOf, type IncidentEventRecord, type SubscriptionBody } from '@tocsin/contracts';
import { headerNames, type AppendRecord, type EventLog } from '@tocsin/event-log';
import type pg from 'pg';

const at = '2026-03-01T10:00:00.000Z';

/** One incident event as incident-store publishes it. `service` is what filters look at. */
export function incidentEvent(
  workspaceId: string,
  name: string,
  service: string,
): { id: string; record: AppendRecord } {
  const incident = deriveId('inc', workspaceId, name);
  const id = eventIdOf(incident, 1);
  const value: IncidentEventRecord = {
    event: {
      ...{ id, stream: incident, version: 1, type: 'IncidentOpened', schema_version: 1, at, cause_id: name },
      ...{ actor: { kind: 'system', id: null, name: null }, cause_ordinal: 0, reason: null, config_revision: 1 },
      ...{ data: {}, digest: '', prev_hash: '', hash: '' },
    },
    incident: {
      ...{
        id: incident,
        number: 1,
        workspace_id: workspaceId,
        title: `Disk full on ${name}`,
        description: 'x'.repeat(200),
      },
      ...{
        status: 'open',
        severity: 'high',
        urgency: 'HIGH',
        priority: null,
        services: [service],
        tags: ['env:production'],
      },
      ...{ source: null, connector: 'generic', webhook_id: null, url: null, incident_type: null, assignee: null },
      ...{ created_at: at, updated_at: at, last_alert_at: at, acknowledged_at: null, resolved_at: null },
      ...{ webhook_occurrence_count: 1, correlated_alert_count: 1, custom_fields: {}, external_links: [], version: 1 },
    },
    ...{ changed: ['status'], sequence: 1, outbound_name: 'incident.created' },
  };
  const headers = { [headerNames.type]: 'incident.event.v1' };
  const encoded = encodeRecord('incident.event.v1', value);
  return { id, record: { topic: 'incident.events', key: incident, value: encoded, headers } };
}

export interface Endpoint {
  path: string;
  /** Takes only events of this service. */
  service?: string;
  events?: string[];
  workspaceId?: string;
}

/** Writes subscriptions into the configuration feed as the control-plane does, thousands at once. @returns their ids */
export async function subscribe(
  pool: pg.Pool,
  workspaceId: string,
  port: number,
  endpoints: readonly Endpoint[],
): Promise<string[]> {
  const made = endpoints.map(({ path, service, events = ['incident.*'] }, index) => {
    const body: SubscriptionBody = {
      ...{
        name: `bench ${index}`,
        url: `http://127.0.0.1:${port}${path}`,
        events,
        active: true,
        secrets: [],
        headers: [],
      },
      ...{
        envelope: 'cloudthinker',
        retrySchedule: [0, 60, 300],
        timeoutSeconds: 30,
        userAgent: null,
        updateIntervalSeconds: 60,
      },
      ...(service === undefined ? {} : { filter: { field: 'data.services', operator: 'equals', value: service } }),
    };
    return { id: deriveId('sub', workspaceId, path, String(index), events.join()), body, deleted: false };
  });
  await publish(pool, workspaceId, made);
  return made.map(({ id }) => id);
}

export const unsubscribe = (pool: pg.Pool, workspaceId: string, ids: readonly string[]): Promise<void> =>
  publish(
    pool,
    workspaceId,
    ids.map((id) => ({ id, body: {}, deleted: true })),
  );

async function publish(
  pool: pg.Pool,
  workspaceId: string,
  documents: { id: string; body: object; deleted: boolean }[],
): Promise<void> {
  await pool.query(
    `with head as (update control_plane.feed_head set revision = revision + $2 returning revision - $2 as before)
     insert into control_plane.configuration_documents (revision, kind, id, workspace_id, deleted, body, at)
     select head.before + d.place, 'subscription', d.document->>'id', $3, (d.document->>'deleted')::boolean, d.document->'body', now()
       from head, jsonb_array_elements($1::jsonb) with ordinality as d(document, place)`,
    [JSON.stringify(documents), documents.length, workspaceId],
  );
  await pause(2_500); // the feed is polled every second
}

/** Appends records at a steady rate. */
export async function appendAtRate(
  log: EventLog,
  { perSecond, seconds }: { perSecond: number; seconds: number },
  make: (index: number) => AppendRecord,
): Promise<void> {
  const started = performance.now();
  const total = perSecond * seconds;
  const pending = new Set<Promise<void>>();
  for (let sent = 0; sent < total;) {
    const due = Math.min(total, Math.floor(((performance.now() - started) / 1_000) * perSecond));
    for (; sent < due; sent += 1) {
      const one: Promise<void> = log.append([make(sent)]).finally(() => pending.delete(one));
      pending.add(one);
    }
    await pause(2);
  }
  await Promise.all(pending);
}
