import { isEmpty, isObject, listOf, pairsOf, textOf, valueAt } from '@tocsin/domain/mapping';
import type { Reading, SourceConnector } from '../kit/source-connector.ts';

/** The groups over the threshold. The default template writes `Group` and `Result` with a capital letter. */
function triggeredGroups(element: unknown): readonly unknown[] {
  const groups = valueAt(element, 'result_groups_triggered');
  if (!Array.isArray(groups)) return [];
  return groups.slice(0, 100).map((group: unknown) => valueAt(group, 'Group') ?? valueAt(group, 'group'));
}

const SERVICE_COLUMNS = ['service.name', 'service_name', 'service'] as const;

const servicesOfGroups = ({ element }: Reading): unknown[] =>
  triggeredGroups(element).flatMap((group) => {
    const found = SERVICE_COLUMNS.map((name) => valueAt(group, name)).find((value) => !isEmpty(value));
    return found === undefined ? [] : [found];
  });

/** The dataset is only named in the links: `https://ui.honeycomb.io/<team>/[environments/<name>/]datasets/<dataset>/…`. */
function datasetOf({ element }: Reading): string | undefined {
  for (const name of ['trigger_url', 'result_url']) {
    const dataset = /\/datasets\/([^/?#]+)/.exec(textOf(valueAt(element, name)) ?? '')?.[1];
    if (dataset !== undefined) return dataset;
  }
  return undefined;
}

const tagsOf = ({ element }: Reading): string[] => [
  ...triggeredGroups(element).flatMap(pairsOf),
  ...listOf(valueAt(element, 'tags')),
];

/** Webhook recipient of triggers and of SLO burn alerts; the body is a template that the team may change. */
export const source = {
  id: 'honeycomb',
  title: 'Honeycomb',
  category: 'monitoring',
  kind: 'alert',
  slugs: [],
  auth: {
    default: 'bearer',
    also: ['api_key', 'vendor', 'basic', 'query_token', 'none'],
    secretHeaders: ['x-honeycomb-webhook-token'],
  },
  deliveryIdHeaders: ['x-honeycomb-webhook-delivery-id'],
  retries: { on429: false },
  respond: 'accept',
  resolves: true,
  decode: ['json'],
  recognises: (root) =>
    isObject(root) &&
    ['result_url', 'trigger_url', 'result_groups', 'name', 'id'].some((key) => Object.hasOwn(root, key)),
  split: (root) => [root],
  recognisesElement: (element) => !isEmpty(valueAt(element, 'status')) || !isEmpty(valueAt(element, 'name')),
  ignore: [
    {
      when: ({ element }) =>
        [true, 'true'].includes((valueAt(element, 'isTest') ?? valueAt(element, 'is_test')) as string),
      reason: 'test-notification',
    },
  ],
  fields: {
    title: ['$.name', '$.summary'],
    description: ['$.description', '$.trigger_description', '$.summary'],
    services: [servicesOfGroups, '$.service', '$.dataset', datasetOf],
    tags: [tagsOf],
    source: ['$.environment', '$.dataset', datasetOf],
    url: ['$.result_url', '$.trigger_url'],
    dedupKey: ['$.id', '$.name'],
    firingKey: [],
    incidentType: [],
  },
  occurredAt: { from: ['$.timestamp'], orders: false }, // the default template states no time
  status: { from: ['$.status'], map: { triggered: 'triggered', ok: 'resolved' }, absent: 'triggered' },
  severity: { from: ['$.severity', '$.priority'] },
  keep: ({ element }) => (isObject(element) ? element : {}),
  redact: ['$.shared_secret'], // the default template can echo it
} as const satisfies SourceConnector;
