import { createHash } from 'node:crypto';
import { instantOf, isEmpty, isObject, isUnsetTime, pairsOf, textOf, statusOf, valueAt } from '@tocsin/domain/mapping';
import type { Reading, SourceConnector } from '../kit/source-connector.ts';

const label = (reading: Reading, name: string): unknown => valueAt(reading.element, 'labels', name);

/**
 * Status of one alert. A group may hold firing and resolved alerts together, so the group's own status counts only where an alert has
 * none. Alertmanager calls an alert resolved exactly when its end is set and past: "resolved" with the zero end is still firing, and an
 * alert without a status is over when its end has passed.
 */
function statusOfAlert({ element, root, receivedAt }: Reading): unknown {
  const stated = valueAt(element, 'status');
  const end = valueAt(element, 'endsAt');
  if (!isEmpty(stated)) return saysResolved(stated) && end !== undefined && isUnsetTime(end) ? 'firing' : stated;
  const endsAt = instantOf(end);
  if (endsAt !== undefined) return endsAt <= receivedAt ? 'resolved' : 'firing';
  return end === undefined ? valueAt(root, 'status') : 'firing';
}

const saysResolved = (stated: unknown): boolean => statusOf(textOf(stated) ?? '') === 'resolved';

/** Alertmanager's own hash of the labels; versions before 0.15 send none, then ours over the sorted labels. */
function keyOf(reading: Reading): string | undefined {
  const fingerprint = textOf(valueAt(reading.element, 'fingerprint'));
  if (fingerprint !== undefined) return fingerprint;
  const labels = pairsOf(valueAt(reading.element, 'labels'));
  if (labels.length === 0) return undefined;
  return `labels:${createHash('sha256').update(JSON.stringify(labels)).digest('hex')}`;
}

/** A repeat of `repeat_interval` has the same start; a new firing has a new one. */
function firingOf(reading: Reading): string | undefined {
  const key = keyOf(reading);
  const start = valueAt(reading.element, 'startsAt');
  return key === undefined || isUnsetTime(start) ? undefined : `${key}@${textOf(start) ?? ''}`;
}

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

/** Alertmanager webhook version 4, and 3 (no fingerprint, numeric group key), which has the same shape. */
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
  recognises: (root) => isObject(root) && Array.isArray(valueAt(root, 'alerts')),
  split: (root) => valueAt(root, 'alerts') as unknown[],
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
    source: ['$root.externalURL', '$root.receiver'],
    url: ['$.generatorURL', '$root.externalURL', '$.annotations.runbook_url'],
    dedupKey: [keyOf],
    firingKey: [firingOf],
    incidentType: [],
  },
  occurredAt: { from: ['$.startsAt'], whenResolved: ['$.endsAt'], orders: true },
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
