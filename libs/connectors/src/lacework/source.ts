import { isObject, listOf, textOf, valueAt } from '@tocsin/domain/mapping';
import type { Reading, SourceConnector } from '../kit/source-connector.ts';

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
  occurredAt: { from: ['$.event_timestamp'], orders: false }, // there is nothing to order: no event ends another
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
