import { isObject, valueAt } from '@tocsin/domain/mapping';
import { changeByEvent, fieldByEvent } from '../kit/event-reader.ts';
import type { Reading, SourceConnector } from '../kit/source-connector.ts';
import { readerOf } from './events.ts';

const field = fieldByEvent(readerOf);

/** Every event is about one of these, and it names who caused it. */
const OWNERS = ['repository', 'organization', 'enterprise', 'installation', 'sender'] as const;

/** What of an event is kept. Users, repositories and dozens of API addresses are most of a payload and say nothing about the problem. */
const kept: Readonly<Record<string, readonly string[]>> = {
  repository: ['full_name', 'html_url', 'default_branch', 'language', 'private', 'visibility'],
  sender: ['login', 'type'],
  workflow: ['id', 'name', 'path'],
  workflow_run: [
    ...['id', 'name', 'display_title', 'event', 'conclusion', 'head_branch', 'head_sha', 'html_url', 'path'],
    ...['run_number', 'run_attempt', 'run_started_at', 'updated_at', 'head_commit'],
  ],
  workflow_job: [
    ...['id', 'name', 'workflow_name', 'conclusion', 'head_branch', 'head_sha', 'html_url', 'labels', 'runner_name'],
    ...['started_at', 'completed_at', 'steps'],
  ],
  check_run: ['id', 'name', 'conclusion', 'head_sha', 'html_url', 'output', 'started_at', 'completed_at'],
  check_suite: ['id', 'conclusion', 'head_branch', 'head_sha', 'head_commit', 'updated_at'],
  deployment: ['id', 'ref', 'sha', 'task', 'environment', 'description', 'payload', 'created_at'],
  deployment_status: ['id', 'state', 'description', 'environment', 'log_url', 'target_url', 'created_at', 'updated_at'],
};
const KEPT_WHOLE = ['action', 'alert', 'context', 'state', 'sha', 'description', 'target_url', 'ref', 'commit_oid'];

function keep({ element }: Reading): Record<string, unknown> {
  const whole = KEPT_WHOLE.map((name): [string, unknown] => [name, valueAt(element, name)]);
  const parts = Object.entries(kept).map(([name, inner]): [string, unknown] => [
    name,
    partOf(valueAt(element, name), inner),
  ]);
  return Object.fromEntries([...whole, ...parts].filter(([, value]) => value !== undefined));
}

function partOf(value: unknown, names: readonly string[]): unknown {
  if (!isObject(value)) return undefined;
  return Object.fromEntries(names.filter((name) => Object.hasOwn(value, name)).map((name) => [name, value[name]]));
}

/** Repository, organisation and App webhooks: findings of the security features, Actions, checks, statuses and deployments. */
export const source = {
  id: 'github',
  title: 'GitHub',
  category: 'source-control',
  kind: 'alert',
  slugs: [],
  auth: {
    default: 'hmac',
    also: ['bearer', 'basic', 'api_key', 'query_token', 'none'],
    signatures: [
      { headers: ['x-hub-signature-256'] },
      { headers: ['x-hub-signature'], algorithms: ['sha256', 'sha1'] }, // servers before 3.0 have only this one
    ],
    signatureHeaders: ['x-hub-signature-256', 'x-hub-signature'],
  },
  deliveryIdHeaders: ['x-github-delivery'],
  retries: { on429: false }, // nothing is ever tried again on its own
  respond: 'accept',
  resolves: true,
  decode: ['json', { formField: 'payload' }],
  recognises: (root) => isObject(root) && OWNERS.some((name) => isObject(valueAt(root, name))),
  split: (root) => [root],
  recognisesElement: isObject,
  ignore: [
    { when: ({ element }) => valueAt(element, 'zen') !== undefined, reason: 'test-notification' },
    { when: ({ element }) => readerOf(element) === undefined, reason: 'unsupported-event' },
    { when: ({ element }) => readerOf(element)?.status(element) === undefined, reason: 'not-an-alert-state' },
  ],
  fields: {
    title: [field('title')],
    description: [field('description')],
    services: [field('services')],
    tags: [field('tags')],
    source: ['$.repository.html_url'],
    url: [field('url')],
    dedupKey: [field('key')],
    firingKey: [],
    incidentType: [],
  },
  occurredAt: { from: [field('at')], orders: true },
  status: { from: [field('status')], map: { update: 'update' }, absent: 'triggered' },
  severity: { from: [field('severity')], map: { note: 'low' } },
  keep,
  change: changeByEvent(readerOf),
} as const satisfies SourceConnector;
