import { isEmpty, isObject, listOf, textOf, valueAt } from '@tocsin/domain/mapping';
import type { Reading, SourceConnector } from '../kit/source-connector.ts';

/** In a form or an address the two documents are texts inside the fields. */
const monitor = (reading: Reading, key: string): unknown => valueAt(reading.element, 'monitor', key);
const heartbeat = (reading: Reading, key: string): unknown => valueAt(reading.element, 'heartbeat', key);
const message = ({ element }: Reading): string | undefined => textOf(valueAt(element, 'msg'));

const saysTest = (reading: Reading): boolean =>
  isEmpty(valueAt(reading.element, 'heartbeat')) && /\btesting$/i.test(message(reading)?.trim() ?? '');
const EXPIRY = /^(?:\[([^\]]*)\])?(?:\[([^\]]*)\])?\s*(.*) will expire in \d+ days?/is;
const expiryOf = (reading: Reading): RegExpExecArray | undefined =>
  isEmpty(valueAt(reading.element, 'heartbeat'))
    ? (EXPIRY.exec(message(reading)?.slice(0, 2_000) ?? '') ?? undefined)
    : undefined;

const statusOf = (reading: Reading): string | undefined => textOf(heartbeat(reading, 'status'));

/** `name:value`, or the name alone. */
function tagsOf(reading: Reading): string[] {
  const tags = monitor(reading, 'tags');
  if (!Array.isArray(tags)) return [];
  return tags.slice(0, 100).flatMap((tag: unknown) => {
    const name = textOf(valueAt(tag, 'name'));
    const value = textOf(valueAt(tag, 'value'));
    return name === undefined ? [] : [value === undefined ? name : `${name}:${value}`];
  });
}

const servicesOf = (reading: Reading): string[] =>
  tagsOf(reading).flatMap((tag) => (tag.startsWith('service:') ? [tag.slice('service:'.length)] : []));

/** Of an expiring certificate only the text says which: what is counted down is left out, so that each reminder is a repeat. */
function keyOf(reading: Reading): string | undefined {
  const id = textOf(monitor(reading, 'id') ?? heartbeat(reading, 'monitorID'));
  if (id !== undefined) return id;
  const expiry = expiryOf(reading);
  return (
    expiry &&
    `certificate:${expiry
      .slice(1, 4)
      .map((part) => part ?? '')
      .join('|')}`
  );
}

/** Notification "Webhook": JSON, form-data, or GET with the documents in the address. */
export const source = {
  id: 'uptime-kuma',
  title: 'Uptime Kuma',
  category: 'uptime',
  kind: 'alert',
  slugs: [],
  auth: { default: 'bearer', also: ['basic', 'api_key', 'query_token', 'none'] },
  deliveryIdHeaders: [],
  retries: { on429: false },
  respond: 'accept',
  resolves: true,
  decode: ['json', { formField: 'data' }, 'form', 'query'],
  unwrap: [
    { at: ['heartbeat'], encoding: 'json', becomes: 'value' },
    { at: ['monitor'], encoding: 'json', becomes: 'value' },
  ],
  recognises: (root) => valueAt(root, 'heartbeat') !== undefined || typeof valueAt(root, 'msg') === 'string',
  split: (root) => [root],
  recognisesElement: () => true,
  ignore: [
    { when: saysTest, reason: 'test-notification' },
    { when: (reading) => ['2', '3'].includes(statusOf(reading) ?? ''), reason: 'not-an-alert-state' }, // pending, maintenance
  ],
  fields: {
    title: ['$.monitor.name', '$.msg'],
    description: ['$.heartbeat.msg', '$.msg'],
    services: [servicesOf, '$.monitor.pathName', '$.monitor.name', (reading) => listOf(expiryOf(reading)?.[1])],
    tags: [tagsOf],
    source: ['$.monitor.pathName'],
    url: ['$.monitor.url', '$.monitor.hostname', (reading) => expiryOf(reading)?.[2]],
    dedupKey: [keyOf],
    firingKey: [],
    incidentType: [],
  },
  occurredAt: { from: ['$.heartbeat.time'], orders: true }, // UTC without a zone
  status: { from: [statusOf], map: { '0': 'triggered', '1': 'resolved' }, absent: 'triggered' },
  severity: { from: [(reading) => (expiryOf(reading) ? 'medium' : 'critical')] },
  keep: ({ element }) => (isObject(element) ? element : {}),
  // Versions before 1.23 send the monitor with the credentials that it checks with.
  redact: [
    '$.monitor.basic_auth_user',
    '$.monitor.basic_auth_pass',
    '$.monitor.headers',
    '$.monitor.body',
    '$.monitor.pushToken',
    '$.monitor.authWorkstation',
    '$.monitor.authDomain',
    '$.monitor.tlsKey',
    '$.monitor.tlsCert',
    '$.monitor.tlsCa',
    '$.monitor.mqttUsername',
    '$.monitor.mqttPassword',
    '$.monitor.databaseConnectionString',
    '$.monitor.radiusUsername',
    '$.monitor.radiusPassword',
    '$.monitor.radiusSecret',
    '$.monitor.oauth_client_secret',
  ],
} as const satisfies SourceConnector;
