import { isEmpty, isObject, listOf, textOf, valueAlong, valueAt } from '@tocsin/domain/mapping';
import type { Reading, SourceConnector } from '../kit/source-connector.ts';

/** Templates have few names, and every payload repeats them. */
const bareNames = new Map<string, string>();
const MAX_NAMES = 1_000;

function bare(name: string): string {
  const known = bareNames.get(name);
  if (known !== undefined) return known;
  const made = name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
  if (bareNames.size < MAX_NAMES) bareNames.set(name, made);
  return made;
}

const indexes = new WeakMap<object, ReadonlyMap<string, unknown>>();

/** Keys by their bare name. Sorted, so that two spellings of one name mean the same in every key order. */
function indexOf(element: object): ReadonlyMap<string, unknown> {
  const known = indexes.get(element);
  if (known) return known;
  const index = new Map<string, unknown>();
  for (const key of Object.keys(element).sort()) {
    const name = bare(key);
    const value = valueAt(element, key);
    if (!index.has(name) && !isEmpty(value)) index.set(name, value);
  }
  indexes.set(element, index);
  return index;
}

/**
 * A placeholder's value. The body is a template of the user, who names the keys: mostly like the placeholders (`ProblemTitle`), but
 * `problemTitle` and `problem_title` are as common.
 */
function given(element: unknown, name: string): unknown {
  if (!isObject(element)) return undefined;
  const value = valueAt(element, name);
  return isEmpty(value) ? indexOf(element).get(bare(name)) : value;
}
const placeholder =
  (name: string) =>
  ({ element }: Reading): unknown =>
    given(element, name);

/** `{ProblemDetailsJSONv2}`, or its predecessor. */
const details = (element: unknown): unknown =>
  given(element, 'ProblemDetailsJSONv2') ?? given(element, 'ProblemDetailsJSON');
const inDetails =
  (...keys: string[]) =>
  ({ element }: Reading): unknown =>
    valueAlong(details(element), keys);

const commaList = (value: unknown): unknown =>
  typeof value === 'string' ? value.split(',').flatMap((part) => part.trim() || []) : value;

/** `{ImpactedEntities}` is a list of objects; where its quoting broke it, the names are still in a field of their own. */
function entityNames(reading: Reading): string[] {
  const entities = given(reading.element, 'ImpactedEntities');
  if (Array.isArray(entities)) return listOf(entities);
  return listOf(commaList(given(reading.element, 'NamesOfImpactedEntities')));
}

/** Version 2 names the root cause, version 1 marks one of the ranked events. */
function rootCauseOf({ element }: Reading): string | undefined {
  const named = textOf(valueAt(details(element), 'rootCauseEntity'));
  if (named !== undefined) return named;
  const ranked = valueAt(details(element), 'rankedEvents');
  if (!Array.isArray(ranked)) return undefined;
  return textOf(
    valueAt(
      ranked.slice(0, 100).find((event: unknown) => valueAt(event, 'isRootCause') === true),
      'entityName',
    ),
  );
}

function keep(reading: Reading): Record<string, unknown> {
  const impact = given(reading.element, 'ProblemImpact') ?? valueAt(details(reading.element), 'impactLevel');
  const rootCause = rootCauseOf(reading);
  return {
    ...(isEmpty(impact) ? {} : { impact }),
    ...(rootCause === undefined ? {} : { root_cause_entity: rootCause }),
    ...(isObject(reading.element) ? reading.element : {}),
  };
}

/** The link may hold raw spaces. */
function linkOf({ element }: Reading): unknown {
  const url = given(element, 'ProblemURL');
  return typeof url === 'string' ? url.trim().replaceAll(' ', '%20') : url;
}

const TEST_TITLE = 'dynatrace problem notification test run';
const NAMED = ['ProblemID', 'PID', 'ProblemTitle', 'ProblemDetailsJSON', 'ProblemDetailsJSONv2'] as const;
const isProblem = (value: unknown): boolean => NAMED.some((name) => given(value, name) !== undefined);

/** Problem notifications (custom integration): a template of placeholders. */
export const source = {
  id: 'dynatrace',
  title: 'Dynatrace',
  category: 'apm',
  kind: 'alert',
  slugs: [],
  auth: {
    default: 'api_key',
    also: ['bearer', 'basic', 'query_token', 'none', 'hmac'],
    apiKey: { header: 'authorization', prefix: 'Api-Token' },
  },
  deliveryIdHeaders: [],
  retries: { on429: false },
  respond: 'accept',
  resolves: true,
  decode: ['json', 'repaired-json'],
  unwrap: ['ImpactedEntities', 'ProblemDetailsJSON', 'ProblemDetailsJSONv2'].map(
    (name) => ({ at: [name], encoding: 'json', becomes: 'value' }) as const,
  ),
  recognises: (root) => (Array.isArray(root) ? root.length > 0 : isProblem(root)),
  split: (root): readonly unknown[] => (Array.isArray(root) ? root : [root]),
  recognisesElement: isProblem,
  ignore: [
    {
      when: ({ element }) => textOf(given(element, 'ProblemTitle'))?.trim().toLowerCase() === TEST_TITLE,
      reason: 'test-notification',
    },
  ],
  fields: {
    title: [placeholder('ProblemTitle'), inDetails('title'), placeholder('ImpactedEntity')],
    description: [placeholder('ProblemDetailsText'), placeholder('ImpactedEntity')],
    services: [entityNames, rootCauseOf],
    tags: [({ element }) => commaList(given(element, 'Tags')), inDetails('tagsOfAffectedEntities')],
    source: [placeholder('ManagementZones'), inDetails('managementZones')],
    url: [linkOf],
    dedupKey: [placeholder('PID'), placeholder('ProblemID'), inDetails('problemId'), inDetails('id')],
    firingKey: [],
    incidentType: [],
  },
  // A problem that opens again keeps its start, so the start must not order it before its own end.
  occurredAt: { from: [inDetails('startTime')], whenResolved: [inDetails('endTime')], orders: false },
  // The details are those of the problem's opening: their status comes last.
  status: {
    from: [placeholder('State'), placeholder('ProblemState'), inDetails('status')],
    map: { open: 'triggered', resolved: 'resolved', merged: 'resolved', closed: 'resolved' },
    absent: 'triggered',
  },
  severity: {
    from: [placeholder('ProblemSeverity'), placeholder('SeverityLevel'), inDetails('severityLevel')],
    map: {
      availability: 'critical',
      error: 'high',
      monitoring_unavailable: 'high',
      performance: 'medium',
      resource: 'medium',
      resource_contention: 'medium',
      custom: 'medium',
      custom_alert: 'medium',
      info: 'info',
    },
    take: 'first-known',
  },
  keep,
} as const satisfies SourceConnector;
