import { isObject, listOf, textOf, valueAlong, valueAt } from '@tocsin/domain/mapping';
import type { Reading, SourceConnector } from '../kit/source-connector.ts';

/** Keys of what people publish as templates; the first of our own in the README. */
const first = (element: unknown, ...keys: readonly (readonly string[])[]): string | undefined => {
  for (const key of keys) {
    const text = textOf(valueAlong(element, key));
    if (text !== undefined && !/^\$\{.*\}$/.test(text)) return text; // a variable that the event does not have stays as written
  }
  return undefined;
};

const eventTypeOf = (element: unknown): string =>
  (first(element, ['event_type'], ['ad_event_type'], ['eventType'], ['type']) ?? '').trim().toUpperCase();

/** Test for the end first: POLICY_CLOSE_CRITICAL speaks of a critical violation that is over. */
function statusOf({ element }: Reading): string | undefined {
  const type = eventTypeOf(element);
  if (/^POLICY_(?:CLOSE|CANCELED)_/.test(type)) return 'resolved';
  if (type.startsWith('POLICY_')) return 'triggered';
  return first(element, ['message_type'], ['status'], ['state']);
}

function severityOf({ element }: Reading): string | undefined {
  const type = eventTypeOf(element);
  if (/^POLICY_UPGRADED|_CRITICAL$/.test(type)) return 'critical';
  if (/^POLICY_DOWNGRADED|_WARNING$/.test(type)) return 'medium';
  return first(element, ['severity'], ['message_type']);
}

const SEVERITY = { error: 'critical', warn: 'medium', warning: 'medium', info: 'info', recovery: 'info' } as const;

/** The incident of the violation is the same from its start to its end; the ids of the events are not. */
function keyOf({ element }: Reading): string | undefined {
  const incident = first(element, ['incident_id'], ['incident', 'id'], ['incidentId'], ['entity_id']);
  if (incident !== undefined) return incident;
  const rule = first(element, ['health_rule'], ['healthRule', 'name'], ['health_rule_name']);
  const parts = [first(element, ['application']), first(element, ['node'], ['tier']), rule];
  return rule === undefined ? undefined : parts.map((part) => part ?? '').join(':');
}

/** The message of an event is HTML. */
function plainText({ element }: Reading): string | undefined {
  const html = first(element, ['description'], ['summary_message'], ['state_message'], ['message'], ['event_message']);
  return html
    ?.slice(0, 20_000)
    .replaceAll(/<br\s*\/?>|<\/p>/gi, '\n')
    .replaceAll(/<[a-z/][^<>]*>/gi, '')
    .trim();
}

/** HTTP request templates: there is no default body, so the common ones are read. */
export const source = {
  id: 'appdynamics',
  title: 'AppDynamics',
  category: 'apm',
  kind: 'alert',
  slugs: [],
  auth: { default: 'bearer', also: ['api_key', 'basic', 'query_token', 'none'], apiKey: { header: 'x-api-key' } },
  deliveryIdHeaders: [],
  retries: { on429: false },
  respond: 'accept',
  resolves: true,
  decode: ['json', 'json-sequence', 'repaired-json', 'form'],
  recognises: (root) =>
    Array.isArray(root) ||
    [
      ['event_type'],
      ['ad_event_type'],
      ['eventType'],
      ['severity'],
      ['incident_id'],
      ['events'],
      ['message_type'],
      ['event_id'],
    ].some((key) => valueAlong(root, key) !== undefined),
  split: (root): readonly unknown[] => {
    const events = valueAt(root, 'events');
    return Array.isArray(root) ? root : Array.isArray(events) ? events : [root];
  },
  recognisesElement: (element) => isObject(element) && Object.keys(element).length > 0,
  ignore: [],
  fields: {
    title: [
      ({ element }) =>
        first(element, ['title'], ['name'], ['displayName'], ['state_message'], ['health_rule'], ['event_message']),
    ],
    description: [plainText],
    services: [
      ({ element }) => listOf(first(element, ['application'], ['application', 'name'], ['app'])),
      ({ element }) => listOf(first(element, ['tier'], ['node'])),
    ],
    tags: [
      ({ element }) =>
        ['tier', 'node', 'health_rule', 'account'].flatMap((key) => {
          const text = first(element, [key]);
          return text === undefined ? [] : [`${key}:${text}`];
        }),
    ],
    source: ['$.controller', '$.monitoring_tool'],
    url: [({ element }) => first(element, ['url'], ['link'], ['deep_link'], ['deepLink'], ['alert_url'])],
    dedupKey: [keyOf],
    firingKey: [],
    incidentType: [],
  },
  occurredAt: {
    from: [({ element }) => first(element, ['event_time'], ['eventTime'], ['lastReceived'], ['timestamp'])],
    orders: true,
  },
  status: {
    from: [statusOf],
    map: {
      critical: 'triggered',
      warning: 'triggered',
      recovery: 'resolved',
      acknowledgement: 'acknowledged',
      info: 'update',
    },
    absent: 'triggered',
  },
  severity: { from: [severityOf], map: SEVERITY },
  keep: ({ element }) => (isObject(element) ? element : {}),
} as const satisfies SourceConnector;
