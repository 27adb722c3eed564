import { isObject, textOf, valueAt } from '@tocsin/domain/mapping';
import type { Reading, SourceConnector } from '../kit/source-connector.ts';

const eventOf = (element: unknown): string => textOf(valueAt(element, 'event')) ?? '';

const labelsOf = (element: unknown): string[] => {
  const labels = valueAt(element, 'incident', 'labels');
  if (!Array.isArray(labels)) return [];
  return labels.slice(0, 200).flatMap((label: unknown) => textOf(valueAt(label, 'label')) ?? textOf(label) ?? []);
};

const servicesOf = ({ element }: Reading): string[] =>
  labelsOf(element).flatMap((label) => /^service:\s*(.+)$/i.exec(label)?.[1] ?? []);

const tagsOf = ({ element }: Reading): string[] =>
  valueAt(element, 'incident', 'isDrill') === true ? [...labelsOf(element), 'drill'] : labelsOf(element);

/** A new title or label of an active incident changes fields; every other event repeats the incident's state. */
function statusOfEvent({ element }: Reading): unknown {
  const status = valueAt(element, 'incident', 'status');
  const edits = /^grafana\.incident\.(?:updated\.(?:title|summary)|(?:added|removed)\.label)$/.test(eventOf(element));
  return edits && status === 'active' ? 'update' : status;
}

/** Only a whole address: the payload's `overviewURL` is a path, and nothing in it says on which Grafana. */
function pageOf({ element }: Reading): string | undefined {
  const page = textOf(valueAt(element, 'incident', 'overviewURL'));
  return page !== undefined && /^https?:\/\//.test(page) ? page : undefined;
}

/** Outgoing webhook of Grafana Incident (IRM). */
export const source = {
  id: 'grafana-incident',
  title: 'Grafana Incident',
  category: 'incident-management',
  kind: 'alert',
  slugs: [],
  auth: {
    default: 'bearer',
    also: ['hmac', 'basic', 'api_key', 'query_token', 'none'],
    signatureHeaders: ['gi-signature'],
    signatures: [{ headers: ['gi-signature'], signs: 'digest-timestamp' }],
  },
  deliveryIdHeaders: [],
  retries: { on429: false },
  respond: 'accept',
  resolves: true,
  decode: ['json'],
  recognises: (root) => isObject(valueAt(root, 'incident')) || eventOf(root) !== '',
  split: (root) => [root],
  recognisesElement: (element) =>
    !isObject(valueAt(element, 'incident')) || textOf(valueAt(element, 'incident', 'incidentID')) !== undefined,
  ignore: [{ when: ({ element }) => !isObject(valueAt(element, 'incident')), reason: 'unsupported-event' }],
  fields: {
    title: ['$.incident.title'],
    description: ['$.incident.summary'],
    services: [servicesOf],
    tags: [tagsOf],
    source: ['$.source'],
    url: [pageOf],
    dedupKey: ['$.incident.incidentID'],
    firingKey: [],
    incidentType: ['$.incident.incidentType'],
  },
  // The start of the incident, which no event moves: a reopened incident would look older than its closing by it.
  occurredAt: {
    from: ['$.incident.incidentStart', '$.incident.createdTime', '$.time'],
    orders: false,
    changed: ['$.incident.modifiedTime', '$.time'],
  },
  status: { from: [statusOfEvent], map: { update: 'update' }, absent: 'triggered' },
  severity: {
    from: ['$.incident.severity', '$.incident.severityLabel'],
    map: { pending: 'medium', minor: 'low', major: 'high', critical: 'critical' },
  },
  keep: ({ element }) => (isObject(element) ? element : {}),
} as const satisfies SourceConnector;
