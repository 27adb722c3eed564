import { isObject, textOf, valueAt } from '@tocsin/domain/mapping';
import type { Reading, SourceConnector } from '../kit/source-connector.ts';

/** `owner/name`; the header says it too, but not in a payload that was stored. */
function slugOf({ element, headers }: Reading): string | undefined {
  const owner = textOf(valueAt(element, 'repository', 'owner_name'));
  const name = textOf(valueAt(element, 'repository', 'name'));
  return owner === undefined || name === undefined ? textOf(headers['travis-repo-slug']) : `${owner}/${name}`;
}

/** `state` or the word shown to people; the number `status` is 1 for "failed" and for "not finished" alike. */
const wordOf = ({ element }: Reading): string =>
  (textOf(valueAt(element, 'status_message')) ?? textOf(valueAt(element, 'state')) ?? '').trim().toLowerCase();

const OVER = ['passed', 'fixed'];
const BROKEN = ['broken', 'failed', 'still failing', 'errored'];

function keyOf(reading: Reading): string | undefined {
  const slug = slugOf(reading);
  const branch = textOf(valueAt(reading.element, 'branch'));
  return slug === undefined || branch === undefined ? undefined : `${slug}:${branch}`;
}

function describe(reading: Reading): string {
  const { element } = reading;
  const text = (key: string): string => textOf(valueAt(element, key)) ?? '';
  return [`#${text('number')} ${text('status_message')} on ${text('branch')}`, text('message'), text('compare_url')]
    .filter((line) => line !== '')
    .join('\n');
}

/** Webhook notifications of builds: a form with the field `payload`. */
export const source = {
  id: 'travis',
  title: 'Travis CI',
  category: 'source-control',
  kind: 'alert',
  slugs: [],
  auth: { default: 'vendor', also: ['query_token', 'bearer', 'basic', 'api_key', 'none'], vendor: { kind: 'travis' } },
  deliveryIdHeaders: [],
  retries: { on429: false },
  respond: 'accept',
  resolves: true,
  decode: [{ formField: 'payload' }, 'json'],
  recognises: (root) => isObject(valueAt(root, 'repository')) && valueAt(root, 'build_url') !== undefined,
  split: (root) => [root],
  recognisesElement: () => true,
  ignore: [{ when: (reading) => ![...OVER, ...BROKEN].includes(wordOf(reading)), reason: 'not-an-alert-state' }],
  fields: {
    title: [slugOf, '$.repository.name'],
    description: [describe],
    services: [slugOf, '$.repository.name'],
    tags: [
      ({ element }) =>
        ['branch', 'type', 'author_name'].flatMap((key) => {
          const text = textOf(valueAt(element, key));
          return text === undefined ? [] : [`${key}:${text}`];
        }),
    ],
    source: ['$.repository.url'],
    url: ['$.build_url'],
    dedupKey: [keyOf],
    firingKey: [],
    incidentType: [],
  },
  occurredAt: { from: ['$.finished_at'], orders: true },
  status: { from: [(reading) => (OVER.includes(wordOf(reading)) ? 'resolved' : 'triggered')], absent: 'triggered' },
  severity: { from: [(reading) => (wordOf(reading) === 'errored' ? 'high' : 'medium')] },
  keep: ({ element }) => (isObject(element) ? element : {}),
  // The build's own configuration names the addresses and tokens that it notifies.
  redact: ['$.config.notifications', '$.matrix[*].config.notifications', '$.config.env', '$.matrix[*].config.env'],
  change: {
    kind: () => 'build',
    version: ['$.commit'],
    environment: ['$.branch'],
    status: ['$.status_message', '$.state'],
    actor: ['$.author_name', '$.committer_name'],
    started: ['$.started_at'],
    finished: ['$.finished_at'],
  },
} as const satisfies SourceConnector;
