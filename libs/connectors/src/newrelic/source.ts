import { isEmpty, isObject, listOf, textOf, valueAt } from '@tocsin/domain/mapping';
import type { Reading, SourceConnector } from '../kit/source-connector.ts';

const textAt = (element: unknown, key: string): string => (textOf(valueAt(element, key)) ?? '').trim();

/**
 * An acknowledged issue stays ACTIVATED: only what triggered the notification tells. A user's action on a closed issue is no
 * acknowledgement, so the state goes first where it says closed.
 */
function statusOf({ element }: Reading): string | undefined {
  const state = textAt(element, 'state') || textAt(element, 'current_state');
  const acknowledged = /^(?:ISSUE_ACKNOWLEDGED|USER_ACTION)$/i.test(textAt(element, 'trigger'));
  if (acknowledged && /^(?:activated|created|open)$/i.test(state)) return 'acknowledged';
  if (state !== '') return state;
  return isOldAlertOver(element) ? 'resolved' : undefined;
}

/** Alerts of the retired APM channel have no state, only a sentence: "[app] alert ended". */
const isOldAlertOver = (element: unknown): boolean =>
  /\b(?:ended|closed|cancel+ed|recovered)\b/i.test(textAt(element, 'short_description') || textAt(element, 'message'));

const names = (element: unknown, ...keys: string[]): string[] => keys.flatMap((key) => listOf(valueAt(element, key)));
const conditionsOf = (element: unknown): string[] => names(element, 'alertConditionNames', 'condition_name');
const policiesOf = (element: unknown): string[] => names(element, 'alertPolicyNames', 'policy_name');

/** An issue has no text beside its title. */
function describe({ element }: Reading): string | undefined {
  const parts = [
    ['Condition', conditionsOf(element)],
    ['Policy', policiesOf(element)],
  ] as const;
  const lines = parts.flatMap(([name, values]) => (values.length === 0 ? [] : [`${name}: ${values.join(', ')}`]));
  return lines.length === 0 ? undefined : lines.join('\n');
}

const tagsOf = ({ element }: Reading): string[] => [
  ...policiesOf(element).map((name) => `policy:${name}`),
  ...conditionsOf(element).map((name) => `condition:${name}`),
];

function targetsOf({ element }: Reading): string[] {
  const targets = valueAt(element, 'targets');
  return Array.isArray(targets) ? targets.slice(0, 100).flatMap((target) => textOf(valueAt(target, 'name')) ?? []) : [];
}

/** An issue's time of creation stands for its opening alone; `updatedAt` is the time of what came later. */
const changedAt = (reading: Reading): unknown =>
  statusOf(reading) === 'acknowledged' ? valueAt(reading.element, 'updatedAt') : undefined;

/** Workflows (default template and those near it), and the retired notification channels of policies and of APM. */
export const source = {
  id: 'newrelic',
  title: 'New Relic',
  category: 'apm',
  kind: 'alert',
  slugs: [],
  auth: {
    default: 'api_key',
    also: ['bearer', 'basic', 'hmac', 'query_token', 'none'],
    apiKey: { header: 'api-key' },
  },
  deliveryIdHeaders: [],
  retries: { on429: false },
  respond: 'accept',
  resolves: true,
  decode: ['json', { formField: 'alert' }],
  recognises: (root) =>
    isObject(root) &&
    ['issueUrl', 'issueId', 'state', 'priority', 'incident_id', 'condition_name', 'current_state', 'alert_url'].some(
      (key) => !isEmpty(valueAt(root, key)),
    ),
  split: (root) => [root],
  recognisesElement: () => true,
  ignore: [{ when: ({ element }) => /^test$/i.test(textAt(element, 'current_state')), reason: 'test-notification' }],
  fields: {
    title: ['$.title', '$.condition_name', '$.short_description', '$.message', '$.workflowName'],
    description: ['$.description', '$.details', '$.long_description', describe],
    services: ['$.impactedEntities', '$.entitiesData.names', targetsOf, '$.application_name'],
    tags: [tagsOf],
    source: ['$.account_name', '$.workflowName', '$.sources'],
    url: ['$.issueUrl', '$.issuePageUrl', '$.incident_url', '$.alert_url'],
    dedupKey: ['$.id', '$.issueId', '$.incident_id', '$.alert_url'],
    firingKey: [],
    incidentType: [],
  },
  occurredAt: {
    from: [changedAt, '$.createdAt', '$.timestamp', '$.created_at'],
    whenResolved: ['$.closedAt', '$.updatedAt', '$.timestamp', '$.created_at'],
    orders: true,
  },
  status: { from: [statusOf], absent: 'triggered' },
  severity: { from: ['$.priority', '$.severity'], take: 'first-known' },
  keep: ({ element }) => (isObject(element) ? element : {}),
} as const satisfies SourceConnector;
