import type { IncidentEventRecord } from '@tocsin/contracts';
import { incidentData, renderBody, type RenderedBody } from './envelope.ts';
import type { BodyForm, OutboundEvent } from './plan.ts';

/** Updates that many alerts cause: at most one per incident and interval (product P12). */
const coalescing = new Set(['AlertsAttached', 'AlertsResolved', 'OccurrencesCounted']);
/** Counted repeats of one alert tell a receiver nothing new; off by default (product P12). */
const silent = new Set(['OccurrencesCounted']);

/** The outbound event of an incident event, or undefined where it has none. `incidentUrl` makes the link for people. */
export function outboundEventOf(
  record: IncidentEventRecord,
  incidentUrl: (incidentId: string) => string,
): OutboundEvent | undefined {
  const { event, incident, outbound_name: name } = record;
  if (name === null || silent.has(event.type)) return undefined;
  const bodies = new Map<string, RenderedBody>(); // a thousand subscriptions share one text
  const write = (changed: string[], { rendering }: BodyForm): RenderedBody =>
    renderBody(
      {
        id: event.id,
        type: name,
        timestamp: event.at,
        workspace_id: incident.workspace_id,
        data: incidentData(record, changed, incidentUrl(incident.id)),
      },
      rendering,
    );
  return {
    id: event.id,
    name,
    workspaceId: incident.workspace_id,
    incidentId: incident.id,
    sequence: record.sequence,
    at: new Date(event.at),
    changed: record.changed,
    coalesces: name === 'incident.updated' && coalescing.has(event.type),
    render: (changed, form) => {
      const key = `${form.key} ${changed.join(' ')}`;
      const body = bodies.get(key) ?? write(changed, form);
      bodies.set(key, body);
      return body;
    },
  };
}
