import { textAt, valueAt } from '@tocsin/domain/mapping';
import { type EventReader, keyOf, sentence, tag } from '../kit/event-reader.ts';
import { actionOf, languageOf, repositoryOf, words } from './reading.ts';

// Actions, checks, commit statuses and deployments. The id of a run is new each time: what breaks and recovers is a workflow on a branch.

/** Cancelled, skipped, neutral, stale and action_required say neither that something broke nor that it works. */
const conclusions = words({ triggered: ['failure', 'timed_out', 'startup_failure', 'error'], resolved: ['success'] });

/** The branch of a run; one of a fork carries the fork's owner, since its "main" is not this repository's. */
function branchOf(run: unknown, event: unknown): string | undefined {
  const branch = textAt(run, 'head_branch');
  const head = textAt(run, 'head_repository', 'full_name');
  if (branch === undefined || head === undefined || head === repositoryOf(event)) return branch;
  return `${head.split('/')[0] ?? head}:${branch}`;
}

interface RunShape {
  /** Under which key the run stands. */
  at: string;
  title: (event: unknown) => string | undefined;
  key: (event: unknown) => (string | undefined)[];
  branch: (event: unknown) => string | undefined;
  detail: (event: unknown) => string | undefined;
}

/** One vocabulary for all of them, and only what is completed says anything. */
const run = ({ at, title, key, branch, detail }: RunShape): EventReader => ({
  status: (event) =>
    actionOf(event) === 'completed' ? conclusions.get(textAt(event, at, 'conclusion') ?? '') : undefined,
  severity: () => 'medium',
  title,
  description: (event) =>
    sentence(
      `${title(event) ?? 'Run'} on ${branch(event) ?? 'an unknown branch'}: ${textAt(event, at, 'conclusion') ?? '?'}.`,
      detail(event),
    ),
  services: repositoryOf,
  tags: (event) => [...tag('branch', branch(event)), ...languageOf(event)],
  url: (event) => textAt(event, at, 'html_url') ?? textAt(event, at, 'details_url'),
  key: (event) => keyOf(repositoryOf(event), ...key(event), branch(event)),
  at: (event) => textAt(event, at, 'completed_at') ?? textAt(event, at, 'updated_at'),
});

export const workflowRun = run({
  at: 'workflow_run',
  title: (event) => textAt(event, 'workflow_run', 'name') ?? textAt(event, 'workflow', 'name'),
  key: (event) => ['workflow', textAt(event, 'workflow_run', 'workflow_id') ?? textAt(event, 'workflow', 'id')],
  branch: (event) => branchOf(valueAt(event, 'workflow_run'), event),
  detail: (event) => textAt(event, 'workflow_run', 'display_title'),
});

export const workflowJob = run({
  at: 'workflow_job',
  title: (event) => textAt(event, 'workflow_job', 'name'),
  key: (event) => ['job', textAt(event, 'workflow_job', 'workflow_name') ?? '', textAt(event, 'workflow_job', 'name')],
  branch: (event) => textAt(event, 'workflow_job', 'head_branch'),
  detail: failedSteps,
});

function failedSteps(event: unknown): string | undefined {
  const steps = valueAt(event, 'workflow_job', 'steps');
  if (!Array.isArray(steps)) return undefined;
  const failed = steps.slice(0, 100).filter((step) => textAt(step, 'conclusion') === 'failure');
  return failed.length === 0
    ? undefined
    : `Failed steps: ${failed.map((step) => textAt(step, 'name') ?? '?').join(', ')}.`;
}

export const checkRun = run({
  at: 'check_run',
  title: (event) => textAt(event, 'check_run', 'name'),
  key: (event) => ['check', textAt(event, 'check_run', 'app', 'slug') ?? '', textAt(event, 'check_run', 'name')],
  branch: (event) => textAt(event, 'check_run', 'check_suite', 'head_branch'),
  detail: (event) => textAt(event, 'check_run', 'output', 'title') ?? textAt(event, 'check_run', 'output', 'summary'),
});

export const checkSuite = run({
  at: 'check_suite',
  title: (event) => textAt(event, 'check_suite', 'app', 'name'),
  key: (event) => [
    'check-suite',
    textAt(event, 'check_suite', 'app', 'slug') ?? textAt(event, 'check_suite', 'app', 'id'),
  ],
  branch: (event) => textAt(event, 'check_suite', 'head_branch'),
  detail: (event) => textAt(event, 'check_suite', 'head_commit', 'message'),
});

/** All branches whose head is the commit are named, in no useful order: the default branch counts, else the first. */
function statusBranch(event: unknown): string | undefined {
  const branches = valueAt(event, 'branches');
  const names = Array.isArray(branches) ? branches.slice(0, 100).map((branch) => textAt(branch, 'name')) : [];
  const main = textAt(event, 'repository', 'default_branch');
  return names.includes(main) ? main : names.find((name) => name !== undefined);
}

export const commitStatus: EventReader = {
  status: (event) => conclusions.get(textAt(event, 'state') ?? ''),
  severity: () => 'medium',
  title: (event) => textAt(event, 'context'), // the root's `name` is the repository
  description: (event) => textAt(event, 'description'),
  services: repositoryOf,
  tags: (event) => [...tag('branch', statusBranch(event)), ...languageOf(event)],
  url: (event) => textAt(event, 'target_url') ?? textAt(event, 'commit', 'html_url'),
  // A commit on no branch (a fork's) stands for itself: the success of another commit says nothing about it.
  key: (event) =>
    keyOf(repositoryOf(event), 'status', textAt(event, 'context'), statusBranch(event) ?? textAt(event, 'sha')),
  at: (event) => textAt(event, 'updated_at') ?? textAt(event, 'created_at'),
};

const environmentOf = (event: unknown): string | undefined =>
  textAt(event, 'deployment', 'environment') ?? textAt(event, 'deployment_status', 'environment');
const refOf = (event: unknown): string | undefined => textAt(event, 'deployment', 'ref');
const stateOf = (event: unknown): string | undefined => textAt(event, 'deployment_status', 'state');
const deployedAt = (event: unknown): string | undefined =>
  textAt(event, 'deployment_status', 'updated_at') ?? textAt(event, 'deployment_status', 'created_at');

export const deploymentStatus: EventReader = {
  status: (event) => conclusions.get(stateOf(event) ?? ''),
  severity: () => 'high',
  title: (event) => `Deployment to ${environmentOf(event) ?? 'an unnamed environment'}`,
  description: (event) =>
    textAt(event, 'deployment_status', 'description') ??
    `Deployment of ${refOf(event) ?? 'an unknown ref'}: ${stateOf(event) ?? '?'}.`,
  services: repositoryOf,
  tags: (event) => [...tag('environment', environmentOf(event)), ...tag('branch', refOf(event)), ...languageOf(event)],
  url: (event) =>
    ['log_url', 'target_url', 'environment_url']
      .map((name) => textAt(event, 'deployment_status', name))
      .find((url) => url !== undefined),
  key: (event) => keyOf(repositoryOf(event), 'deployment', environmentOf(event)),
  at: deployedAt,
  change: {
    kind: 'deployment',
    version: (event) => textAt(event, 'deployment', 'sha') ?? refOf(event),
    environment: environmentOf,
    status: stateOf,
    actor: (event) => textAt(event, 'deployment', 'creator', 'login') ?? textAt(event, 'sender', 'login'),
    started: (event) => textAt(event, 'deployment', 'created_at'),
    finished: deployedAt,
  },
};
