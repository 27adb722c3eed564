import type { AlertStatus } from '@tocsin/contracts';
import { isObject, textAt, valueAt } from '@tocsin/domain/mapping';
import { tag } from '../kit/event-reader.ts';
import type { Reading, SourceConnector } from '../kit/source-connector.ts';
import { documentOf, named, release } from './documents.ts';

const categoryOf = (event: unknown): string => textAt(event, 'Category') ?? '';
const isMachine = (event: unknown): boolean => categoryOf(event).startsWith('Machine');
const isInterruption = (event: unknown): boolean =>
  /Interruption|GuidedFailure|ManualIntervention/.test(categoryOf(event));
/** Of a deployment itself, not of a person that is asked while it runs. */
const isDeployment = (event: unknown): boolean => categoryOf(event).startsWith('Deployment');

/** The categories are many and grow: what they are called says what they mean. `Unhealthy` does not hold the word `Healthy`. */
function stateOf(event: unknown): AlertStatus | undefined {
  const category = categoryOf(event);
  if (/Failed|Unhealthy|Unavailable|TimedOut|Raised/.test(category)) return 'triggered';
  return /Succeeded|Healthy|Submitted/.test(category) ? 'resolved' : undefined;
}
const inProgress = (event: unknown): boolean => /Queued|Started|Resumed|Cancell?ed/.test(categoryOf(event));

function severityOf({ element }: Reading): string {
  return isInterruption(element) || categoryOf(element) === 'MachineUnhealthy' ? 'medium' : 'high';
}

/**
 * Project, environment, tenant. A runbook has its own, and so has a question to a person: that a deployment succeeded answers
 * neither, and an answer does not make a deployment good.
 */
function keyOfEvent({ element }: Reading): string | undefined {
  if (isMachine(element)) return documentOf(element, 'Machines-');
  const project = documentOf(element, 'Projects-');
  const environment = documentOf(element, 'Environments-');
  if (project === undefined) return undefined;
  const rest = [environment, documentOf(element, 'Tenants-'), documentOf(element, 'Runbooks-')];
  const parts = [project, ...rest.filter((part) => part !== undefined)];
  return [...parts, ...(isInterruption(element) ? ['interruption'] : [])].join(':');
}

/** The page of the task, which holds the log; the machine; or the audit trail. Without a public address of the server there is none. */
function pageOf({ element, root }: Reading): string | undefined {
  const server = textAt(root, 'Payload', 'ServerUri')?.replace(/\/$/, '');
  const space = textAt(element, 'SpaceId');
  const task = documentOf(element, 'ServerTasks-');
  const machine = documentOf(element, 'Machines-');
  const page =
    task !== undefined ? `tasks/${task}` : machine !== undefined ? `infrastructure/machines/${machine}` : undefined;
  if (server === undefined || space === undefined || page === undefined)
    return textAt(root, 'Payload', 'ServerAuditUri');
  return `${server}/app#/${space}/${page}`;
}

const environmentOf = ({ element }: Reading): string | undefined =>
  named(element, 'Environments-') ?? release(element)?.environment;
const serviceOf = ({ element }: Reading): string | undefined =>
  isMachine(element)
    ? named(element, 'Machines-')
    : (named(element, 'Projects-') ?? release(element)?.project ?? documentOf(element, 'Projects-'));

const tagsOf = (reading: Reading): string[] => [
  ...tag('environment', environmentOf(reading)),
  ...tag('tenant', named(reading.element, 'Tenants-')),
  ...tag('category', textAt(reading.element, 'Category')),
];

const EVENT = [
  'Id',
  'Category',
  'Message',
  'Details',
  'RelatedDocumentIds',
  'Occurred',
  'SpaceId',
  'Username',
] as const;

/** One event, or those of a batch. */
const eventsOf = (root: unknown): readonly unknown[] => {
  const batch = valueAt(root, 'Payload', 'Events');
  return Array.isArray(batch) ? batch : [valueAt(root, 'Payload', 'Event')];
};

/** Subscriptions of the audit trail that are sent as webhooks. */
export const source = {
  id: 'octopus-deploy',
  title: 'Octopus Deploy',
  category: 'source-control',
  kind: 'alert',
  slugs: [],
  auth: { default: 'bearer', also: ['api_key', 'basic', 'hmac', 'query_token', 'none'] },
  deliveryIdHeaders: [],
  retries: { on429: false },
  respond: 'accept',
  resolves: true,
  decode: ['json'],
  recognises: (root) => isObject(valueAt(root, 'Payload')) && typeof valueAt(root, 'EventType') === 'string',
  split: eventsOf,
  recognisesElement: (element) => categoryOf(element) !== '',
  ignore: [
    { when: ({ element }) => inProgress(element), reason: 'not-an-alert-state' },
    { when: ({ element }) => stateOf(element) === undefined, reason: 'unsupported-event' },
  ],
  fields: {
    title: ['$.Message'],
    description: ['$.Details', '$.Comments'],
    services: [serviceOf],
    tags: [tagsOf],
    source: ['$root.Payload.ServerUri'],
    url: [pageOf],
    dedupKey: [keyOfEvent],
    firingKey: [],
    incidentType: [],
  },
  occurredAt: { from: ['$.Occurred', '$root.Timestamp'], orders: true },
  status: { from: [({ element }) => stateOf(element)], absent: 'triggered' },
  severity: { from: [severityOf] },
  keep: ({ element }) =>
    Object.fromEntries(
      EVENT.flatMap((name) => (valueAt(element, name) === undefined ? [] : [[name, valueAt(element, name)]])),
    ),
  // The subscription is echoed with the address of the webhook (its token stands in it) and the secret header.
  redact: [
    '$.Payload.Subscription.*.WebhookURI',
    '$.Payload.Subscription.*.WebhookHeaderKey',
    '$.Payload.Subscription.*.WebhookHeaderValue',
  ],
  change: {
    kind: ({ element }) => (isDeployment(element) ? 'deployment' : undefined),
    version: [({ element }) => named(element, 'Releases-') ?? release(element)?.version],
    environment: [environmentOf],
    status: ['$.Category'],
    actor: ['$.Username'],
    finished: ['$.Occurred'],
  },
} as const satisfies SourceConnector;
