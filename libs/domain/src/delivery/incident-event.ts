import { deriveId, type IncidentEventRecord } from '@tocsin/contracts';
import { incidentData, renderBody, type RenderedBody } from './envelope.ts';
import type { BodyForm, OutboundEvent } from './plan.ts';

/** Updates that many alerts cause: at most one per incident and interval (product P12). */
const coalescing = new Set(['AlertsAttached', 'AlertsResolved', 'OccurrencesCounted']);
/** Counted repeats of one alert tell a receiver nothing new: only for those that ask for them (product P12). */
const OCCURRENCES = 'OccurrencesCounted';
/** What receivers of older products know as `updated` only (product P12, `legacy_updates`). */
const named = new Set(['incident.acknowledged', 'incident.snoozed', 'incident.suppressed', 'incident.reopened']);

/** The outbound event of an incident event, or undefined where it has none. `incidentUrl` makes the link for people. */
export function outboundEventOf(
  record: IncidentEventRecord,
  incidentUrl: (incidentId: string) => string,
): OutboundEvent | undefined {
  const { event, outbound_name: name } = record;
  if (name === null) return undefined;
  const one = eventOf(record, { id: event.id, name }, incidentUrl);
  if (!named.has(name)) return one;
  const id = deriveId('evt', event.id, UPDATED);
  return { ...one, legacy: { ...eventOf(record, { id, name: UPDATED }, incidentUrl), companion: true } };
}

const UPDATED = 'incident.updated';

/** Alerts of a key that flaps say until when nobody is told of what they did. */
function heldIn(data: unknown): Pick<OutboundEvent, 'holdUntil'> {
  const until: unknown =
    typeof data === 'object' && data !== null && 'hold_until' in data ? data.hold_until : undefined;
  return typeof until === 'string' && Number.isFinite(Date.parse(until)) ? { holdUntil: new Date(until) } : {};
}

function eventOf(
  record: IncidentEventRecord,
  { id, name }: { id: string; name: string },
  incidentUrl: (incidentId: string) => string,
): OutboundEvent {
  const { event, incident } = record;
  const bodies = new Map<string, RenderedBody>(); // a thousand subscriptions share one text
  const write = (changed: string[], { rendering }: BodyForm): RenderedBody =>
    renderBody(
      {
        id,
        type: name,
        timestamp: event.at,
        workspace_id: incident.workspace_id,
        data: incidentData(record, changed, incidentUrl(incident.id)),
      },
      rendering,
    );
  return {
    id,
    name,
    workspaceId: incident.workspace_id,
    incidentId: incident.id,
    sequence: record.sequence,
    at: new Date(event.at),
    changed: record.changed,
    coalesces: name === UPDATED && coalescing.has(event.type),
    ...(event.type === OCCURRENCES ? { occurrences: true } : {}),
    connector: incident.connector,
    ...heldIn(event.data),
    render: (changed, form) => {
      const key = `${form.key} ${changed.join(' ')}`;
      const body = bodies.get(key) ?? write(changed, form);
      bodies.set(key, body);
      return body;
    },
  };
}
