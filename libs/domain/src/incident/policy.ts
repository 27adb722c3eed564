import {
  isWorse,
  type LifecycleReason,
  type NormalizedAlert,
  type Severity,
  type WebhookBody,
} from '@tocsin/contracts';
import type { Incident } from './state.ts';

export type ResolvePolicy = WebhookBody['dedup']['resolvePolicy'];
export type SeverityPolicy = 'highest' | 'latest' | 'first';

/** What the webhook's configuration says about its alerts; comes in with the command, so that a replay can bring another one. */
export interface AlertPolicy {
  windowHours: number;
  windowFrom: 'last' | 'first';
  reopenMinutes: number;
  resolvePolicy: ResolvePolicy;
  severityPolicy: SeverityPolicy;
  /** An alert that was not heard of for so long is over; null = never (product P11). */
  autoResolveMinutes: number | null;
  /** As people call it: names the incident of its alerts above the limit. */
  webhookName?: string;
  /** Revision that was used: the alert's or a newer one. Stored with every event. */
  configRevision: number;
}

/** Where a webhook is gone or says nothing. Sources: product P8 (24 h, highest), architecture §9 (30 min, all). */
export const defaultPolicy: Omit<AlertPolicy, 'configRevision'> = {
  windowHours: 24,
  windowFrom: 'last',
  reopenMinutes: 30,
  resolvePolicy: 'all',
  severityPolicy: 'highest',
  autoResolveMinutes: null,
};

const HOUR = 3_600_000;
const MINUTE = 60_000;

/** Severity of the incident after an alert of severity `seen` (product P8, `severity_policy`). */
export function severityAfter(current: Severity, seen: Severity, policy: SeverityPolicy): Severity {
  if (policy === 'first') return current;
  return policy === 'latest' || isWorse(seen, current) ? seen : current;
}

/** Whether the resolve of an alert, after which `openAlerts` are left, closes the incident. */
export const closesIncident = (policy: ResolvePolicy, openAlerts: number): boolean =>
  policy === 'any' || (policy === 'all' && openAlerts === 0);

/** The dedup window of a key has passed: a new incident may take it over. Record times only, never the wall clock. */
export function windowPassed(
  held: { firstSeenAt: string; lastSeenAt: string },
  receivedAt: string,
  policy: AlertPolicy,
): boolean {
  const from = policy.windowFrom === 'last' ? held.lastSeenAt : held.firstSeenAt;
  return Date.parse(receivedAt) - Date.parse(from) > policy.windowHours * HOUR;
}

/** `open`: there is none yet. `join`: live. `late`: closed after the alert's change. `reopen` | `successor`: closed before it. */
export type Placement = 'open' | 'join' | 'late' | 'reopen' | 'successor';

/** What an alert that changed at `changedAt` does to its target (architecture §9, last paragraphs). */
export function placementOf(
  incident: Incident,
  changedAt: string,
  policy: Pick<AlertPolicy, 'reopenMinutes'>,
): Placement {
  if (incident.status === 'none') return 'open';
  if (incident.status !== 'resolved') return 'join';
  const after = Date.parse(changedAt) - Date.parse(incident.asOf);
  if (after <= 0) return 'late';
  return after <= policy.reopenMinutes * MINUTE ? 'reopen' : 'successor';
}

/** When an alert is over unless it is heard of again, and why. */
export interface Deadline {
  at: string;
  reason: Extract<LifecycleReason, 'end-passed' | 'quiet'>;
}

/** The end that its source states, or the webhook's quiet time after this record: what comes first. */
export function deadlineOf(
  { receivedAt, endsAt }: Pick<NormalizedAlert, 'receivedAt' | 'endsAt'>,
  { autoResolveMinutes }: Pick<AlertPolicy, 'autoResolveMinutes'>,
): Deadline | null {
  const stated: Deadline | null = endsAt === undefined ? null : { at: endsAt, reason: 'end-passed' };
  if (autoResolveMinutes === null) return stated;
  const at = new Date(Date.parse(receivedAt) + autoResolveMinutes * MINUTE).toISOString();
  return stated && stated.at <= at ? stated : { at, reason: 'quiet' };
}
