import { isEmpty, isObject, listOf, textOf, valueAlong, valueAt } from '@tocsin/domain/mapping';
import type { Reading, SourceConnector } from '../kit/source-connector.ts';
import { stackOf } from './stack.ts';

type Resource = 'metric_alert' | 'issue' | 'event' | 'legacy' | 'comment' | 'installation' | 'other';

/**
 * What a payload is about. Only the header `Sentry-Hook-Resource` names it and `created` is an action of four of them, so the shape of
 * `data` decides; the header is asked where the shape says nothing.
 */
function resourceOf({ element, headers }: Pick<Reading, 'element' | 'headers'>): Resource {
  const has = (key: string): boolean => isObject(valueAt(element, 'data', key));
  if (has('metric_alert')) return 'metric_alert';
  if (has('issue')) return 'issue';
  if (has('event') || has('error')) return 'event';
  if (has('installation') || headers['sentry-hook-resource'] === 'installation') return 'installation';
  if (!isEmpty(valueAt(element, 'data', 'comment_id')) || headers['sentry-hook-resource'] === 'comment')
    return 'comment';
  return isObject(valueAt(element, 'event')) ? 'legacy' : 'other';
}

/** The issue, the event or the metric alert itself. */
function subjectOf(reading: Reading): unknown {
  const { element } = reading;
  const resource = resourceOf(reading);
  if (resource === 'legacy') return valueAt(element, 'event');
  if (resource === 'event') return valueAt(element, 'data', 'event') ?? valueAt(element, 'data', 'error');
  return valueAt(element, 'data', resource);
}
const subject =
  (...keys: string[]) =>
  (reading: Reading): unknown =>
    valueAlong(subjectOf(reading), keys);

/** Fields of one kind of payload; of the others nothing. */
const when =
  (resource: Resource, read: (reading: Reading) => unknown) =>
  (reading: Reading): unknown =>
    resourceOf(reading) === resource ? read(reading) : undefined;

/** `Critical: Too many errors`: the state in front changes within one alert. */
const titleOfMetric = ({ element }: Reading): unknown => {
  const title = valueAt(element, 'data', 'description_title');
  return typeof title === 'string' ? title.replace(/^(?:critical|warning|resolved): */i, '') : undefined;
};

/** The action is a level while the alert is open. */
function levelOfMetric({ element }: Reading): unknown {
  const action = valueAt(element, 'action');
  return action === 'critical' || action === 'warning' ? action : undefined;
}

function describeEvent(reading: Reading): string | undefined {
  const event = subjectOf(reading);
  const text = [valueAt(event, 'metadata', 'value'), valueAt(event, 'message'), valueAt(event, 'culprit')]
    .map(textOf)
    .find((found) => found !== undefined);
  const rule = textOf(valueAt(reading.element, 'data', 'triggered_rule'));
  return [text, rule === undefined ? undefined : `Triggered rule: ${rule}`]
    .filter((line) => line !== undefined)
    .join('\n');
}

