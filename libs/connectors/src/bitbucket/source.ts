import { isObject, textAt, valueAt } from '@tocsin/domain/mapping';
import { keyOf, tag } from '../kit/event-reader.ts';
import type { Reading, SourceConnector } from '../kit/source-connector.ts';

const statusOf = (element: unknown, name: string): string | undefined => textAt(element, 'commit_status', name);
const repositoryOf = ({ element }: Reading): string | undefined => textAt(element, 'repository', 'full_name');
const stateOf = ({ element }: Reading): string => statusOf(element, 'state')?.toUpperCase() ?? '';

/** A running or stopped build neither opens nor closes anything. */
const OPENS_OR_CLOSES = new Set(['FAILED', 'SUCCESSFUL']);

/**
 * What builds of one thing have in common. The key of a build may be new for every run (Pipelines does that), so on a known branch the
 * name counts, without the number of the run; without a branch there is only the key.
 */
function keyOfBuild(reading: Reading): string | undefined {
  const { element } = reading;
  const branch = statusOf(element, 'refname');
  const name = statusOf(element, 'name')
    ?.replaceAll(/\s*#\d+/g, '')
    .trim();
  if (branch !== undefined && name) return keyOf(repositoryOf(reading), name, branch);
  return keyOf(repositoryOf(reading), statusOf(element, 'key') ?? (name || undefined), ...(branch ? [branch] : []));
}

function keep({ element }: Reading): Record<string, unknown> {
  const parts = { repository: ['full_name', 'name', 'uuid'], actor: ['display_name', 'nickname', 'username', 'uuid'] };
  const kept = Object.entries(parts).map(([name, keys]): [string, unknown] => {
    const value = valueAt(element, name);
    return [name, Object.fromEntries(keys.map((key) => [key, valueAt(value, key)]))];
  });
  return { commit_status: valueAt(element, 'commit_status'), ...Object.fromEntries(kept) };
}

/** Build statuses of Bitbucket Cloud, which is how Pipelines and outside builds report. There is no webhook of a pipeline itself. */
export const source = {
  id: 'bitbucket',
  title: 'Bitbucket',
  category: 'source-control',
  kind: 'alert',
  slugs: [],
  auth: {
    default: 'hmac',
    also: ['bearer', 'basic', 'api_key', 'query_token', 'none'],
    signatureHeaders: ['x-hub-signature-256', 'x-hub-signature'],
  },
  deliveryIdHeaders: ['x-request-uuid'],
  retries: { on429: false }, // only a 5xx or a timeout is tried again
  respond: 'accept',
  resolves: true,
  decode: ['json'],
  recognises: (root) =>
    isObject(root) &&
    (valueAt(root, 'test') === true ||
      typeof valueAt(root, 'eventKey') === 'string' || // Data Center
      isObject(valueAt(root, 'repository')) ||
      isObject(valueAt(root, 'commit_status'))),
  split: (root) => [root],
  recognisesElement: isObject,
  ignore: [
    { when: ({ element }) => valueAt(element, 'test') === true, reason: 'test-notification' },
    { when: ({ element }) => !isObject(valueAt(element, 'commit_status')), reason: 'unsupported-event' },
    { when: (reading) => !OPENS_OR_CLOSES.has(stateOf(reading)), reason: 'not-an-alert-state' },
  ],
  fields: {
    title: ['$.commit_status.name', '$.commit_status.key'],
    description: ['$.commit_status.description'],
    services: [repositoryOf],
    tags: [({ element }) => tag('branch', statusOf(element, 'refname'))],
    source: ['$.repository.links.html.href'],
    url: ['$.commit_status.url'],
    dedupKey: [keyOfBuild],
    firingKey: [],
    incidentType: [],
  },
  occurredAt: { from: ['$.commit_status.updated_on', '$.commit_status.created_on'], orders: true },
  status: { from: [stateOf], absent: 'triggered' },
  severity: { from: [() => 'medium'] },
  keep,
} as const satisfies SourceConnector;
