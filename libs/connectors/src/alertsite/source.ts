import { isObject, textOf, valueAt } from '@tocsin/domain/mapping';
import type { SourceConnector } from '../kit/source-connector.ts';

const TAGS = ['location', 'device_type', 'step_name', 'company'] as const;

/** The JSON notification of a monitor. */
export const source = {
  id: 'alertsite',
  title: 'AlertSite',
  category: 'uptime',
  kind: 'alert',
  slugs: [],
  auth: { default: 'none', also: ['basic', 'query_token', 'bearer', 'api_key'] },
  deliveryIdHeaders: [],
  retries: { on429: false },
  respond: 'accept',
  resolves: true,
  decode: ['json', 'form'],
  recognises: (root) => ['device_id', 'device_name', 'notify_type'].some((key) => valueAt(root, key) !== undefined),
  split: (root) => [root],
  recognisesElement: () => true,
  ignore: [
    {
      when: ({ element }) => /^test/i.test(textOf(valueAt(element, 'notify_type')) ?? ''),
      reason: 'test-notification',
    },
  ],
  fields: {
    title: ['$.device_name', '$.transaction', '$.status_text'],
    description: ['$.status_text'],
    services: ['$.device_name'],
    tags: [
      ({ element }) =>
        TAGS.flatMap((key) => {
          const text = textOf(valueAt(element, key));
          return text === undefined ? [] : [`${key}:${text}`];
        }),
    ],
    source: ['$.source'],
    url: ['$.url'],
    dedupKey: ['$.device_id'],
    firingKey: [],
    incidentType: [],
  },
  occurredAt: { from: ['$.timestamp'], orders: true },
  // `notify_type` says what this notification is; `status` is a word or the code of a check, 0 where it went well.
  status: {
    from: ['$.notify_type', '$.status'],
    map: {
      error: 'triggered',
      alert: 'triggered',
      warning: 'triggered',
      clear: 'resolved',
      ok: 'resolved',
      '0': 'resolved',
    },
    absent: 'triggered',
  },
  severity: {
    from: [
      '$.severity',
      ({ element }) => (/^warn/i.test(textOf(valueAt(element, 'notify_type')) ?? '') ? 'medium' : 'high'),
    ],
  },
  keep: ({ element }) => (isObject(element) ? element : {}),
} as const satisfies SourceConnector;
