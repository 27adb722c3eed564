import { instantOf, isEmpty, isObject, isUnsetTime, pairsOf, textOf, valueAt } from '@tocsin/domain/mapping';
import { saysResolved, statusOfAlert } from '../kit/alertmanager-alert.ts';
import type { Reading, SourceConnector } from '../kit/source-connector.ts';
import { fingerprintOf } from './fingerprint.ts';

const label = (reading: Reading, name: string): unknown => valueAt(reading.element, 'labels', name);

const KUBERNETES = ['cluster', 'namespace', 'pod', 'node', 'deployment', 'statefulset', 'job'] as const;

function kubernetesOf(reading: Reading): Record<string, unknown> {
  const found = KUBERNETES.flatMap((name): [string, unknown][] => {
    const value = label(reading, name);
    return isEmpty(value) ? [] : [[name, value]];
  });
  return found.length === 0 ? {} : { k8s: Object.fromEntries(found) };
}

const GROUP = ['receiver', 'groupKey', 'groupLabels', 'commonLabels', 'externalURL', 'truncatedAlerts'] as const;

function keep(reading: Reading): Record<string, unknown> {
  const group = GROUP.flatMap((name): [string, unknown][] => {
    const value = valueAt(reading.root, name);
    return value === undefined ? [] : [[name, value]];
  });
  const alert = isObject(reading.element) ? reading.element : {};
  return { ...alert, ...kubernetesOf(reading), ...Object.fromEntries(group) };
}

/** Alertmanager's hash of the labels. Version 3 and API v2 send none; then it is worked out as Alertmanager does. */
const fingerprint = ({ element }: Reading): string | undefined =>
  textOf(valueAt(element, 'fingerprint')) ?? fingerprintOf(valueAt(element, 'labels'));

/**
 * Repeats have the same start, a new firing has a new one. Compared as an instant: Prometheus writes `.120Z` where Alertmanager,
 * which tells of the same firing, writes `.12Z`.
 */
function firing(reading: Reading): string | undefined {
  const key = fingerprint(reading);
  const start = valueAt(reading.element, 'startsAt');
  return key === undefined || isUnsetTime(start) ? undefined : `${key}@${instantOf(start) ?? textOf(start) ?? ''}`;
}

/** Nothing around the list of API v2 names its sender; the link back to the rule does. */
const senderOfList = ({ element, root }: Reading): string | undefined =>
  Array.isArray(root)
    ? /^https?:\/\/[^/?#]+/i.exec(textOf(valueAt(element, 'generatorURL'))?.slice(0, 500) ?? '')?.[0]
    : undefined;

/**
 * Alertmanager webhook version 4, and 3 (no fingerprint, numeric group key), which has the same shape; and the bare list of Alertmanager's
 * API v2, which Prometheus itself posts (drop-in address of the gateway).
 */
export const source = {
  id: 'prometheus',
  title: 'Prometheus Alertmanager',
  category: 'monitoring',
  kind: 'alert',
  slugs: [],
  auth: { default: 'bearer', also: ['basic', 'api_key', 'query_token', 'none'] },
  deliveryIdHeaders: [],
  retries: { on429: false }, // only 5xx is tried again
  respond: 'accept',
  resolves: true,
  decode: ['json'],
  recognises: (root) => Array.isArray(root) || (isObject(root) && Array.isArray(valueAt(root, 'alerts'))),
  split: (root): readonly unknown[] => (Array.isArray(root) ? root : (valueAt(root, 'alerts') as unknown[])),
  recognisesElement: (element) => isObject(valueAt(element, 'labels')) || isObject(valueAt(element, 'annotations')),
  ignore: [],
  fields: {
    title: [
      '$.labels.alertname',
      '$.annotations.title',
      '$.annotations.summary',
      '$root.commonLabels.alertname',
      '$root.groupLabels.alertname',
    ],
    description: [
      '$.annotations.description',
      '$.annotations.message',
      '$.annotations.summary',
      '$root.commonAnnotations.description',
      '$root.commonAnnotations.summary',
    ],
    services: ['$.labels.service', '$.labels.app', '$.labels.job', '$.labels.namespace'],
    tags: [({ element }) => pairsOf(valueAt(element, 'labels'))],
    source: ['$root.externalURL', '$root.receiver', senderOfList],
    url: ['$.generatorURL', '$root.externalURL', '$.annotations.runbook_url'],
    dedupKey: [fingerprint],
    firingKey: [firing],
    incidentType: [],
  },
  occurredAt: { from: ['$.startsAt'], whenResolved: ['$.endsAt'], orders: true, ends: ['$.endsAt'] },
  status: { from: [statusOfAlert], absent: 'triggered' },
  severity: {
    from: [
      '$.labels.severity',
      '$.annotations.severity',
      '$.labels.priority',
      '$.labels.level',
      '$root.commonLabels.severity',
    ],
    take: 'first-known',
  },
  keep,
  remarks: ({ element, root }, notes) => {
    const truncated = valueAt(root, 'truncatedAlerts');
    if (typeof truncated === 'number' && truncated > 0) {
      notes.add(
        'alerts-truncated-by-source',
        '$root.truncatedAlerts',
        `${truncated} alerts were left out by Alertmanager`,
      );
    }
    const end = valueAt(element, 'endsAt');
    if (saysResolved(valueAt(element, 'status')) && end !== undefined && isUnsetTime(end))
      notes.add('end-not-set', 'status');
  },
} as const satisfies SourceConnector;
