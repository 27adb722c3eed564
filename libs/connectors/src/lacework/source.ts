import { isObject, listOf, textOf, valueAt } from '@tocsin/domain/mapping';
import type { Reading, SourceConnector } from '../kit/source-connector.ts';

const MONTHS = 'janfebmaraprmayjunjulaugsepoctnovdec';
const VENDOR_TIME = /^(\d{1,2}) ([a-z]{3})[a-z]* (\d{4}) (\d{2}):(\d{2})(?::(\d{2}))? ?(?:GMT|UTC)?$/i;

/** `27 Jan 2021 16:00 GMT` in a form that every reader knows; other forms go through as they are. */
function timeOf({ element }: Reading): unknown {
  const stated = valueAt(element, 'event_timestamp');
  const match = typeof stated === 'string' ? VENDOR_TIME.exec(stated.trim()) : null;
  if (!match) return stated;
  const [, day = '', name = '', year = '', hour = '', minute = '', second = '00'] = match;
  const at = MONTHS.indexOf(name.toLowerCase());
  if (at < 0 || at % 3 !== 0) return stated;
  const month = String(at / 3 + 1).padStart(2, '0');
  return `${year}-${month}-${day.padStart(2, '0')}T${hour}:${minute}:${second}Z`;
}

/** Event ids are counted per account. */
function keyOf({ element }: Reading): string | undefined {
  const event = textOf(valueAt(element, 'event_id'));
  if (event === undefined) return undefined;
  const account = textOf(valueAt(element, 'lacework_account'));
  return account === undefined ? event : `${account}:${event}`;
}

function tagsOf({ element }: Reading): string[] {
  const tag = (name: string, key: string) => listOf(valueAt(element, key)).map((value) => `${name}:${value}`);
  return [...tag('type', 'event_type'), ...tag('account', 'lacework_account'), ...tag('rule', 'rec_id')];
}

/** Webhook alert channel. */
export const source = {
  id: 'lacework',
  title: 'Lacework',
  category: 'security',
  kind: 'alert',
  slugs: [],
  auth: { default: 'query_token', also: ['bearer', 'none', 'api_key', 'basic', 'hmac'] }, // the channel has only an address
  deliveryIdHeaders: [],
  retries: { on429: false },
  respond: 'accept',
  resolves: false,
  decode: ['json'],
  recognises: (root) => (Array.isArray(root) ? root.length > 0 : isEvent(root)),
  split: (root): readonly unknown[] => (Array.isArray(root) ? root : [root]),
  recognisesElement: (element) => isEvent(element),
  ignore: [],
  fields: {
    title: ['$.event_title', '$.event_type'],
    description: ['$.event_description'],
    services: ['$.event_source'],
    tags: [tagsOf],
    source: ['$.lacework_account'],
    url: ['$.event_link'],
    dedupKey: [keyOf],
    firingKey: [],
    incidentType: ['$.event_type'],
  },
  occurredAt: { from: [timeOf], orders: false }, // there is nothing to order: no event ends another
  status: { from: [], absent: 'triggered' },
  severity: {
    from: ['$.event_severity'],
    map: { '1': 'critical', '2': 'high', '3': 'medium', '4': 'low', '5': 'info' },
  },
  keep: ({ element }) => (isObject(element) ? element : {}),
} as const satisfies SourceConnector;

function isEvent(value: unknown): boolean {
  return (
    isObject(value) &&
    ['event_id', 'event_title', 'event_type', 'event_description'].some(
      (key) => textOf(valueAt(value, key)) !== undefined,
    )
  );
}
