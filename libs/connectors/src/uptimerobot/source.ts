import { isObject, textOf, valueAt } from '@tocsin/domain/mapping';
import type { Reading, SourceConnector } from '../kit/source-connector.ts';

/** A variable of the template; one that was not filled in (`*monitorID*`, or its own name) is no value. */
const variable =
  (name: string) =>
  ({ element }: Reading): string | undefined => {
    const text = textOf(valueAt(element, name));
    return text === `*${name}*` || text === name ? undefined : text;
  };

const TYPES = { DOWN: '1', UP: '2', EXPIRY: '3' } as const;

/** The number where it is given, else what the friendly name says. */
function typeOf(reading: Reading): string | undefined {
  const type = variable('alertType')(reading);
  if (type !== undefined) return type;
  const name = variable('alertTypeFriendlyName')(reading) ?? '';
  if (/\b(?:ssl|domain|expir)/i.test(name)) return TYPES.EXPIRY;
  if (/^up$/i.test(name)) return TYPES.UP;
  return /^down$/i.test(name) ? TYPES.DOWN : undefined;
}

/** An expiring certificate is a thing of its own: "Up" must not resolve it. */
function keyOf(reading: Reading): string | undefined {
  const id = variable('monitorID')(reading);
  return id === undefined || typeOf(reading) !== TYPES.EXPIRY ? id : `${id}:ssl`;
}

/** Alert contact "Webhook": the variables as JSON, as a form, or in the address. */
export const source = {
  id: 'uptimerobot',
  title: 'UptimeRobot',
  category: 'uptime',
  kind: 'alert',
  slugs: [],
  auth: { default: 'none', also: ['query_token', 'bearer', 'basic', 'api_key'] },
  deliveryIdHeaders: [],
  retries: { on429: false },
  respond: 'accept',
  resolves: true,
  decode: ['json', 'form', 'query', 'repaired-json'],
  recognises: (root) =>
    ['monitorID', 'monitorFriendlyName', 'alertType'].some((name) => valueAt(root, name) !== undefined),
  split: (root) => [root],
  recognisesElement: () => true,
  ignore: [],
  fields: {
    title: [variable('monitorFriendlyName'), variable('monitorURL'), variable('alertTypeFriendlyName')],
    description: [variable('alertDetails'), variable('alertTypeFriendlyName')],
    services: [variable('monitorFriendlyName')],
    tags: [],
    source: [],
    url: [variable('monitorURL')],
    dedupKey: [keyOf],
    firingKey: [],
    incidentType: [],
  },
  occurredAt: { from: [variable('alertDateTime')], orders: true },
  status: { from: [typeOf], map: { '1': 'triggered', '2': 'resolved', '3': 'triggered' }, absent: 'triggered' },
  severity: { from: [(reading) => (typeOf(reading) === TYPES.EXPIRY ? 'medium' : 'critical')] },
  keep: ({ element }) => (isObject(element) ? element : {}),
  remarks: ({ element }, notes) => {
    for (const name of ['monitorID', 'alertType', 'monitorFriendlyName']) {
      const text = valueAt(element, name);
      if (text === name || text === `*${name}*`) notes.add('placeholder-unfilled', `$.${name}`);
    }
  },
} as const satisfies SourceConnector;
