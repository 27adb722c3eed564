import { isEmpty, isObject, textOf, valueAlong, valueAt } from '@tocsin/domain/mapping';
import type { Reading, SourceConnector } from '../kit/source-connector.ts';

/** The incident; user templates (webhook version 2) often put it under a key of its name. */
const incidentOf = (element: unknown): unknown => {
  const inner = valueAt(element, 'incident');
  return isObject(inner) ? inner : element;
};
const ofIncident =
  (...keys: string[]) =>
  ({ element }: Reading): unknown =>
    valueAlong(incidentOf(element), keys);

const innerAlerts = (element: unknown): readonly unknown[] => {
  const alerts = valueAt(incidentOf(element), 'alerts');
  return Array.isArray(alerts) ? alerts.slice(0, 1_000) : [];
};

const isSet = (value: unknown): boolean =>
  value === true || (typeof value === 'string' && /^true$/i.test(value.trim()));
const isUnset = (value: unknown): boolean =>
  value === false || (typeof value === 'string' && /^false$/i.test(value.trim()));

const isOver = (incident: unknown): boolean =>
  isUnset(valueAt(incident, 'active')) ||
  /^(?:ok|resolved|closed)$/i.test((textOf(valueAt(incident, 'status')) ?? '').trim());

/** `status` is a level and `severity` the worst level ever: neither says that an incident is over as `active` does. */
function statusOfIncident({ element }: Reading): unknown {
  const incident = incidentOf(element);
  return isOver(incident) ? 'resolved' : valueAt(incident, 'status');
}

/** The level now while it lasts, the worst one once it is over. */
function levelOf({ element }: Reading): unknown {
  const incident = incidentOf(element);
  return isOver(incident) ? undefined : valueAt(incident, 'status');
}

/** Value of a tag of an inner alert: a list of `{name, value}`, or an object. */
function tagOf(alert: unknown, name: string): string | undefined {
  const tags = valueAt(alert, 'tags');
  if (!Array.isArray(tags)) return textOf(valueAt(tags, name)) ?? textOf(valueAt(alert, name));
  return textOf(
    valueAt(
      tags.slice(0, 200).find((tag: unknown) => valueAt(tag, 'name') === name),
      'value',
    ),
  );
}

/** `prod-db-1: CPU load`, from what BigPanda correlates by. */
function nameOfAlert(alert: unknown): string | undefined {
  const property = (key: string): string | undefined => {
    const name = textOf(valueAt(alert, key));
    return name === undefined ? undefined : tagOf(alert, name);
  };
  const parts = [
    property('primary_property'),
    property('secondary_property') ?? textOf(valueAt(alert, 'condition_name')),
  ];
  const name = parts.filter((part) => part !== undefined).join(': ');
  return name === '' ? textOf(valueAt(alert, 'description')) : name;
}

/** An incident has no title of its own: a tag that people gave it, else its first alert and how many there are. */
function titleOf({ element }: Reading): string | undefined {
  const [first] = innerAlerts(element);
  return first === undefined ? undefined : nameOfAlert(first);
}

function incidentTag(...names: string[]): (reading: Reading) => string | undefined {
  return ({ element }) => {
    const incident = incidentOf(element);
    const tags = { tags: valueAt(incident, 'incident_tags') ?? valueAt(incident, 'tags') };
    return names.map((name) => tagOf(tags, name)).find((text) => text !== undefined);
  };
}

/** One line per inner alert. */
function describe({ element }: Reading): string | undefined {
  const lines = innerAlerts(element)
    .slice(0, 50)
    .map((alert) => {
      const status = textOf(valueAt(alert, 'status'));
      const name = nameOfAlert(alert);
      const text = textOf(valueAt(alert, 'description'));
      return [status, name, text === name ? undefined : text].filter((part) => part !== undefined).join(' — ');
    });
  return lines.length === 0 ? undefined : lines.join('\n');
}

/** The first kind of tag that any inner alert has. */
function servicesOf({ element }: Reading): string[] {
  for (const name of ['service', 'application', 'app', 'host']) {
    const found = innerAlerts(element).flatMap((alert) => tagOf(alert, name) ?? []);
    if (found.length > 0) return [...new Set(found)];
  }
  return [];
}

function tagsOf({ element }: Reading): string[] {
  return innerAlerts(element).flatMap((alert) => {
    const tags = valueAt(alert, 'tags');
    const pairs: [unknown, unknown][] = Array.isArray(tags)
      ? tags.slice(0, 50).map((tag: unknown) => [valueAt(tag, 'name'), valueAt(tag, 'value')])
      : isObject(tags)
        ? Object.entries(tags).slice(0, 50)
        : [];
    return pairs.flatMap(([name, value]) => {
      const text = textOf(value);
      return typeof name === 'string' && text !== undefined ? [`${name}:${text}`] : [];
    });
  });
}

function linkOf({ element }: Reading): unknown {
  const links = valueAt(incidentOf(element), 'links');
  if (!Array.isArray(links)) return valueAt(links, 'details');
  const details: unknown = links.find((link: unknown) => valueAt(link, 'rel') === 'details') ?? links[0];
  return isObject(details) ? valueAt(details, 'href') : details;
}

/** The inner alerts are the list field `alerts`, whatever template sent them. */
function keep({ element }: Reading): Record<string, unknown> {
  const outer = isObject(element) ? element : {};
  return { ...outer, alerts: innerAlerts(element), snoozed: isSet(valueAt(incidentOf(element), 'snooze', 'snoozed')) };
}

/** Notifications webhook, version 1 (the incident object) and templates of version 2 that keep its names. One incident is one alert. */
export const source = {
  id: 'bigpanda',
  title: 'BigPanda',
  category: 'incident-management',
  kind: 'alert',
  slugs: [],
  auth: { default: 'bearer', also: ['basic', 'api_key', 'hmac', 'query_token', 'none'] },
  deliveryIdHeaders: [],
  retries: { on429: false },
  respond: 'accept',
  resolves: true,
  decode: ['json'],
  recognises: (root) =>
    isObject(root) &&
    textOf(valueAt(incidentOf(root), 'id')) !== undefined &&
    ['status', 'active', 'alerts', 'severity'].some((key) => !isEmpty(valueAt(incidentOf(root), key))),
  split: (root) => [root],
  recognisesElement: () => true,
  ignore: [],
  fields: {
    title: [incidentTag('title', 'summary', 'incident_title'), ofIncident('title'), titleOf, ofIncident('description')],
    description: [ofIncident('description'), describe],
    services: [servicesOf],
    tags: [tagsOf],
    source: [({ element }) => valueAt(innerAlerts(element)[0], 'source_system')],
    url: [linkOf, ofIncident('incident_url'), ofIncident('url')],
    dedupKey: [ofIncident('id')],
    firingKey: [],
    incidentType: [],
  },
  occurredAt: {
    from: [ofIncident('started_on'), ofIncident('start')],
    whenResolved: [ofIncident('ended_on'), ofIncident('end'), ofIncident('changed_on')],
    orders: false, // a reopened incident keeps the time it first started
  },
  status: {
    from: [statusOfIncident],
    map: { critical: 'triggered', warning: 'triggered', unknown: 'triggered' },
    absent: 'triggered',
  },
  severity: { from: [levelOf, ofIncident('severity')], take: 'first-known' },
  keep,
} as const satisfies SourceConnector;
