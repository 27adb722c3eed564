import type { Case } from './correlate.ts';
import { HOUR_MS, instantOf, MINUTE_MS, type Millis } from './moments.ts';
import { hasLeftStorm } from './storm.ts';
import type { KeyHolder, KnownIncident } from './state.ts';

export type Held =
  | { kind: 'held' | 'recurring' | 'window-passed'; holder: KeyHolder; incident: KnownIncident }
  /** The holder is kept without an incident. */
  | { kind: 'recorded'; holder: KeyHolder }
  | { kind: 'free' };

/** Who holds the alert's key now, and whether the dedup window still counts it. Records the step. */
export function findHolder(one: Case): Held {
  const keyOf = { key: one.dedupKey, keyOrigin: one.alert.dedupKeyOrigin };
  const holder = one.state.key(one.keyPath);
  if (!holder) {
    one.trail.miss('dedup', 'key-not-held', keyOf);
    return { kind: 'free' };
  }
  const candidate = { ...keyOf, incidentId: holder.incidentId, alertId: holder.alertId };
  const window = windowOf(one, holder);
  const passed = one.receivedAt > window.until;
  if (holder.incidentId === null) {
    if (passed) one.trail.miss('dedup', 'window-passed', { ...candidate, ...window.evidence });
    else one.trail.hit('dedup', { ...candidate, ...window.evidence });
    return passed ? { kind: 'free' } : { kind: 'recorded', holder };
  }
  const incident = one.state.incident(holder.scope, holder.incidentId);
  if (!incident) {
    one.trail.miss('dedup', 'incident-unknown', candidate);
    return { kind: 'free' };
  }
  if (hasLeftStorm(one, holder, incident)) {
    one.trail.miss('dedup', 'storm-over', candidate);
    return { kind: 'free' };
  }
  if (incident.closedAt !== null) return recurrenceOf(one, holder, incident, candidate);
  if (passed) one.trail.miss('dedup', 'window-passed', { ...candidate, ...window.evidence });
  else one.trail.hit('dedup', { ...candidate, ...window.evidence });
  return { kind: passed ? 'window-passed' : 'held', holder, incident };
}

function windowOf(one: Case, holder: KeyHolder): { until: Millis; evidence: Record<string, unknown> } {
  const { windowHours, windowFrom } = one.config.dedup;
  const from = windowFrom === 'first' ? holder.firstAt : holder.lastAt;
  const until = from + windowHours * HOUR_MS;
  const span = { windowHours, windowFrom, windowStart: instantOf(from), windowEnd: instantOf(until) };
  return { until, evidence: { ...span, receivedAt: one.alert.receivedAt } };
}

/** The key's incident is closed: within the reopen window its alert has come back, later it is a new one. Records the step. */
function recurrenceOf(one: Case, holder: KeyHolder, incident: KnownIncident, candidate: Record<string, unknown>): Held {
  const { reopenMinutes } = one.config.dedup;
  const closedAt = incident.closedAt ?? one.receivedAt;
  const until = closedAt + reopenMinutes * MINUTE_MS;
  const evidence = {
    ...candidate,
    reopenMinutes,
    closedAt: instantOf(closedAt),
    reopenUntil: instantOf(until),
    receivedAt: one.alert.receivedAt,
  };
  if (reopenMinutes === 0 || one.receivedAt > until) {
    one.trail.miss('dedup', 'incident-closed', evidence);
    return { kind: 'free' };
  }
  one.trail.hit('dedup', evidence);
  return { kind: 'recurring', holder, incident };
}
