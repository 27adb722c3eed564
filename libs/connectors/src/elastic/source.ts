import { isEmpty, isObject, listOf, statusOf, textOf, valueAlong, valueAt } from '@tocsin/domain/mapping';
import type { Reading, SourceConnector } from '../kit/source-connector.ts';
import { split } from './split.ts';

/** A part of a rule's variables: at the root, or under the names that templates of embedded JSON use. */
const part =
  (name: 'alert' | 'rule' | 'context') =>
  (element: unknown): unknown =>
    valueAt(element, name) ?? valueAt(element, `${name}_info`) ?? valueAt(element, 'webhook_body', `${name}_info`);
const alertOf = part('alert');
const ruleOf = part('rule');
const contextOf = part('context');

const inPart =
  (partOf: (element: unknown) => unknown, ...keys: string[]) =>
  ({ element }: Reading): unknown =>
    valueAlong(partOf(element), keys);

/** The alert documents of a summary have dotted keys or nested objects, as the template's `toJson` found them. */
const ofDocument = (path: string): ((reading: Reading) => unknown) => {
  const keys = path.split('.');
  return ({ element }) => {
    const document = alertOf(element) ?? element;
    return valueAt(document, path) ?? valueAlong(document, keys);
  };
};

/** Watcher's execution context: the body itself, or one field of it. */
const watchOf = (element: unknown): unknown =>
  [valueAt(element, 'ctx'), valueAt(element, 'payload'), element].find(
    (candidate) => textOf(valueAt(candidate, 'watch_id')) !== undefined,
  );

const actionGroupOf = inPart(alertOf, 'actionGroup');
const actionGroupNameOf = inPart(alertOf, 'actionGroupName');
const documentStatusOf = ofDocument('kibana.alert.status');
const eventActionOf = ofDocument('event.action');
const alertUuidOf = inPart(alertOf, 'uuid');
const documentUuidOf = ofDocument('kibana.alert.uuid');
const ruleIdOf = inPart(ruleOf, 'id');
const documentRuleOf = ofDocument('kibana.alert.rule.uuid');
const alertIdOf = inPart(alertOf, 'id');
const documentGroupOf = ofDocument('kibana.alert.instance.id');
const spaceIdOf = inPart(ruleOf, 'spaceId');

const RECOVERED = /(?:^|[._ -])(?:recovered|recovery|untracked|closed?|resolved)$/i;

/** Only the group "recovered" says that it is over; every rule type has words of its own for the rest. */
function statusOfAlert(reading: Reading): 'triggered' | 'acknowledged' | 'resolved' | 'update' {
  const { element } = reading;
  const words = [
    actionGroupOf(reading),
    actionGroupNameOf(reading),
    valueAt(element, 'alert_state'),
    documentStatusOf(reading),
    eventActionOf(reading),
    valueAt(element, 'event', 'action'),
  ].flatMap((word) => textOf(word) ?? []);
  if (words.some((word) => RECOVERED.test(word.trim()))) return 'resolved';
  if (words.length > 0) return 'triggered';
  if (onlyRecovered(element)) return 'resolved';
  const stated = textOf(valueAt(element, 'status')) ?? textOf(valueAt(element, 'state'));
  return (stated === undefined ? undefined : statusOf(stated)) ?? 'triggered';
}

/** A summary of counts without the alerts themselves. */
function onlyRecovered(element: unknown): boolean {
  const count = (group: string): number => Number(textOf(valueAt(element, 'alerts', group, 'count')) ?? 0);
  return count('recovered') > 0 && count('new') === 0 && count('ongoing') === 0;
}

const TAG_LISTS = [inPart(ruleOf, 'tags'), ofDocument('kibana.alert.rule.tags'), ofDocument('tags')];

/** Mustache prints a list as a text with commas. */
function tagsOf(reading: Reading): string[] {
  const watch = valueAt(watchOf(reading.element), 'metadata', 'tags');
  const lists = TAG_LISTS.map((read) => read(reading));
  const found = [...lists, valueAt(reading.element, 'tags'), watch].find((list) => !isEmpty(list));
  return listOf(typeof found === 'string' ? found.split(',').map((tag) => tag.trim()) : found);
}

const tagged =
  (name: string) =>
  (reading: Reading): string[] =>
    tagsOf(reading).flatMap((tag) =>
      tag.toLowerCase().startsWith(`${name}:`) ? [tag.slice(name.length + 1).trim()] : [],
    );

/** The id of a group (`*`, a host) repeats in every rule. */
function keyOf(reading: Reading): string | undefined {
  const alert = textOf(alertUuidOf(reading)) ?? textOf(documentUuidOf(reading));
  if (alert !== undefined) return alert;
  const rule = textOf(ruleIdOf(reading)) ?? textOf(documentRuleOf(reading));
  const group = textOf(alertIdOf(reading)) ?? textOf(documentGroupOf(reading));
  if (rule === undefined) return textOf(valueAt(watchOf(reading.element), 'watch_id'));
  return group === undefined ? rule : `${rule}:${group}`;
}

