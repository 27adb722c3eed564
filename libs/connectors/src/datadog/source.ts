import { createHash } from 'node:crypto';
import type { AlertStatus } from '@tocsin/contracts';
import { isObject, textOf, valueAlong, valueAt } from '@tocsin/domain/mapping';
import type { FieldSource, Reading, SourceConnector } from '../kit/source-connector.ts';

/** The name of a variable that Datadog left as it was. */
const UNFILLED = /^\$[A-Z][A-Z_]*$/;

/** A variable that has no value arrives empty, as the word null, or as its own name (`$ALERT_PRIORITY`). */
function valueOf(element: unknown, ...keys: string[]): string | undefined {
  const text = textOf(valueAlong(element, keys))?.trim();
  return text === undefined || text === 'null' || UNFILLED.test(text) ? undefined : text;
}

const variable =
  (...keys: string[]): FieldSource =>
  ({ element }) =>
    valueOf(element, ...keys);

/** `[Triggered on {host:web-1}] Disk full`: a transition, maybe a scope, and the name of the monitor. */
const PREFIX = /^\[([A-Za-z][A-Za-z -]*?)(?: on \{([^}]*)\})?\]\s*(?=\S)/;

const prefixOf = (element: unknown): RegExpExecArray | null =>
  PREFIX.exec(valueOf(element, 'title') ?? '') ?? PREFIX.exec(valueOf(element, 'alert_title') ?? '');

const stripped = (element: unknown, key: string): string | undefined => valueOf(element, key)?.replace(PREFIX, '');

const titleOf = (element: unknown): string | undefined =>
  stripped(element, 'alert_title') ?? stripped(element, 'title');

/** Markdown markers and images of an event's text say nothing here. */
function bodyOf({ element }: Reading): string | undefined {
  const body = valueOf(element, 'body') ?? valueOf(element, 'message');
  return body
    ?.replaceAll('%%%', '')
    .replaceAll(/!\[[^\]]*\]\([^)]*\)/g, '')
    .trim();
}

const TRANSITIONS: Readonly<Record<string, AlertStatus>> = {
  triggered: 'triggered',
  're-triggered': 'triggered',
  warn: 'triggered',
  're-warn': 'triggered',
  'no data': 'triggered',
  're-no data': 'triggered',
  renotify: 'triggered',
  recovered: 'resolved',
};
const transitionOf = (text: string | undefined): AlertStatus | undefined => {
  const word = text?.toLowerCase();
  return word !== undefined && Object.hasOwn(TRANSITIONS, word) ? TRANSITIONS[word] : undefined;
};

/**
 * The transition; where the template has none, the type of the event, and at last the prefix of the title. A word of the user's own
 * (`status: ok`) is left to the common vocabulary.
 */
function statusOf({ element }: Reading): string | undefined {
  const stated = valueOf(element, 'alert_transition') ?? valueOf(element, 'transition');
  const known = transitionOf(stated) ?? transitionOf(valueOf(element, 'event_type'));
  if (known !== undefined || stated !== undefined) return known ?? stated;
  if (valueOf(element, 'alert_type') === 'success') return 'resolved';
  return transitionOf(prefixOf(element)?.[1]) ?? valueOf(element, 'status') ?? valueOf(element, 'state');
}

/** Types of an event. "error" is any monitor that fires, so it is not as bad as a monitor's own P1. */
function severityOfType({ element }: Reading): string | undefined {
  const type = valueOf(element, 'alert_type')?.toLowerCase();
  return type === 'success' || type === 'user_update' ? undefined : type;
}

const severityOfPrefix = ({ element }: Reading): string | undefined =>
  /^(?:re-)?warn$/i.test(prefixOf(element)?.[1] ?? '') ? 'warning' : undefined;

function tagsOf(element: unknown): string[] {
  const tags = valueAt(element, 'tags');
  const list = Array.isArray(tags) ? tags.slice(0, 1_000).flatMap((tag: unknown) => textOf(tag) ?? []) : [];
  const texts = list.length > 0 ? list : (valueOf(element, 'tags')?.split(',') ?? []);
  return texts.map((tag) => tag.trim()).filter((tag) => tag !== '');
}

const taggedWith =
  (name: string) =>
  ({ element }: Reading): string[] =>
    tagsOf(element).flatMap((tag) => (tag.startsWith(`${name}:`) ? [tag.slice(name.length + 1)] : []));

const scopeOf = (element: unknown): string =>
  valueOf(element, 'alert_scope') ?? valueOf(element, 'scope') ?? prefixOf(element)?.[2] ?? '';

/** The monitor and its group, for templates without an aggregation key. `$ID` is the event's and another one at each transition. */
function monitorKey({ element }: Reading): string | undefined {
  const monitor = valueOf(element, 'alert_id') ?? valueOf(element, 'monitor_id');
  return monitor === undefined ? undefined : `monitor:${monitor}:${scopeOf(element)}`;
}

function titleKey({ element }: Reading): string | undefined {
  const title = titleOf(element);
  if (title === undefined) return undefined;
  const identity = JSON.stringify([title, scopeOf(element), valueOf(element, 'hostname') ?? '']);
  return `title:${createHash('sha256').update(identity).digest('hex')}`;
}

/** The Webhooks integration, with the template of the README or any other that keeps some of its keys; the default template as well. */
export const source = {
  id: 'datadog',
  title: 'Datadog',
  category: 'monitoring',
  kind: 'alert',
  slugs: [],
  auth: { default: 'bearer', also: ['basic', 'api_key', 'hmac', 'query_token', 'none'] },
  deliveryIdHeaders: [],
  retries: { on429: false }, // only 5xx is tried again
  respond: 'accept',
  resolves: true,
  decode: ['json', 'form'],
  recognises: (root) => isObject(root) && ['title', 'alert_title', 'alert_id', 'aggreg_key'].some((key) => key in root),
  split: (root) => [root],
  recognisesElement: () => true,
  ignore: [],
  fields: {
    title: [({ element }) => titleOf(element)],
    description: [variable('text_only_msg'), bodyOf, variable('alert_status')],
    services: [
      taggedWith('service'),
      taggedWith('name'), // what an agent without unified tagging sets
      variable('service'),
      ({ element }) => tagsOf(element),
    ],
    tags: [({ element }) => tagsOf(element)],
    source: [variable('hostname'), variable('org', 'name'), variable('org_name')],
    url: [variable('link'), variable('url'), variable('event_url')],
    dedupKey: [variable('aggreg_key'), variable('alert_cycle_key'), monitorKey, titleKey],
    firingKey: [],
    incidentType: [],
  },
  occurredAt: { from: [variable('date'), variable('last_updated')], orders: true },
  status: { from: [statusOf], absent: 'triggered' },
  severity: {
    from: [variable('alert_priority'), variable('severity'), severityOfType, severityOfPrefix],
    map: { error: 'high', warning: 'medium', info: 'info' },
    take: 'first-known',
  },
  keep: ({ element }) => (isObject(element) ? element : {}),
  remarks: ({ element }, notes) => {
    for (const [key, value] of Object.entries(isObject(element) ? element : {}).slice(0, 200))
      if (typeof value === 'string' && UNFILLED.test(value)) notes.add('placeholder-unfilled', `$.${key}`, value);
  },
} as const satisfies SourceConnector;
