import { isEmpty, isObject, isUnsetTime, pairsOf, textOf, valueAt } from '@tocsin/domain/mapping';
import { firingOfLabels, keyOfLabels, saysResolved, statusOfAlert } from '../kit/alertmanager-alert.ts';
import type { Reading, SourceConnector } from '../kit/source-connector.ts';

/** Dashboard alerting of Grafana 8 and before: the payload itself is the alert, of a rule. */
const isLegacy = (root: unknown): boolean =>
  isObject(root) && ['ruleId', 'ruleName', 'evalMatches'].some((key) => valueAt(root, key) !== undefined);
const isUnified = (root: unknown): boolean => Array.isArray(valueAt(root, 'alerts'));
const ofLegacy = ({ element, root }: Reading): boolean => element === root;

/** A rule without data or with an error fires an alert of that name; the rule's own name is in another label then. */
function ruleBehindPseudoAlert({ element }: Reading): unknown {
  const name = textOf(valueAt(element, 'labels', 'alertname')) ?? '';
  return /^Datasource(?:NoData|Error)$/.test(name) ? valueAt(element, 'labels', 'rulename') : undefined;
}

/** `[Alerting] Disk full` → `Disk full`. The title of unified alerting (`[FIRING:2] (blue)`) names no alert, so it is never read. */
function legacyTitle(reading: Reading): string | undefined {
  const title = textOf(valueAt(reading.root, 'title'));
  return ofLegacy(reading) ? title?.replace(/^\[[^\]]*\]\s*/, '') : undefined;
}

const statusOf = (reading: Reading): unknown =>
  ofLegacy(reading) ? valueAt(reading.root, 'state') : statusOfAlert(reading);

const endOf = (reading: Reading): unknown =>
  saysResolved(statusOf(reading)) ? valueAt(reading.element, 'endsAt') : undefined;

/** States in which a rule of the legacy alerting says nothing of its condition. */
const isUndecided = (reading: Reading): boolean =>
  ofLegacy(reading) && /^(?:pending|paused|unknown)$/i.test((textOf(valueAt(reading.root, 'state')) ?? '').trim());

const keyOf = (reading: Reading): unknown =>
  ofLegacy(reading) ? valueAt(reading.root, 'ruleId') : keyOfLabels(reading);

const tagsOf = ({ element }: Reading): string[] => [
  ...pairsOf(valueAt(element, 'labels')),
  ...pairsOf(valueAt(element, 'tags')),
];

const GROUP = [
  'receiver',
  'orgId',
  'groupKey',
  'groupLabels',
  'commonLabels',
  'commonAnnotations',
  'externalURL',
  'truncatedAlerts',
] as const;

const LINKS = { dashboard: 'dashboardURL', panel: 'panelURL', silence: 'silenceURL', image: 'imageURL' } as const;

function keep({ element, root }: Reading): Record<string, unknown> {
  const alert = isObject(element) ? element : {};
  const group = GROUP.flatMap((name): [string, unknown][] => {
    const value = valueAt(root, name);
    return value === undefined ? [] : [[name, value]];
  });
  const links = Object.entries(LINKS).flatMap(([name, key]): [string, unknown][] => {
    const link = valueAt(element, key);
    return isEmpty(link) ? [] : [[name, link]];
  });
  return {
    ...alert,
    ...Object.fromEntries(group),
    ...(links.length === 0 ? {} : { links: Object.fromEntries(links) }),
  };
}

/** Contact point "webhook" of unified alerting (one alert per element), and the notification channel of legacy alerting (one per rule). */
export const source = {
  id: 'grafana',
  title: 'Grafana',
  category: 'monitoring',
  kind: 'alert',
  slugs: [],
  auth: {
    default: 'bearer',
    also: ['basic', 'hmac', 'api_key', 'query_token', 'none'],
    signatureHeaders: ['x-grafana-alerting-signature'],
    // Where a contact point also sends the time (the name is its owner's choice), the signature covers it.
    signatures: [{ headers: ['x-grafana-alerting-signature'], timestampHeader: 'x-grafana-alerting-timestamp' }],
  },
  deliveryIdHeaders: [],
  retries: { on429: false }, // as Alertmanager, whose code it is: only 5xx is tried again
  respond: 'accept',
  resolves: true,
  decode: ['json'],
  recognises: (root) => isUnified(root) || isLegacy(root),
  split: (root): readonly unknown[] => (isUnified(root) ? (valueAt(root, 'alerts') as unknown[]) : [root]),
  recognisesElement: (element, root) =>
    element === root || isObject(valueAt(element, 'labels')) || isObject(valueAt(element, 'annotations')),
  ignore: [{ when: isUndecided, reason: 'not-an-alert-state' }],
  fields: {
    title: [
      ruleBehindPseudoAlert,
      '$.labels.alertname',
      '$.annotations.title',
      '$.annotations.summary',
      '$.ruleName',
      legacyTitle,
      '$root.commonLabels.alertname',
    ],
    description: [
      '$.annotations.description',
      '$.annotations.message',
      '$.annotations.summary',
      (reading) => (ofLegacy(reading) ? valueAt(reading.root, 'message') : undefined),
      '$root.commonAnnotations.description',
    ],
    services: ['$.labels.service', '$.labels.app', '$.labels.job', '$.labels.namespace', '$.tags.service'],
    tags: [tagsOf],
    source: ['$root.externalURL', '$root.receiver'],
    url: [
      '$.panelURL',
      '$.dashboardURL',
      '$.generatorURL',
      '$.ruleUrl',
      '$.silenceURL',
      '$root.externalURL',
      '$.annotations.runbook_url',
    ],
    dedupKey: [keyOf],
    firingKey: [(reading) => (ofLegacy(reading) ? undefined : firingOfLabels(reading))],
    incidentType: [],
  },
  // The firing occurred when it started, also when this says that it is over; the end is the time of that change.
  occurredAt: { from: ['$.startsAt'], orders: true, changed: [endOf] },
  status: { from: [statusOf], absent: 'triggered' },
  severity: {
    from: [
      '$.labels.severity',
      '$.annotations.severity',
      '$.labels.priority',
      '$.labels.level',
      '$.tags.severity',
      '$.tags.priority',
      '$root.commonLabels.severity',
    ],
    take: 'first-known',
  },
  keep,
  remarks: ({ element, root }, notes) => {
    const end = valueAt(element, 'endsAt');
    if (saysResolved(valueAt(element, 'status')) && end !== undefined && isUnsetTime(end))
      notes.add('end-not-set', 'status');
    const truncated = valueAt(root, 'truncatedAlerts');
    if (typeof truncated === 'number' && truncated > 0)
      notes.add('alerts-truncated-by-source', '$root.truncatedAlerts', `${truncated} alerts were left out by Grafana`);
  },
} as const satisfies SourceConnector;
