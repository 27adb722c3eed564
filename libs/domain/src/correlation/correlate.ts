import type { Decision, NormalizedAlert, WebhookBody, Why } from '@tocsin/contracts';
import { acknowledgeFromSource, resolveFromSource, updateFromSource } from './follow-up.ts';
import { boundedText, eventTimeOf, instantOf, millisOf, type EventTime, type Millis } from './moments.ts';
import type { CompiledCondition, ConditionSubject } from '../conditions/index.ts';
import type { Topology } from '../topology/index.ts';
import type { FlappingPolicy } from './flapping.ts';
import type { CompiledMute } from './mutes.ts';
import type { Change, CorrelationView, KeyPath } from './state.ts';
import type { CompiledRules } from './rules.ts';
import type { StormPolicy } from './storm.ts';
import { subjectOf } from './subject.ts';
import { triggerAlert } from './trigger.ts';
import { Trail } from './why.ts';

/** The webhook's rules that decide, and the revision they come from. */
export interface CorrelationConfig {
  revision: number;
  dedup: Pick<WebhookBody['dedup'], 'windowHours' | 'windowFrom' | 'reopenMinutes' | 'ackFromSource'>;
  correlation: Pick<WebhookBody['correlation'], 'enabled' | 'windowMinutes'> &
    Partial<Pick<WebhookBody['correlation'], 'by'>>;
  /** Which triggered alerts open incidents; null or absent = all. */
  openWhen?: CompiledCondition | null;
  /** Correlation rules in the order in which they are asked: the webhook's, then the workspace's. */
  rules?: CompiledRules[];
  /** Silences and maintenance windows of the workspace, active or not, in the order in which they are asked. */
  mutes?: readonly CompiledMute[];
  /** Which services depend on which; null or absent = not known. */
  topology?: Topology | null;
  /** Absent = the standard one. */
  flapping?: FlappingPolicy;
  /** Absent = new keys never roll up. */
  storm?: StormPolicy;
}

/** A decision about one alert, why it was taken, and what it changes in the state. */
export interface Correlated {
  decision: Decision;
  why: Why;
  changes: Change[];
  /** The alert's key flaps: who is told about what it does is told then. Absent = at once. */
  holdUntil?: string;
}

/** One alert under decision: what every step needs of it, worked out once. */
export interface Case {
  state: CorrelationView;
  alert: NormalizedAlert;
  /** The alert as conditions see it: with its services' neighbours. */
  subject: ConditionSubject;
  config: CorrelationConfig;
  /** Record time. */
  receivedAt: Millis;
  eventTime: EventTime;
  dedupKey: string;
  resolveKey: string;
  keyPath: KeyPath;
  resolvePath: KeyPath;
  trail: Trail;
}

/**
 * What one alert is: a repeat, part of an open incident, a follow-up of an open alert, or a new incident.
 * Pure and total: the same state, alert and configuration give the same answer; the caller folds `changes` into the state.
 * Every alert is answered, one that was seen before too. Source: architecture §9, product P8–P10.
 */
export function correlate(state: CorrelationView, alert: NormalizedAlert, config: CorrelationConfig): Correlated {
  const trail = new Trail(config.revision);
  if (state.isProcessed(alert.id)) {
    trail.hit('processed', { alertId: alert.id });
    return { decision: { kind: 'skipped' }, why: trail.because('already-processed'), changes: [] };
  }
  trail.notProcessed();
  const receivedAt = millisOf(alert.receivedAt);
  const answer = decide(caseOf(state, alert, config, trail));
  const processed = { workspaceId: alert.workspaceId, scope: alert.scope, alertId: alert.id, receivedAt };
  const held = holdOf(answer, receivedAt);
  const { decision, why } = answer;
  const changes = after({ kind: 'processed', processed }, answer.changes);
  return held === undefined ? { decision, why, changes } : { decision, why, changes, holdUntil: instantOf(held) };
}

/** One list of a few changes, made to its length. */
function after(first: Change, others: readonly Change[]): Change[] {
  const [second, third] = [others[0], others[1]];
  if (!second) return [first];
  if (!third) return [first, second];
  return others.length === 2 ? [first, second, third] : [first, ...others];
}

/** What somebody would be told of. Acknowledges and updates are told at once: a person may have made them. */
const HELD: ReadonlySet<string> = new Set(['opened', 'deduplicated', 'correlated', 'rolled-up', 'resolved']);

function holdOf({ decision, changes }: Correlated, receivedAt: Millis): Millis | undefined {
  for (const change of changes)
    if (change.kind === 'key' && change.key.heldUntil !== null && change.key.heldUntil > receivedAt)
      return HELD.has(decision.kind) ? change.key.heldUntil : undefined;
  return undefined;
}

function decide(one: Case): Correlated {
  switch (one.alert.status) {
    case 'triggered':
      return triggerAlert(one);
    case 'resolved':
      return resolveFromSource(one);
    case 'acknowledged':
      return acknowledgeFromSource(one);
    case 'update':
      return updateFromSource(one);
    default:
      return one.alert.status satisfies never;
  }
}

function caseOf(state: CorrelationView, alert: NormalizedAlert, config: CorrelationConfig, trail: Trail): Case {
  const dedupKey = boundedText(alert.dedupKey);
  const resolveKey = alert.resolveKey === alert.dedupKey ? dedupKey : boundedText(alert.resolveKey);
  const { scope, webhookId } = alert;
  const keyPath: KeyPath = { scope, webhookId, key: dedupKey };
  return {
    state,
    alert,
    subject: subjectOf(alert, config.topology),
    config,
    trail,
    receivedAt: millisOf(alert.receivedAt),
    eventTime: eventTimeOf(alert),
    dedupKey,
    resolveKey,
    keyPath,
    resolvePath: resolveKey === dedupKey ? keyPath : { scope, webhookId, key: resolveKey },
  };
}
