import { isEmpty, isObject, listOf, pairsOf, textOf, valueAlong, valueAt } from '@tocsin/domain/mapping';
import type { Reading, SourceConnector } from '../kit/source-connector.ts';

/** The common alert schema. */
const essential =
  (...keys: string[]) =>
  ({ element }: Reading): unknown =>
    valueAlong(valueAt(element, 'data', 'essentials'), keys);
const alertContext = (element: unknown, ...keys: string[]): unknown =>
  valueAlong(valueAt(element, 'data', 'alertContext'), keys);

/** Schemas before it: metric alerts (`data.context`), classic alerts (`context`), activity log (`data.context.activityLog`). */
const contextOf = (element: unknown): unknown => valueAt(element, 'data', 'context') ?? valueAt(element, 'context');
const context =
  (...keys: string[]) =>
  ({ element }: Reading): unknown =>
    valueAlong(contextOf(element), keys);

/** Log alerts of version 1 and budgets keep their fields directly in `data`; classic log alerts in the root. */
const plain =
  (key: string) =>
  ({ element }: Reading): unknown =>
    valueAt(element, 'data', key) ?? valueAt(element, key);

const isServiceHealth = (element: unknown): boolean =>
  textOf(valueAt(element, 'data', 'essentials', 'monitoringService')) === 'ServiceHealth';

const ofServiceHealth =
  (key: string) =>
  ({ element }: Reading): unknown =>
    isServiceHealth(element) ? alertContext(element, 'properties', key) : undefined;

/** `…/virtualMachines/web-1` is called web-1. */
const nameOf = (resource: string): string => resource.split('/').findLast((part) => part !== '') ?? resource;
const named =
  (read: (reading: Reading) => unknown) =>
  (reading: Reading): string[] =>
    listOf(read(reading)).map(nameOf);

/** The documentation writes `alertTargetIds`, the wire `alertTargetIDs`. */
function targetsOf(reading: Reading): string[] {
  const common = essential('alertTargetIDs')(reading) ?? essential('alertTargetIds')(reading);
  const ids = listOf(common);
  if (ids.length > 0) return ids;
  return listOf(context('resourceId')(reading) ?? context('activityLog', 'resourceId')(reading));
}

/** One rule of the older metric alerts fires for several resources under one id. */
function keyOfContext({ element }: Reading): string | undefined {
  const id = textOf(valueAt(contextOf(element), 'id'));
  const resource = textOf(valueAt(contextOf(element), 'resourceId'));
  const isMetric = textOf(valueAt(element, 'schemaId')) === 'AzureMonitorMetricAlert';
  return id === undefined || !isMetric || resource === undefined ? id : `${id}|${resource}`;
}

function keyOfLogAlert(reading: Reading): string | undefined {
  const rule = textOf(plain('AlertRuleName')(reading) ?? plain('BudgetName')(reading));
  const where = textOf(plain('WorkspaceId')(reading) ?? plain('SubscriptionId')(reading));
  return rule === undefined || where === undefined ? rule : `${where}|${rule}`;
}

const PORTAL = 'https://portal.azure.com/#view/Microsoft_Azure_Monitoring_Alerts/AlertDetails.ReactView/alertId~/';

function portalLink(reading: Reading): string | undefined {
  const id = textOf(essential('alertId')(reading));
  return id === undefined ? undefined : PORTAL + encodeURIComponent(id.toWellFormed());
}

const tagsOf = ({ element }: Reading): string[] => [
  ...pairsOf(valueAt(element, 'data', 'customProperties')),
  ...pairsOf(alertContext(element, 'labels')), // Prometheus rule groups
  ...pairsOf(valueAt(element, 'data', 'properties') ?? valueAt(element, 'properties')),
];

function keep(reading: Reading): Record<string, unknown> {
  const targets = targetsOf(reading);
  const found = targets.length === 0 ? {} : { target_resource: targets[0], target_resources: targets };
  return { ...found, ...(isObject(reading.element) ? reading.element : {}) };
}

const isAlert = (element: unknown): boolean =>
  isObject(valueAt(element, 'data', 'essentials')) ||
  isObject(contextOf(element)) ||
  ['AlertRuleName', 'BudgetName'].some(
    (key) => !isEmpty(valueAt(element, 'data', key)) || !isEmpty(valueAt(element, key)),
  );

/** Action groups: the common alert schema, and the schemas before it that existing action groups still send. */
export const source = {
  id: 'azure-monitor',
  title: 'Azure Monitor',
  category: 'cloud',
  kind: 'alert',
  slugs: ['azure'],
  auth: {
    default: 'none',
    also: ['vendor', 'query_token', 'bearer', 'basic', 'api_key', 'hmac'],
    vendor: { kind: 'jwt', provider: 'entra' },
  },
  deliveryIdHeaders: [],
  retries: { on429: true }, // 408, 429, 503 and 504 are tried again, other answers are not
  respond: 'accept',
  resolves: true,
  decode: ['json'],
  recognises: (root) => isObject(root) && ['data', 'context', 'AlertRuleName'].some((key) => Object.hasOwn(root, key)),
  split: (root) => [root],
  recognisesElement: isAlert,
  ignore: [],
  fields: {
    title: [
      ofServiceHealth('title'),
      essential('alertRule'),
      context('name'),
      context('activityLog', 'operationName'),
      plain('AlertRuleName'),
      plain('BudgetName'),
    ],
    description: [
      essential('description'),
      '$.data.alertContext.annotations.description',
      '$.data.alertContext.annotations.summary',
      '$.data.alertContext.properties.communication',
      context('description'),
      context('activityLog', 'description'),
      plain('Description'),
    ],
    services: [
      ofServiceHealth('service'),
      '$.data.alertContext.labels.service',
      named(essential('configurationItems')),
      named(targetsOf),
      context('resourceName'),
      named(plain('AffectedConfigurationItems')),
      plain('SubscriptionName'),
    ],
    tags: [tagsOf],
    source: [essential('monitoringService'), context('resourceType'), '$.schemaId'],
    url: [portalLink, context('portalLink'), plain('LinkToSearchResults')],
    dedupKey: [
      essential('alertId'),
      essential('originAlertId'),
      keyOfContext,
      context('activityLog', 'correlationId'),
      keyOfLogAlert,
    ],
    firingKey: [],
    incidentType: [],
  },
  occurredAt: {
    from: [essential('firedDateTime'), context('timestamp'), context('activityLog', 'eventTimestamp')],
    // Log alerts state no time of their end; the start would say that the end was before it.
    whenResolved: [essential('resolvedDateTime'), context('timestamp')],
    orders: true,
  },
  status: {
    from: [essential('monitorCondition'), '$.data.status', '$.status'],
    map: { fired: 'triggered', activated: 'triggered', resolved: 'resolved', deactivated: 'resolved' },
    absent: 'triggered',
  },
  severity: {
    from: [essential('severity'), context('severity'), context('activityLog', 'level'), plain('Severity')],
    // Zero-based, unlike the SEV-1 scale of the common vocabulary.
    map: {
      ...{ sev0: 'critical', sev1: 'high', sev2: 'medium', sev3: 'low', sev4: 'info' },
      ...{ '0': 'critical', '1': 'high', '2': 'medium', '3': 'low', '4': 'info' },
      ...{ error: 'high', informational: 'low', verbose: 'info' },
    },
    take: 'first-known',
  },
  keep,
} as const satisfies SourceConnector;
