import { isObject, listOf, textOf, valueAt } from '@tocsin/domain/mapping';
import type { Reading, SourceConnector } from '../kit/source-connector.ts';

const CONFIRMATIONS: readonly unknown[] = ['SubscriptionConfirmation', 'UnsubscribeConfirmation'];
const isEnvelope = (root: unknown): boolean =>
  typeof valueAt(root, 'Type') === 'string' && typeof valueAt(root, 'TopicArn') === 'string';
const isAlarm = (value: unknown): boolean => textOf(valueAt(value, 'AlarmName')) !== undefined;
const isEvent = (value: unknown): boolean => typeof valueAt(value, 'detail-type') === 'string';
const isAlarmEvent = (value: unknown): boolean => valueAt(value, 'detail-type') === 'CloudWatch Alarm State Change';

/** What an SNS notification carries when its text was a document, else the payload itself: raw delivery and EventBridge have no envelope. */
function bodyOf(root: unknown): unknown {
  const message = isEnvelope(root) ? valueAt(root, 'Message') : undefined;
  return isObject(message) ? message : root;
}

const stateOf = ({ element }: Reading): string | undefined =>
  textOf(valueAt(element, 'NewStateValue') ?? valueAt(element, 'detail', 'state', 'value'))?.toUpperCase();

/** No severity is sent: an alarm is high, one that cannot be judged for lack of data is low and never the end of an alarm. */
const SEVERITY: Readonly<Record<string, string>> = { ALARM: 'high', INSUFFICIENT_DATA: 'low', OK: 'high' };
const STATUS: Readonly<Record<string, string>> = { ALARM: 'triggered', INSUFFICIENT_DATA: 'triggered', OK: 'resolved' };
const ofState =
  (table: Readonly<Record<string, string>>) =>
  (reading: Reading): string | undefined => {
    const state = stateOf(reading);
    return state !== undefined && Object.hasOwn(table, state) ? table[state] : undefined;
  };

/** The ARN is the same by SNS and by EventBridge. Old notifications lack it; account, region and name are as good. */
function keyOf({ element }: Reading): string | undefined {
  if (isAlarmEvent(element)) return textOf(valueAt(element, 'resources', 0));
  const arn = textOf(valueAt(element, 'AlarmArn'));
  if (arn !== undefined || !isAlarm(element)) return arn;
  return ['AWSAccountId', 'Region', 'AlarmName'].map((key) => textOf(valueAt(element, key)) ?? '').join(':');
}

const CONSOLES: Readonly<Record<string, string>> = {
  aws: 'console.aws.amazon.com',
  'aws-cn': 'console.amazonaws.cn',
  'aws-us-gov': 'console.amazonaws-us-gov.com',
};

/** No link is sent: arn:aws:cloudwatch:<region>:<account>:alarm:<name> says where the alarm is in the console. */
function consoleLink(reading: Reading): string | undefined {
  const [, partition = '', region = '', name = ''] =
    /^arn:([\w-]+):cloudwatch:([\w-]+):\d*:alarm:(.+)$/s.exec(keyOf(reading) ?? '') ?? [];
  const host = Object.hasOwn(CONSOLES, partition) ? CONSOLES[partition] : undefined;
  if (host === undefined) return undefined;
  return `https://${region}.${host}/cloudwatch/home?region=${region}#alarmsV2:alarm/${encodeURIComponent(name.toWellFormed())}`;
}

/** Metrics of an alarm on an expression; the first one may be the expression itself. */
const metricsOf = (element: unknown): unknown[] => {
  const metrics = valueAt(element, 'Trigger', 'Metrics') ?? valueAt(element, 'detail', 'configuration', 'metrics');
  return Array.isArray(metrics) ? metrics.slice(0, 100) : [];
};
const metricOf = (entry: unknown): unknown =>
  valueAt(entry, 'MetricStat', 'Metric') ?? valueAt(entry, 'metricStat', 'metric');

const namespacesOf = ({ element }: Reading): string[] =>
  metricsOf(element).flatMap((entry) =>
    listOf(valueAt(metricOf(entry), 'Namespace') ?? valueAt(metricOf(entry), 'namespace')),
  );

