import { isObject, listOf, pairsOf, textOf, valueAlong, valueAt } from '@tocsin/domain/mapping';
import type { Reading, SourceConnector } from '../kit/source-connector.ts';
import { detailsOfEvent, isEvent, keyOfEvent, ofEvent, servicesOfEvent, tagsOfEvent, urlOfEvent } from './events-v2.ts';

const typeOf = (element: unknown): string => {
  const type = valueAt(element, 'event_type') ?? valueAt(element, 'event'); // version 3, version 2
  return typeof type === 'string' ? type : '';
};
const isIncident = (element: unknown): boolean => valueAt(element, 'data', 'type') === 'incident';

/**
 * The incident that an event is about. In version 3 `data` is the incident itself or a thing that belongs to one (a note, a responder),
 * whose own id must never become the key; in version 2 it stands beside the event.
 */
function incidentOf(element: unknown): unknown {
  const ownData = isIncident(element) ? valueAt(element, 'data') : undefined;
  return ownData ?? valueAt(element, 'data', 'incident') ?? valueAt(element, 'incident');
}

const ofIncident =
  (...keys: string[]) =>
  ({ element }: Reading): unknown =>
    valueAlong(incidentOf(element), keys);

/** The event decides where it names a state; other events about an incident repeat its state, the rest only changes something on it. */
function statusOfEvent({ element }: Reading): unknown {
  const type = typeOf(element);
  if (/^incident\.acknowledged?$/.test(type)) return 'acknowledged';
  if (/^incident\.resolved?$/.test(type)) return 'resolved';
  if (isIncident(element) || isObject(valueAt(element, 'incident')))
    return valueAt(incidentOf(element), 'status') ?? 'triggered';
  return 'update';
}

/** `[#33] My incident` in references is the number that PagerDuty puts before the title. */
function titleFromSummary({ element }: Reading): unknown {
  const summary = valueAt(incidentOf(element), 'summary');
  return typeof summary === 'string' ? summary.replace(/^\[#\d+\] */, '') : undefined;
}

/** Version 3 has no description: the service and the title say most. */
function describe({ element }: Reading): unknown {
  const incident = incidentOf(element);
  const service = textOf(valueAt(incident, 'service'));
  const title = textOf(valueAt(incident, 'title'));
  return service === undefined || title === undefined ? undefined : `${service}: ${title}`;
}

function tagsOf(reading: Reading): string[] {
  const { element } = reading;
  if (isEvent(element)) return tagsOfEvent(reading);
  const incident = incidentOf(element);
  const custom = valueAt(incident, 'custom_fields');
  return [...listOf(valueAt(incident, 'teams')).map((team) => `team:${team}`), ...customTags(custom)];
}

function customTags(custom: unknown): string[] {
  if (!Array.isArray(custom)) return pairsOf(custom);
  return custom.slice(0, 100).flatMap((field: unknown) => {
    const name = textOf(valueAt(field, 'name'));
    const value = textOf(valueAt(field, 'value'));
    return name === undefined || value === undefined ? [] : [`${name}:${value}`];
  });
}

/**
 * Webhooks version 3 (one event per request); the retired version 2 (`messages`) is read as well. And what is sent to PagerDuty: an event
 * of the Events API v2 (drop-in address of the gateway).
 */
export const source = {
  id: 'pagerduty',
  title: 'PagerDuty',
  category: 'incident-management',
  kind: 'alert',
  slugs: [],
  auth: {
    default: 'hmac',
    also: ['bearer', 'basic', 'api_key', 'query_token', 'none'],
    signatureHeaders: ['x-pagerduty-signature'],
  },
  deliveryIdHeaders: ['x-webhook-id'],
  retries: { on429: true },
  respond: 'accept',
  resolves: true,
  decode: ['json'],
  recognises: (root) => isEvent(root) || isObject(valueAt(root, 'event')) || Array.isArray(valueAt(root, 'messages')),
  split: (root): readonly unknown[] => {
    if (isEvent(root)) return [root];
    const messages = valueAt(root, 'messages');
    return Array.isArray(messages) ? messages : [valueAt(root, 'event')];
  },
  recognisesElement: (element) => isEvent(element) || typeOf(element) !== '',
  ignore: [
    { when: ({ element }) => typeOf(element) === 'pagey.ping', reason: 'test-notification' },
    {
      when: ({ element }) =>
        /^incident\.annotated?$/.test(typeOf(element)) || valueAt(element, 'data', 'type') === 'incident_note',
      reason: 'note',
    },
    {
      // Events about services, and whatever names no incident, have nothing to open or to change.
      when: ({ element }) =>
        !isEvent(element) &&
        (!typeOf(element).startsWith('incident.') || textOf(valueAt(incidentOf(element), 'id')) === undefined),
      reason: 'unsupported-event',
    },
  ],
  fields: {
    title: [ofEvent('payload', 'summary'), ofIncident('title'), titleFromSummary],
    description: [detailsOfEvent, ofIncident('body', 'details'), ofIncident('description'), describe],
    services: [servicesOfEvent, ofIncident('service'), ofIncident('impacted_services')],
    tags: [tagsOf],
    source: [ofEvent('payload', 'source'), '$.client.name'],
    url: [urlOfEvent, ofIncident('html_url'), ofIncident('self')],
    dedupKey: [keyOfEvent, ofIncident('id')], // incident_key may be missing or null, and is reused
    firingKey: [],
    incidentType: [ofIncident('incident_type', 'name')],
  },
  // The time of an event is when the tool made it; a resolve often repeats that of its trigger, so the time of receipt orders.
  occurredAt: {
    from: [ofEvent('payload', 'timestamp'), '$.occurred_at', '$.created_on'],
    orders: ({ element }) => !isEvent(element),
  },
  status: { from: [ofEvent('event_action'), statusOfEvent], map: { update: 'update' }, absent: 'triggered' },
  severity: {
    from: [ofEvent('payload', 'severity'), ofIncident('priority'), ofIncident('urgency')],
    take: 'first-known',
  },
  keep: ({ element }) => (isObject(element) ? element : {}),
  redact: ['$.routing_key'], // the address of the webhook
} as const satisfies SourceConnector;
