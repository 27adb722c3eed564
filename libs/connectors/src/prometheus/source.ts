import { isEmpty, isObject, isUnsetTime, pairsOf, valueAt } from '@tocsin/domain/mapping';
import { firingOfLabels, keyOfLabels, saysResolved, statusOfAlert } from '../kit/alertmanager-alert.ts';
import type { Reading, SourceConnector } from '../kit/source-connector.ts';

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
    dedupKey: [keyOfLabels],
    firingKey: [firingOfLabels],
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
