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
  const holder = one.state.key(one.keyPath);
  if (!holder) {
    one.trail.miss('dedup', 'key-not-held', { key: one.dedupKey, keyOrigin: one.alert.dedupKeyOrigin });
    return { kind: 'free' };
  }
  if (holder.incidentId === null) return hasWindowPassed(one, holder) ? { kind: 'free' } : { kind: 'recorded', holder };
  const incident = one.state.incident(holder.scope, holder.incidentId);
  if (!incident) {
    one.trail.miss('dedup', 'incident-unknown', candidateOf(one, holder));
    return { kind: 'free' };
  }
  if (hasLeftStorm(one, holder, incident)) {
    one.trail.miss('dedup', 'storm-over', candidateOf(one, holder));
    return { kind: 'free' };
  }
  if (incident.closedAt !== null) return recurrenceOf(one, holder, incident);
  return { kind: hasWindowPassed(one, holder) ? 'window-passed' : 'held', holder, incident };
}

const candidateOf = ({ dedupKey, alert }: Case, { incidentId, alertId }: KeyHolder) => ({
  key: dedupKey,
  keyOrigin: alert.dedupKeyOrigin,
  incidentId,
  alertId,
});

/** Whether the dedup window counts the holder no more. Records the step. */
function hasWindowPassed(one: Case, holder: KeyHolder): boolean {
  const { windowHours, windowFrom } = one.config.dedup;
  const from = windowFrom === 'first' ? holder.firstAt : holder.lastAt;
  const until: Millis = from + windowHours * HOUR_MS;
  const evidence = {
    key: one.dedupKey,
    keyOrigin: one.alert.dedupKeyOrigin,
    incidentId: holder.incidentId,
    alertId: holder.alertId,
    windowHours,
    windowFrom,
    windowStart: instantOf(from),
    windowEnd: instantOf(until),
    receivedAt: one.alert.receivedAt,
  };
  const passed = one.receivedAt > until;
  if (passed) one.trail.miss('dedup', 'window-passed', evidence);
  else one.trail.hit('dedup', evidence);
  return passed;
}

/** The key's incident is closed: within the reopen window its alert has come back, later it is a new one. Records the step. */
function recurrenceOf(one: Case, holder: KeyHolder, incident: KnownIncident): Held {
  const { reopenMinutes } = one.config.dedup;
  const closedAt = incident.closedAt ?? one.receivedAt;
  const until = closedAt + reopenMinutes * MINUTE_MS;
  const evidence = {
    ...candidateOf(one, holder),
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
