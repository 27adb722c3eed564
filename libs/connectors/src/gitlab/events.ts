import type { AlertStatus } from '@tocsin/contracts';
import { listOf, textAt, valueAt } from '@tocsin/domain/mapping';
import { type EventReader, keyOf, sentence, tag } from '../kit/event-reader.ts';

const attribute = (event: unknown, first: string, second?: string): string | undefined =>
  textAt(event, 'object_attributes', first, second);
const kindOf = (event: unknown): string => textAt(event, 'object_kind') ?? '';

/** The path of a project's address; `homepage` has no more than the address. */
const pathOf = (address: string | undefined): string | undefined =>
  /^https?:\/\/[^/]+\/(.+?)\/?$/.exec(address ?? '')?.[1];

/** Older job events name the project only by its address, or by its title with spaces around the slashes. */
export const projectOf = (event: unknown): string | undefined =>
  textAt(event, 'project', 'path_with_namespace') ??
  pathOf(textAt(event, 'repository', 'homepage')) ??
  textAt(event, 'project_name')?.replaceAll(/\s*\/\s*/g, '/');

/** Cancelled, skipped, manual and whatever is still under way say neither that something broke nor that it works. */
const outcomeOf = (word: string | undefined): AlertStatus | undefined =>
  word === 'failed' ? 'triggered' : word === 'success' ? 'resolved' : undefined;

const refTag = (ref: string | undefined, isTag: unknown): string[] => tag(isTag === true ? 'tag' : 'branch', ref);

function failedJobs(event: unknown): string | undefined {
  const builds = valueAt(event, 'builds');
  if (!Array.isArray(builds)) return undefined;
  const failed = builds
    .slice(0, 200)
    .filter((build) => textAt(build, 'status') === 'failed' && valueAt(build, 'allow_failure') !== true)
    .map((build) => `${textAt(build, 'name') ?? '?'} (${textAt(build, 'stage') ?? '?'})`);
  return failed.length === 0 ? undefined : `Failed jobs: ${failed.join(', ')}.`;
}

const pipelineTitle = (event: unknown): string =>
  `Pipeline ${attribute(event, 'ref') ?? '?'} of ${projectOf(event) ?? 'an unnamed project'}`;

const pipeline: EventReader = {
  status: (event) => outcomeOf(attribute(event, 'status')),
  severity: () => 'medium',
  title: pipelineTitle,
  description: (event) =>
    sentence(
      `Pipeline ${attribute(event, 'id') ?? '?'}: ${attribute(event, 'status') ?? '?'}.`,
      failedJobs(event),
      textAt(event, 'commit', 'message')?.trim(),
    ),
  services: projectOf,
  tags: (event) => [
    ...refTag(attribute(event, 'ref'), valueAt(event, 'object_attributes', 'tag')),
    ...tag('source', attribute(event, 'source')),
  ],
  url: (event) => attribute(event, 'url') ?? below(event, 'pipelines', attribute(event, 'id')),
  key: (event) => keyOf(projectOf(event), 'pipeline', attribute(event, 'ref')), // the id is new for each run
  at: (event) => attribute(event, 'finished_at'),
};

function below(event: unknown, part: string, id: string | undefined): string | undefined {
  const web = textAt(event, 'project', 'web_url') ?? textAt(event, 'repository', 'homepage');
  return web === undefined || id === undefined ? undefined : `${web}/-/${part}/${id}`;
}

/** "Job Hook". `build_failure_reason` is set even where nothing failed. */
const job: EventReader = {
  // A job that may fail breaks nothing, and its recovery mends nothing.
  status: (event) =>
    valueAt(event, 'build_allow_failure') === true ? undefined : outcomeOf(textAt(event, 'build_status')),
  severity: () => 'medium',
  title: (event) => `Job ${textAt(event, 'build_name') ?? '?'} of ${projectOf(event) ?? 'an unnamed project'}`,
  description: (event) => {
    const reason = textAt(event, 'build_status') === 'failed' ? textAt(event, 'build_failure_reason') : undefined;
    return sentence(
      `Stage ${textAt(event, 'build_stage') ?? '?'} on ${textAt(event, 'ref') ?? '?'}: ${textAt(event, 'build_status') ?? '?'}.`,
      reason && `Reason: ${reason}.`,
    );
  },
  services: projectOf,
  tags: (event) => [
    ...refTag(textAt(event, 'ref'), valueAt(event, 'tag')),
    ...tag('stage', textAt(event, 'build_stage')),
  ],
  url: (event) => below(event, 'jobs', textAt(event, 'build_id')),
  key: (event) =>
    keyOf(textAt(event, 'project_id') ?? projectOf(event), textAt(event, 'ref'), textAt(event, 'build_name')),
  at: (event) => textAt(event, 'build_finished_at'),
};

const environmentOf = (event: unknown): string | undefined => textAt(event, 'environment');

