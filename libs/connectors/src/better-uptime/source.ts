import { isEmpty, isObject, textOf, valueAlong, valueAt } from '@tocsin/domain/mapping';
import type { FieldSource, Reading, SourceConnector } from '../kit/source-connector.ts';

const attribute = (element: unknown, ...keys: string[]): unknown =>
  valueAlong(valueAt(element, 'data', 'attributes'), keys);
const ofIncident =
  (...keys: string[]): FieldSource =>
  ({ element }) =>
    attribute(element, ...keys);

/** The event; where a template leaves it out the incident's status, and at last which of its times is set. */
function statusOf({ element }: Reading): unknown {
  const stated = [valueAt(element, 'event'), attribute(element, 'status')].find((value) => !isEmpty(value));
  if (stated !== undefined) return stated;
  if (!isEmpty(attribute(element, 'resolved_at'))) return 'resolved';
  return isEmpty(attribute(element, 'acknowledged_at')) ? 'started' : 'acknowledged';
}

/** Metadata of the monitor: a text, or a list of `{type, value}`. */
const metadata =
  (name: string): FieldSource =>
  ({ element }) => {
    const value = attribute(element, 'metadata', name);
    return Array.isArray(value) ? textOf(value) : value;
  };

/** Host of the watched address: the incident names no service. */
function hostOf({ element }: Reading): string | undefined {
  const host = URL.parse(textOf(attribute(element, 'url')) ?? '')?.hostname;
  return host === '' ? undefined : host;
}

const teamOf = ({ element }: Reading): string[] => {
  const team = textOf(attribute(element, 'team_name'));
  return team === undefined ? [] : [`team:${team}`];
};

/** Outgoing webhook of Better Stack Uptime (Better Uptime): incidents. */
export const source = {
  id: 'better-uptime',
  title: 'Better Uptime',
  category: 'uptime',
  kind: 'alert',
  slugs: [],
  auth: { default: 'bearer', also: ['basic', 'api_key', 'hmac', 'query_token', 'none'] },
  deliveryIdHeaders: [],
  retries: { on429: false },
  respond: 'accept',
  resolves: true,
  decode: ['json'],
  recognises: (root) => isObject(valueAt(root, 'data')),
  split: (root) => [root],
  recognisesElement: (element) => textOf(valueAt(element, 'data', 'id')) !== undefined,
  ignore: [
    {
      // Hooks about monitors and on-call changes; their ids are of another number space.
      when: ({ element }) => (textOf(valueAt(element, 'data', 'type')) ?? 'incident') !== 'incident',
      reason: 'unsupported-event',
    },
  ],
  fields: {
    title: [ofIncident('name')],
    description: [ofIncident('cause')],
    services: [metadata('service'), hostOf],
    tags: [teamOf],
    source: [ofIncident('origin_url'), ofIncident('team_name')],
    url: [ofIncident('url')],
    dedupKey: ['$.data.id'],
    firingKey: [],
    incidentType: [],
  },
  occurredAt: { from: [ofIncident('started_at')], whenResolved: [ofIncident('resolved_at')], orders: true },
  status: {
    from: [statusOf],
    map: { unconfirmed: 'triggered', validating: 'triggered', reopened: 'triggered' },
    absent: 'triggered',
  },
  severity: { from: [metadata('severity'), ofIncident('severity'), () => 'critical'], take: 'first-known' },
  keep: ({ element }) => (isObject(element) ? element : {}),
} as const satisfies SourceConnector;