function ruleLink(reading: Reading): string | undefined {
  const base = textOf(valueAt(reading.element, 'kibanaBaseUrl'))?.replace(/\/+$/, '');
  const id = textOf(ruleIdOf(reading));
  if (base === undefined || id === undefined) return base;
  const space = textOf(spaceIdOf(reading));
  const inSpace = space === undefined || space === 'default' ? '' : `/s/${encodeURIComponent(space.toWellFormed())}`;
  return `${base}${inSpace}/app/management/insightsAndAlerting/triggersActions/rule/${encodeURIComponent(id.toWellFormed())}`;
}

const watched =
  (...keys: string[]) =>
  ({ element }: Reading): unknown =>
    valueAlong(watchOf(element), keys);

const KNOWN = [
  'alert',
  'rule',
  'context',
  'alerts',
  'webhook_body',
  'alert_info',
  'rule_info',
  'ctx',
  'watch_id',
  'rule_name',
];
const isAlert = (element: unknown): boolean =>
  isObject(element) && (KNOWN.some((key) => !isEmpty(valueAt(element, key))) || watchOf(element) !== undefined);

/** The webhook connector of Kibana rules, and the webhook action of Watcher. The body is always a template of the user. */
export const source = {
  id: 'elastic',
  title: 'Elastic',
  category: 'monitoring',
  kind: 'alert',
  slugs: [],
  auth: {
    default: 'bearer',
    also: ['basic', 'api_key', 'query_token', 'none', 'hmac'],
    apiKey: { header: 'authorization', prefix: 'ApiKey' },
  },
  deliveryIdHeaders: [],
  retries: { on429: true },
  respond: 'accept',
  resolves: true,
  decode: ['json', 'repaired-json'],
  unwrap: [
    { at: ['webhook_body'], encoding: 'json', becomes: 'value' },
    ...['alert_info', 'rule_info', 'context_info'].map(
      (name) => ({ at: ['webhook_body', name], encoding: 'json', becomes: 'value' }) as const,
    ),
    ...['alert', 'rule', 'context', 'alert_info', 'rule_info', 'context_info', 'alerts', 'ctx', 'payload'].map(
      (name) => ({ at: [name], encoding: 'json', becomes: 'value' }) as const,
    ),
  ],
  recognises: (root) => (Array.isArray(root) ? root.length > 0 : isAlert(root)),
  split,
  recognisesElement: isAlert,
  ignore: [],
  fields: {
    title: [
      inPart(ruleOf, 'name'),
      ofDocument('kibana.alert.rule.name'),
      watched('metadata', 'name'),
      watched('watch_id'),
      '$.rule_name',
      '$.title',
      inPart(contextOf, 'title'),
    ],
    description: [
      inPart(contextOf, 'reason'),
      inPart(contextOf, 'message'),
      ofDocument('kibana.alert.reason'),
      '$.message',
      '$.description',
      watched('metadata', 'description'),
    ],
    services: [
      tagged('service'),
      ofDocument('service.name'),
      inPart(contextOf, 'serviceName'),
      '$.service',
      ofDocument('host.name'),
      inPart(contextOf, 'host', 'name'),
    ],
    tags: [tagsOf],
    source: ['$.kibanaBaseUrl', inPart(ruleOf, 'type')],
    url: [
      inPart(contextOf, 'alertDetailsUrl'),
      inPart(ruleOf, 'url'),
      ofDocument('kibana.alert.url'),
      inPart(contextOf, 'results_link'),
      '$.url',
      ruleLink,
    ],
    dedupKey: [keyOf],
    firingKey: [],
    incidentType: [],
  },
  // What a template calls its time may be that of the run, of the alert or of its start: the time of receipt orders.
  occurredAt: {
    from: [
      inPart(contextOf, 'timestamp'),
      inPart(contextOf, 'date'),
      '$.date',
      ofDocument('@timestamp'),
      watched('execution_time'),
      watched('trigger', 'triggered_time'),
    ],
    orders: false,
  },
  status: { from: [statusOfAlert], map: { update: 'update' }, absent: 'triggered' },
  severity: {
    from: [
      inPart(alertOf, 'severity'),
      inPart(contextOf, 'severity'),
      ofDocument('kibana.alert.severity'),
      inPart(ruleOf, 'params', 'severity'),
      inPart(contextOf, 'rule', 'severity'),
      ofDocument('kibana.alert.rule.severity'),
      watched('metadata', 'severity'),
      (reading) => tagged('severity')(reading)[0],
      '$.severity',
    ],
    take: 'first-known',
  },
  keep: ({ element }) => (isObject(element) ? element : {}),
} as const satisfies SourceConnector;