/** An event has the number of its project; its slug is only in the address of the API. */
function slugFromAddress(reading: Reading): string | undefined {
  return /\/projects\/[^/]+\/([^/?#]+)/.exec(textOf(valueAt(subjectOf(reading), 'url')) ?? '')?.[1];
}

/** Payloads before `issue_id` have the number only in an address. */
function issueFromAddress(reading: Reading): string | undefined {
  const addresses = [valueAt(subjectOf(reading), 'issue_url'), valueAt(subjectOf(reading), 'web_url')];
  return addresses.map((address) => /\/issues\/(\d+)/.exec(textOf(address) ?? '')?.[1]).find((id) => id !== undefined);
}

/** A webhook has no permalink; older payloads have only the address of the API. */
function issueLink(reading: Reading): string | undefined {
  const api = textOf(valueAt(subjectOf(reading), 'url')) ?? '';
  const match = /^(https?:\/\/[^/]+)\/api\/0\/(?:organizations\/([^/]+)\/)?issues\/(\d+)/.exec(api);
  if (!match) return undefined;
  const [, origin = '', organisation, id = ''] = match;
  return organisation === undefined
    ? `${origin}/issues/${id}/`
    : `${origin}/organizations/${organisation}/issues/${id}/`;
}

/** Tags of an event are pairs; those of the older plugin too. */
function tagsOf(reading: Reading): string[] {
  const tags = valueAt(subjectOf(reading), 'tags');
  const pairs = !Array.isArray(tags)
    ? listOf(tags)
    : tags.slice(0, 200).flatMap((tag: unknown) => {
        const [key, value] = Array.isArray(tag)
          ? [tag[0] as unknown, tag[1] as unknown]
          : [valueAt(tag, 'key'), valueAt(tag, 'value')];
        const [name, text] = [textOf(key), textOf(value)];
        return name === undefined ? listOf(tag) : [text === undefined ? name : `${name}:${text}`];
      });
  const own = (label: string, key: string): string[] => {
    const text = textOf(valueAt(subjectOf(reading), key));
    return text === undefined ? [] : [`${label}:${text}`];
  };
  return [...own('short_id', 'shortId'), ...own('platform', 'platform'), ...pairs];
}

function projectOf(reading: Reading): unknown {
  const { element } = reading;
  return [
    subject('project', 'slug')(reading),
    subject('projects')(reading),
    slugFromAddress(reading),
    valueAt(element, 'project_slug'),
    valueAt(element, 'project'),
    subject('project_slug')(reading),
    subject('project')(reading),
  ].find((found) => !isEmpty(found));
}

/** The stack is kept as text; as it came, its nesting and its variables would crowd out the rest. */
function withoutStack(event: unknown): unknown {
  if (!isObject(event)) return event;
  const { entries: _entries, threads: _threads, ...rest } = event;
  const exceptions = valueAt(event, 'exception', 'values');
  if (!Array.isArray(exceptions)) return rest;
  const values = exceptions
    .slice(0, 20)
    .map((one: unknown) => ({ type: valueAt(one, 'type'), value: valueAt(one, 'value') }));
  return { ...rest, exception: { values } };
}

function keep(reading: Reading): Record<string, unknown> {
  const { element } = reading;
  const stack = stackOf(subjectOf(reading));
  const data = valueAt(element, 'data');
  const around = isObject(data) ? data : isObject(element) ? element : {};
  const events = ['event', 'error'].flatMap((name): [string, unknown][] =>
    isObject(valueAt(around, name)) ? [[name, withoutStack(valueAt(around, name))]] : [],
  );
  return {
    ...{ project: projectOf(reading), action: valueAt(element, 'action') },
    ...(stack === undefined ? {} : { stack }),
    ...around,
    ...Object.fromEntries(events),
  };
}

/** Webhooks of internal integrations (issue, event and metric alerts), and of the older WebHooks plugin. */
export const source = {
  id: 'sentry',
  title: 'Sentry',
  category: 'apm',
  kind: 'alert',
  slugs: [],
  auth: {
    default: 'hmac',
    also: ['vendor', 'query_token', 'none', 'bearer', 'basic', 'api_key'],
    signatureHeaders: ['sentry-hook-signature'],
  },
  deliveryIdHeaders: ['request-id'],
  retries: { on429: false },
  respond: 'accept',
  resolves: true,
  decode: ['json'],
  recognises: (root) => isObject(valueAt(root, 'data')) || isObject(valueAt(root, 'event')),
  split: (root) => [root],
  recognisesElement: isObject,
  ignore: [
    { when: (reading) => resourceOf(reading) === 'installation', reason: 'handshake' },
    { when: (reading) => resourceOf(reading) === 'comment', reason: 'note' },
    { when: (reading) => resourceOf(reading) === 'other', reason: 'unsupported-event' },
  ],
  fields: {
    title: [
      subject('alert_rule', 'name'),
      when('metric_alert', titleOfMetric),
      subject('title'),
      subject('metadata', 'title'),
      when('legacy', ({ element }) => valueAt(element, 'message')),
    ],
    description: [
      when('metric_alert', ({ element }) => valueAt(element, 'data', 'description_text')),
      when('event', describeEvent),
      subject('metadata', 'value'),
      subject('message'),
      subject('culprit'),
    ],
    services: [projectOf],
    tags: [tagsOf],
    source: [subject('project', 'name'), '$.project_name'],
    url: [
      when('metric_alert', ({ element }) => valueAt(element, 'data', 'web_url')),
      subject('web_url'),
      subject('permalink'),
      when('legacy', ({ element }) => valueAt(element, 'url')),
      issueLink,
    ],
    dedupKey: [
      when('event', subject('issue_id')),
      when('event', issueFromAddress),
      when('issue', subject('id')),
      when('metric_alert', subject('id')),
      when('legacy', ({ element }) => valueAt(element, 'id')),
    ],
    firingKey: [],
    incidentType: [],
  },
  // A resolved issue states when it was last seen, which is not when it was resolved.
  occurredAt: {
    from: [subject('datetime'), subject('date_started'), subject('lastSeen'), subject('timestamp')],
    whenResolved: [subject('date_closed'), subject('lastSeen')],
    orders: false,
  },
  status: {
    from: [
      when('issue', ({ element }) => valueAt(element, 'action')),
      when('metric_alert', ({ element }) => valueAt(element, 'action')),
    ],
    map: {
      created: 'triggered',
      unresolved: 'triggered',
      critical: 'triggered',
      warning: 'triggered',
      resolved: 'resolved',
      assigned: 'acknowledged',
      archived: 'acknowledged',
      ignored: 'acknowledged',
      unassigned: 'update',
    },
    absent: 'triggered',
  },
  severity: {
    from: [
      when('metric_alert', levelOfMetric),
      subject('level'),
      when('legacy', ({ element }) => valueAt(element, 'level')),
    ],
    map: { fatal: 'critical', error: 'high', warning: 'medium', info: 'info', debug: 'info', sample: 'info' },
    take: 'first-known',
  },
  keep,
  redact: ['$.data.installation.code'], // a grant code
} as const satisfies SourceConnector;
