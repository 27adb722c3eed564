import { isObject, textOf, valueAt } from '@tocsin/domain/mapping';
import { tag } from '../kit/event-reader.ts';
import type { Reading, SourceConnector } from '../kit/source-connector.ts';

/** The facts stand in a list of `{label, value}`. */
function labelled(root: unknown, label: string): string | undefined {
  const fields = valueAt(root, 'fields');
  if (!Array.isArray(fields)) return undefined;
  const field: unknown = fields
    .slice(0, 100)
    .find((one) => textOf(valueAt(one, 'label'))?.trim().toLowerCase() === label);
  return textOf(valueAt(field, 'value'));
}

const byLabel =
  (label: string) =>
  ({ element }: Reading): string | undefined =>
    labelled(element, label);

/** A budget that is nearly gone is worse than one that shrinks fast; what the condition is called is all that the payload says. */
function severityOf({ element }: Reading): string | undefined {
  const condition = labelled(element, 'slo status');
  if (condition === undefined) return undefined;
  if (/critically low|exhausted/i.test(condition)) return 'high';
  return /burn rate/i.test(condition) ? 'medium' : condition;
}

function tagsOf({ element }: Reading): string[] {
  return [
    ...tag('account', labelled(element, 'account name') ?? labelled(element, 'account id')),
    ...tag('organization', labelled(element, 'organization id')),
    ...tag('project', labelled(element, 'project id')),
  ];
}

/** Service Reliability Management: notifications of an SLO's error budget. They never say that it has recovered. */
export const source = {
  id: 'harness-slo',
  title: 'Harness SLO',
  category: 'source-control',
  kind: 'alert',
  slugs: [],
  auth: { default: 'bearer', also: ['basic', 'api_key', 'hmac', 'query_token', 'none'] },
  deliveryIdHeaders: [],
  retries: { on429: false },
  respond: 'accept',
  resolves: false,
  decode: ['json'],
  recognises: (root) =>
    isObject(root) &&
    ['slo status', 'slo id', 'slo name', 'slo url'].some((label) => labelled(root, label) !== undefined),
  split: (root) => [root],
  recognisesElement: isObject,
  ignore: [],
  fields: {
    title: [byLabel('slo status'), '$.title'], // the title of the payload is the same for all
    description: ['$.description'],
    services: [byLabel('slo name'), byLabel('slo id')],
    tags: [tagsOf],
    source: [byLabel('account name'), byLabel('account id')],
    url: [byLabel('slo url')],
    dedupKey: [byLabel('slo id')],
    firingKey: [],
    incidentType: [],
  },
  occurredAt: { from: [byLabel('incident unix timestamp')], orders: true },
  status: { from: [], absent: 'triggered' },
  severity: { from: [severityOf] },
  keep: ({ element }) => (isObject(element) ? element : {}),
} as const satisfies SourceConnector;