function dimensionsOf(element: unknown): string[] {
  const all = [
    valueAt(element, 'Trigger', 'Dimensions'),
    ...metricsOf(element).map((entry) => dimensionsOfMetric(metricOf(entry))),
  ];
  return all.flatMap((dimensions) =>
    Array.isArray(dimensions)
      ? dimensions.slice(0, 100).flatMap(dimensionTag)
      : isObject(dimensions)
        ? listOf(dimensions)
        : [],
  );
}
const dimensionsOfMetric = (metric: unknown): unknown => valueAt(metric, 'Dimensions') ?? valueAt(metric, 'dimensions');

function dimensionTag(dimension: unknown): string[] {
  const name = textOf(valueAt(dimension, 'name') ?? valueAt(dimension, 'Name'));
  const value = textOf(valueAt(dimension, 'value') ?? valueAt(dimension, 'Value'));
  return name === undefined || value === undefined ? [] : [`${name}:${value}`];
}

function tagsOf({ element }: Reading): string[] {
  const region = textOf(valueAt(element, 'Region') ?? valueAt(element, 'region'));
  const account = textOf(valueAt(element, 'AWSAccountId') ?? valueAt(element, 'account'));
  return [
    ...(region === undefined ? [] : [`region:${region}`]),
    ...(account === undefined ? [] : [`account:${account}`]),
    ...dimensionsOf(element),
  ];
}

/** Another service on the same topic: what it says is the description, whole. */
function describeOther({ element, root }: Reading): unknown {
  const message = valueAt(root, 'Message');
  return typeof message === 'string'
    ? message
    : JSON.stringify(isEvent(element) ? valueAt(element, 'detail') : element);
}

/** Alarms through SNS (with and without raw delivery) and through an EventBridge API destination; the shape says which. */
export const source = {
  id: 'cloudwatch',
  title: 'AWS CloudWatch',
  category: 'cloud',
  kind: 'alert',
  slugs: [],
  auth: {
    default: 'vendor',
    also: ['api_key', 'basic', 'bearer', 'query_token', 'none'],
    vendor: { kind: 'sns' },
    apiKey: { header: 'x-api-key' },
  },
  deliveryIdHeaders: ['x-amz-sns-message-id'],
  retries: { on429: true },
  respond: 'accept',
  resolves: true,
  decode: ['json'],
  unwrap: [{ at: ['Message'], encoding: 'json', becomes: 'value' }],
  recognises: (root) => isEnvelope(root) || isAlarm(root) || isEvent(root),
  split: (root) => [bodyOf(root)],
  recognisesElement: (_element, root) =>
    !isEnvelope(root) || CONFIRMATIONS.includes(valueAt(root, 'Type')) || valueAt(root, 'Message') !== undefined,
  ignore: [
    { when: ({ root }) => CONFIRMATIONS.includes(valueAt(root, 'Type')), reason: 'handshake' },
    {
      when: ({ element }) =>
        valueAt(element, 'source') === 'aws.cloudwatch' && isEvent(element) && !isAlarmEvent(element),
      reason: 'unsupported-event',
    },
  ],
  fields: {
    title: ['$.AlarmName', '$.detail.alarmName', '$root.Subject', "$['detail-type']", '$root.Message'],
    description: [
      '$.AlarmDescription',
      '$.detail.configuration.description',
      '$.NewStateReason',
      '$.detail.state.reason',
      describeOther,
    ],
    services: ['$.Trigger.Namespace', namespacesOf],
    tags: [tagsOf],
    source: ['$root.TopicArn', '$.source'],
    url: [consoleLink],
    dedupKey: [keyOf],
    firingKey: [],
    incidentType: [],
  },
  occurredAt: { from: ['$.StateChangeTime', '$.detail.state.timestamp', '$root.Timestamp', '$.time'], orders: true },
  status: { from: [ofState(STATUS)], absent: 'triggered' },
  severity: { from: [ofState(SEVERITY)] },
  keep: ({ element, root }) => ({
    ...(isObject(element) ? element : {}),
    ...(isEnvelope(root) ? { TopicArn: valueAt(root, 'TopicArn') } : {}),
  }),
  redact: ['$.Signature', '$.Token', '$.SubscribeURL', '$.UnsubscribeURL'],
} as const satisfies SourceConnector;
