import { isEmpty, isObject, pairsOf, valueAt } from '@tocsin/domain/mapping';
import type { Reading, SourceConnector } from '../kit/source-connector.ts';

/** The dimensions of every input signal; `inputs` is an object whose keys are the names of the signals in the detector's program. */
function dimensionsOf(element: unknown): readonly unknown[] {
  const inputs = valueAt(element, 'inputs');
  if (!isObject(inputs)) return [];
  return Object.keys(inputs)
    .sort()
    .map((name) => valueAt(inputs, name, 'key'))
    .filter(isObject);
}

const dimension =
  (...names: string[]) =>
  ({ element }: Reading): unknown[] =>
    dimensionsOf(element).flatMap((key) => names.map((name) => valueAt(key, name)).filter((value) => !isEmpty(value)));

const tagsOf = ({ element }: Reading): string[] => dimensionsOf(element).flatMap(pairsOf);

/** `Critical Alert: CPU high (Hosts)`: the state in front changes within one incident. */
function titleFromMessage({ element }: Reading): unknown {
  const title = valueAt(element, 'messageTitle');
  return typeof title === 'string' ? title.replace(/^[^:]{1,40}: */, '') : undefined;
}

/** Webhook notifications of detectors (SignalFx). */
export const source = {
  id: 'splunk-observability',
  title: 'Splunk Observability Cloud',
  category: 'monitoring',
  kind: 'alert',
  slugs: [],
  auth: {
    default: 'bearer',
    also: ['hmac', 'api_key', 'basic', 'query_token', 'none'],
    signatureHeaders: ['x-sfx-signature'],
    // The client library says SHA-1, the catalogue of integrations SHA-256: both are read.
    signatures: [{ headers: ['x-sfx-signature'], encoding: 'base64', algorithms: ['sha256', 'sha1'] }],
  },
  deliveryIdHeaders: [],
  retries: { on429: true }, // anything but 200 is tried again for 24 hours
  respond: 'accept',
  resolves: true,
  decode: ['json'],
  recognises: (root) =>
    isObject(root) &&
    ['incidentId', 'detector', 'detectorId', 'statusExtended'].some((key) => Object.hasOwn(root, key)),
  split: (root) => [root],
  recognisesElement: isObject,
  ignore: [],
  fields: {
    title: ['$.rule', '$.detector', titleFromMessage, '$.originatingMetric'],
    description: ['$.description', '$.messageBody'],
    services: [dimension('service', 'service.name', 'sf_service'), dimension('host', 'host.name')],
    tags: [tagsOf],
    source: ['$.detector', '$.detectorId'],
    url: ['$.detectorUrl', '$.runbookUrl'],
    dedupKey: ['$.incidentId'],
    firingKey: [],
    incidentType: [],
  },
  occurredAt: { from: ['$.timestamp'], orders: true },
  // The body may still say "cleared" of an earlier state and severity stays that of the rule: statusExtended decides.
  status: {
    from: ['$.statusExtended', '$.status'],
    map: { anomalous: 'triggered', ok: 'resolved', 'manually resolved': 'resolved', stopped: 'resolved' },
    absent: 'triggered',
  },
  severity: {
    from: ['$.severity'],
    // Minor ranks above Warning here.
    map: { critical: 'critical', major: 'high', minor: 'medium', warning: 'low', info: 'info' },
  },
  keep: ({ element }) => (isObject(element) ? element : {}),
} as const satisfies SourceConnector;
