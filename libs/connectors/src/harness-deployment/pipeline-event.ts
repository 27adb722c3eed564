import type { AlertStatus } from '@tocsin/contracts';
import { isObject, listOf, textAt, valueAt } from '@tocsin/domain/mapping';
import { sentence, tag } from '../kit/event-reader.ts';
import type { ChangeFields, IgnoreRule, Reading, SourceConnector } from '../kit/source-connector.ts';

// Builds and deployments send one and the same notification; only the connector that people choose tells them apart.

/** `StageFailed`, also where a version or a template writes `Stage Failed` or `STAGE_FAILED`. */
const typeOf = (element: unknown): string =>
  (textAt(element, 'eventType') ?? '').replaceAll(/[\s_-]+/g, '').toLowerCase();

/** The type of the event decides: `nodeStatus` is written in several ways and missing in some. */
const states: ReadonlyMap<string, AlertStatus> = new Map([
  ...['pipelinefailed', 'stagefailed', 'stepfailed', 'triggerfailed'].map((type): [string, AlertStatus] => [
    type,
    'triggered',
  ]),
  ...['pipelinesuccess', 'stagesuccess'].map((type): [string, AlertStatus] => [type, 'resolved']),
]);
const inProgress = new Set(['pipelinestart', 'pipelineend', 'pipelinepaused', 'stagestart']);

const pipelineOf = (element: unknown): string | undefined =>
  textAt(element, 'pipelineName') ?? textAt(element, 'pipelineIdentifier');

/** A new id per execution would never match; what breaks and recovers is the pipeline, or one stage of it. */
function keyOfPipeline({ element }: Reading): string | undefined {
  const names = ['accountIdentifier', 'orgIdentifier', 'projectIdentifier', 'pipelineIdentifier'];
  const parts = names.map((name) => textAt(element, name));
  const stage = textAt(element, 'stageIdentifier');
  return parts.includes(undefined) ? undefined : [...parts, ...(stage === undefined ? [] : [stage])].join('/');
}

function describe({ element }: Reading): string {
  const stage = textAt(element, 'stageName') ?? textAt(element, 'stageIdentifier');
  const step = textAt(element, 'stepName');
  const where = [
    ...(step === undefined ? [] : [`step ${step}`]),
    ...(stage === undefined ? [] : [`stage ${stage}`]),
    `pipeline ${pipelineOf(element) ?? '?'}`,
  ];
  return sentence(`${textAt(element, 'eventType') ?? 'Event'}:`, where.join(' of '));
}

const tagsOf = ({ element }: Reading): string[] => [
  ...tag('organization', textAt(element, 'orgIdentifier')),
  ...tag('project', textAt(element, 'projectIdentifier')),
  ...tag('stage', textAt(element, 'stageIdentifier')),
  ...tag('trigger', textAt(element, 'triggeredBy', 'triggerType')),
  ...listOf(valueAt(element, 'moduleInfo', 'cd', 'envIdentifiers')).map((name) => `environment:${name}`),
];

const ignore: readonly IgnoreRule[] = [
  { when: ({ element }) => inProgress.has(typeOf(element)), reason: 'not-an-alert-state' },
  { when: ({ element }) => !states.has(typeOf(element)), reason: 'unsupported-event' },
];

const change = (kind: 'build' | 'deployment'): ChangeFields => ({
  // A failed step is told again with its stage, and of a failed trigger nothing came.
  kind: ({ element }) => (/^(?:pipeline|stage)/.test(typeOf(element)) ? kind : undefined),
  environment: ['$.moduleInfo.cd.envIdentifiers[0]'],
  status: ['$.eventType'],
  actor: ['$.triggeredBy.name', '$.triggeredBy.email', '$.triggeredBy.triggerType'],
  started: ['$.startTs', '$.startTime'],
  finished: ['$.endTs', '$.endTime'],
});

/** What both connectors have in common; `severity` is that of a failure. */
export const pipelineSource = (kind: 'build' | 'deployment', severity: 'medium' | 'high') =>
  ({
    category: 'source-control',
    kind,
    slugs: [],
    auth: { default: 'bearer', also: ['basic', 'api_key', 'hmac', 'query_token', 'none'] },
    deliveryIdHeaders: [],
    retries: { on429: false },
    respond: 'accept',
    resolves: true,
    decode: ['json'],
    recognises: (root) => isObject(valueAt(root, 'eventData')),
    split: (root) => [valueAt(root, 'eventData')],
    recognisesElement: (element) => typeOf(element) !== '',
    ignore,
    fields: {
      title: ['$.pipelineName', '$.pipelineIdentifier', '$.triggerIdentifier'],
      description: ['$.errorMessage', describe],
      services: ['$.moduleInfo.cd.serviceIdentifiers', '$.projectIdentifier'],
      tags: [tagsOf],
      source: ['$.accountIdentifier'],
      url: ['$.executionUrl', '$.pipelineUrl'],
      dedupKey: [keyOfPipeline],
      firingKey: [],
      incidentType: [],
    },
    occurredAt: { from: ['$.endTs', '$.endTime', '$.startTs', '$.startTime'], orders: true },
    status: { from: [({ element }) => states.get(typeOf(element))], absent: 'triggered' },
    severity: { from: [() => severity] },
    keep: ({ element }) => (isObject(element) ? element : {}),
    change: change(kind),
  }) as const satisfies Omit<SourceConnector, 'id' | 'title'>;
