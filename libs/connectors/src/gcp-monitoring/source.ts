import { isObject, pairsOf, textOf, valueAt } from '@tocsin/domain/mapping';
import type { Reading, SourceConnector } from '../kit/source-connector.ts';

const documentation = (reading: Reading, key: string): unknown => valueAt(reading.element, 'documentation', key);

/** The summary says what was measured, the documentation of the policy what to do; the test notification has a plain text there. */
function describe(reading: Reading): string | undefined {
  const summary = textOf(valueAt(reading.element, 'summary'));
  const whole = valueAt(reading.element, 'documentation');
  const content = textOf(documentation(reading, 'content') ?? (typeof whole === 'string' ? whole : undefined));
  return [summary, content].filter((text) => text !== undefined).join('\n\n') || undefined;
}

function tagsOf({ element }: Reading): string[] {
  const project = textOf(valueAt(element, 'scoping_project_id'));
  return [
    ...pairsOf(valueAt(element, 'policy_user_labels')),
    ...pairsOf(valueAt(element, 'metadata', 'user_labels')),
    ...pairsOf(valueAt(element, 'resource', 'labels')),
    ...pairsOf(valueAt(element, 'metric', 'labels')),
    ...(project === undefined ? [] : [`project:${project}`]),
  ];
}

/** Notifications of an alerting policy by webhook, or by Pub/Sub push (the same document in base64). */
export const source = {
  id: 'gcp-monitoring',
  title: 'Google Cloud Monitoring',
  category: 'cloud',
  kind: 'alert',
  slugs: ['google-cloud-monitoring'],
  auth: {
    default: 'bearer',
    also: ['query_token', 'basic', 'vendor', 'api_key', 'none'],
    vendor: { kind: 'jwt', provider: 'google' },
    queryParameters: ['auth_token', 'token'],
  },
  deliveryIdHeaders: [],
  retries: { on429: true },
  respond: 'accept',
  resolves: true,
  decode: ['json'],
  unwrap: [{ at: ['message', 'data'], encoding: 'base64-json', becomes: 'root' }],
  recognises: (root) => isObject(valueAt(root, 'incident')),
  split: (root) => [valueAt(root, 'incident')],
  recognisesElement: () => true,
  ignore: [],
  fields: {
    title: [
      (reading) => documentation(reading, 'subject'),
      '$.policy_name',
      '$.condition_name',
      '$.condition.displayName',
      '$.summary',
    ],
    description: [describe],
    services: [
      '$.policy_user_labels.service',
      '$.metadata.user_labels.service',
      '$.resource_display_name',
      '$.resource_name',
      '$.resource.type',
    ],
    tags: [tagsOf],
    source: ['$.scoping_project_id'],
    url: ['$.url'],
    dedupKey: ['$.incident_id'],
    firingKey: [],
    incidentType: [],
  },
  occurredAt: { from: ['$.started_at'], whenResolved: ['$.ended_at'], orders: true },
  status: { from: ['$.state'], map: { open: 'triggered', closed: 'resolved' }, absent: 'triggered' },
  severity: {
    from: ['$.severity', '$.policy_user_labels.severity', '$.metadata.system_labels.severity'],
    map: { error: 'high', warning: 'medium' },
    take: 'first-known', // "No severity" is no answer
  },
  keep: ({ element }) => (isObject(element) ? element : {}),
} as const satisfies SourceConnector;