const deployment: EventReader = {
  status: (event) => outcomeOf(textAt(event, 'status')),
  severity: () => 'high',
  title: (event) => `Deployment to ${environmentOf(event) ?? 'an unnamed environment'}`,
  description: (event) =>
    sentence(
      `Deployment of ${textAt(event, 'ref') ?? textAt(event, 'short_sha') ?? '?'}: ${textAt(event, 'status') ?? '?'}.`,
      textAt(event, 'commit_title'),
    ),
  services: projectOf,
  tags: (event) => [
    ...tag('environment', environmentOf(event)),
    ...tag('tier', textAt(event, 'environment_tier')),
    ...tag('branch', textAt(event, 'ref')),
  ],
  url: (event) => textAt(event, 'deployable_url') ?? textAt(event, 'project', 'web_url'),
  key: (event) => keyOf(projectOf(event), 'deployment', environmentOf(event)),
  at: (event) => textAt(event, 'status_changed_at'),
  change: {
    kind: 'deployment',
    version: (event) => textAt(event, 'short_sha') ?? textAt(event, 'ref'),
    environment: environmentOf,
    status: (event) => textAt(event, 'status'),
    actor: (event) => textAt(event, 'user', 'username') ?? textAt(event, 'user', 'name'),
    started: () => undefined,
    finished: (event) => textAt(event, 'status_changed_at'),
  },
};

/** Opening and closing; the status of an incident's escalation arrives as a change. Everything else changes something on it. */
const incidentActions: ReadonlyMap<string, AlertStatus> = new Map([
  ['open', 'triggered'],
  ['reopen', 'triggered'],
  ['close', 'resolved'],
]);
const escalations: ReadonlyMap<string, AlertStatus> = new Map([
  ['triggered', 'triggered'],
  ['acknowledged', 'acknowledged'],
  ['resolved', 'resolved'],
]);

function incidentTime(event: unknown): string | undefined {
  const action = attribute(event, 'action');
  const named = action === 'open' ? 'created_at' : action === 'close' ? 'closed_at' : 'updated_at';
  return attribute(event, named) ?? attribute(event, 'updated_at');
}

const incident: EventReader = {
  status: (event) =>
    incidentActions.get(attribute(event, 'action') ?? '') ??
    escalations.get(textAt(event, 'changes', 'escalation_status', 'current') ?? '') ??
    'update',
  severity: (event) => attribute(event, 'severity'),
  title: (event) => attribute(event, 'title'),
  description: (event) => attribute(event, 'description'),
  services: projectOf,
  tags: (event) => labelsOf(valueAt(event, 'labels') ?? valueAt(event, 'object_attributes', 'labels')),
  url: (event) => attribute(event, 'url'),
  key: (event) => keyOf(projectOf(event), 'issue', attribute(event, 'iid')),
  at: incidentTime,
};

const labelsOf = (labels: unknown): string[] =>
  Array.isArray(labels) ? labels.flatMap((label) => textAt(label, 'title') ?? []) : [];

const findings: ReadonlyMap<string, AlertStatus> = new Map([
  ['detected', 'triggered'],
  ['confirmed', 'acknowledged'],
  ['resolved', 'resolved'],
  ['dismissed', 'resolved'],
]);

/** Names neither its project nor an id: only the address says what it is. */
const vulnerability: EventReader = {
  status: (event) => findings.get(attribute(event, 'state') ?? '') ?? 'update',
  severity: (event) => attribute(event, 'severity'),
  title: (event) => attribute(event, 'title'),
  description: (event) => {
    const package_ = textAt(valueAt(event, 'object_attributes', 'location'), 'dependency', 'package', 'name');
    const version = textAt(valueAt(event, 'object_attributes', 'location'), 'dependency', 'version');
    return sentence(
      `State: ${attribute(event, 'state') ?? '?'}.`,
      package_ && `Package: ${sentence(package_, version)}.`,
      attribute(event, 'location', 'file') && `File: ${attribute(event, 'location', 'file')}.`,
    );
  },
  services: (event) => pathOf(attribute(event, 'url')?.split('/-/')[0]),
  tags: (event) => [
    ...tag('report', attribute(event, 'report_type')),
    ...listOf(valueAt(event, 'object_attributes', 'identifiers')),
  ],
  url: (event) => attribute(event, 'url'),
  key: (event) => attribute(event, 'url'),
  at: (event) => {
    const named = { confirmed: 'confirmed_at', resolved: 'resolved_at', dismissed: 'dismissed_at' } as const;
    const state = attribute(event, 'state');
    const own = state === 'confirmed' || state === 'resolved' || state === 'dismissed' ? named[state] : 'updated_at';
    return attribute(event, own) ?? attribute(event, 'updated_at');
  },
};

const isIncident = (event: unknown): boolean =>
  textAt(event, 'event_type') === 'incident' || attribute(event, 'type')?.toLowerCase() === 'incident';

const readers: ReadonlyMap<string, EventReader> = new Map([
  ['pipeline', pipeline],
  ['build', job],
  ['deployment', deployment],
  ['vulnerability', vulnerability],
]);

/** The reader of an event; undefined for events that say nothing about a problem (pushes, merge requests, ordinary issues). */
export function readerOf(event: unknown): EventReader | undefined {
  const kind = kindOf(event);
  if (kind === 'issue' || kind === 'work_item') return isIncident(event) ? incident : undefined;
  return readers.get(kind);
}
