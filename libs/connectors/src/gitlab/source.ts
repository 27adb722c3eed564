import { isObject, valueAt } from '@tocsin/domain/mapping';
import { changeByEvent, fieldByEvent } from '../kit/event-reader.ts';
import type { Reading, SourceConnector } from '../kit/source-connector.ts';
import { projectOf, readerOf } from './events.ts';

const field = fieldByEvent(readerOf);

const nameOf = (root: unknown): unknown => valueAt(root, 'object_kind') ?? valueAt(root, 'event_name'); // the latter: system hooks

/** The people of a payload with their addresses and pictures, and the same project twice, say nothing about the problem. */
const LEFT_OUT = new Set(['user', 'project', 'repository', 'assignees', 'runner', 'user_url', 'builds']);

function keep({ element }: Reading): Record<string, unknown> {
  if (!isObject(element)) return {};
  const rest = Object.fromEntries(Object.entries(element).filter(([key]) => !LEFT_OUT.has(key)));
  const builds = valueAt(element, 'builds');
  return {
    ...rest,
    project: projectOf(element) ?? null,
    user: valueAt(element, 'user', 'username') ?? valueAt(element, 'user', 'name') ?? null,
    ...(Array.isArray(builds) ? { builds: builds.slice(0, 100).map(jobOf) } : {}),
  };
}

const JOB = ['id', 'name', 'stage', 'status', 'allow_failure', 'failure_reason', 'started_at', 'finished_at'] as const;
const jobOf = (build: unknown): unknown =>
  Object.fromEntries(JOB.flatMap((name) => (valueAt(build, name) === undefined ? [] : [[name, valueAt(build, name)]])));

/** Project and group webhooks: pipelines, jobs, deployments, incidents and vulnerabilities. */
export const source = {
  id: 'gitlab',
  title: 'GitLab',
  category: 'source-control',
  kind: 'alert',
  slugs: [],
  auth: {
    default: 'vendor',
    also: ['api_key', 'hmac', 'bearer', 'basic', 'query_token', 'none'],
    secretHeaders: ['x-gitlab-token'],
    apiKey: { header: 'x-gitlab-token' },
  },
  // Not X-Gitlab-Event-UUID: events that one event causes carry the same one.
  deliveryIdHeaders: ['idempotency-key', 'webhook-id'],
  retries: { on429: false },
  respond: 'accept',
  resolves: true,
  decode: ['json'],
  recognises: (root) => isObject(root) && typeof nameOf(root) === 'string',
  split: (root) => [root],
  recognisesElement: isObject,
  ignore: [
    { when: ({ element }) => nameOf(element) === 'note', reason: 'note' },
    { when: ({ element }) => readerOf(element) === undefined, reason: 'unsupported-event' },
    { when: ({ element }) => readerOf(element)?.status(element) === undefined, reason: 'not-an-alert-state' },
  ],
  fields: {
    title: [field('title')],
    description: [field('description')],
    services: [field('services')],
    tags: [field('tags')],
    source: ['$.project.web_url', '$.repository.homepage'],
    url: [field('url')],
    dedupKey: [field('key')],
    firingKey: [],
    incidentType: [],
  },
  occurredAt: { from: [field('at')], orders: true },
  status: { from: [field('status')], map: { update: 'update' }, absent: 'triggered' },
  severity: { from: [field('severity')] },
  keep,
  change: changeByEvent(readerOf),
} as const satisfies SourceConnector;
