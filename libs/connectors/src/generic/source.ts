import { isEmptyObject, isObject } from '@tocsin/domain/mapping';
import type { SourceConnector } from '../kit/source-connector.ts';

/** Any JSON: one object is one alert, a list is one alert per element. No mapping needed (product P4). */
export const source = {
  id: 'generic',
  title: 'Generic',
  category: 'custom',
  kind: 'alert',
  slugs: ['webhook'],
  auth: {
    default: 'bearer',
    also: ['hmac', 'api_key', 'basic', 'query_token', 'none'],
    signatureHeaders: ['x-signature', 'x-webhook-signature'],
  },
  deliveryIdHeaders: [],
  retries: { on429: true },
  respond: 'wait',
  resolves: true,
  decode: ['json'],
  recognises: (root) => Array.isArray(root) || (isObject(root) && !isEmptyObject(root)),
  split: (root): readonly unknown[] => (Array.isArray(root) ? root : [root]),
  recognisesElement: (element) => isObject(element) && !isEmptyObject(element),
  ignore: [],
  fields: {
    title: ['$.title', '$.summary', '$.message', '$.name'],
    description: ['$.description', '$.details', '$.body'],
    services: ['$.services', '$.service'],
    tags: ['$.tags', '$.labels'],
    source: ['$.source', '$.origin', '$.system'],
    url: ['$.url', '$.link'],
    dedupKey: ['$.dedup_key', '$.id', '$.alert_id'],
    firingKey: [],
    incidentType: [],
  },
  occurredAt: { from: [], orders: false }, // P4 names no time field, so the time of receipt orders
  status: { from: ['$.status', '$.action', '$.state'], absent: 'triggered' },
  severity: { from: ['$.severity', '$.level', '$.priority'] },
  keep: ({ element }) => (isObject(element) ? element : {}),
} as const satisfies SourceConnector;
