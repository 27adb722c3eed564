import { incidentIdOf } from '@tocsin/contracts';
import type { Case, Correlated } from './correlate.ts';
import { boundedText, HOUR_MS, instantOf, MINUTE_MS } from './moments.ts';
import { isStale } from './order.ts';
import type { Change, KeyHolder, KnownIncident } from './state.ts';
import { findByTime, incidentServices } from './time-window.ts';

/** A trigger: stale, a repeat of an open key, part of an active incident, or a new incident, tried in this order. */
export function triggerAlert(one: Case): Correlated {
  if (isStale(one)) return { decision: { kind: 'ignored' }, why: one.trail.because('stale'), changes: [] };
  const held = findHolder(one);
  if (held.kind === 'held') return repeated(one, held.holder, held.incident);
  if (held.kind === 'recurring') return recurring(one, held.holder, held.incident);
  if (held.kind === 'window-passed') {
    // The key leaves an incident that is still open, so joining that one again by service is not an answer (product P8).
    one.trail.skip('time-window', 'window-passed');
    return opened(one, 'window-passed');
  }
  const active = findByTime(one);
  return active ? correlated(one, active) : opened(one, 'new-alert');
}

type Held =
  | { kind: 'held' | 'recurring'; holder: KeyHolder; incident: KnownIncident }
  | { kind: 'window-passed' }
  | { kind: 'free' };

/** Who holds the alert's key now, and whether the dedup window still counts it. Records the step. */
function findHolder(one: Case): Held {
  const keyOf = { key: one.dedupKey, keyOrigin: one.alert.dedupKeyOrigin };
  const holder = one.state.key(one.keyPath);
  if (!holder) {
    one.trail.miss('dedup', 'key-not-held', keyOf);
    return { kind: 'free' };
  }
  const incident = one.state.incident(holder.scope, holder.incidentId);
  const candidate = { ...keyOf, incidentId: holder.incidentId, alertId: holder.alertId };
  if (!incident) {
    one.trail.miss('dedup', 'incident-unknown', candidate);
    return { kind: 'free' };
  }
  if (incident.closedAt !== null) return recurrenceOf(one, holder, incident, candidate);
  const { windowHours, windowFrom } = one.config.dedup;
  const from = windowFrom === 'first' ? holder.firstAt : holder.lastAt;
  const until = from + windowHours * HOUR_MS;
  const window = {
    windowHours,
    windowFrom,
    windowStart: instantOf(from),
    windowEnd: instantOf(until),
    receivedAt: one.alert.receivedAt,
  };
  if (one.receivedAt > until) {
    one.trail.miss('dedup', 'window-passed', { ...candidate, ...window });
    return { kind: 'window-passed' };
  }
  one.trail.hit('dedup', { ...candidate, ...window });
  return { kind: 'held', holder, incident };
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

/**
 * The incident-store decides under its locks whether the closed incident reopens; here it counts as open from now on, so that
 * a resolve that follows at once is not lost. Without services it takes in nobody else until a fact has confirmed it.
 */
function recurring(one: Case, holder: KeyHolder, incident: KnownIncident): Correlated {
  return {
    decision: { kind: 'deduplicated', incidentId: holder.incidentId, alertId: holder.alertId },
    why: one.trail.because('recurrence'),
    changes: [
      { kind: 'incident', incident: { ...incident, closedAt: null, services: [] } },
      { kind: 'key', key: countedOn(one, holder) },
    ],
  };
}

/** One more occurrence. Where the source marks it as the same firing, it is no news about the incident (product P8). */
function repeated(one: Case, holder: KeyHolder, incident: KnownIncident): Correlated {
  const firingKey = firingKeyOf(one);
  const sameFiring = firingKey !== null && firingKey === holder.firingKey && holder.alertOpen;
  const changes: Change[] = [{ kind: 'key', key: countedOn(one, holder) }];
  if (!sameFiring && one.receivedAt > incident.lastAlertAt)
    changes.push({ kind: 'incident', incident: { ...incident, lastAlertAt: one.receivedAt } });
  return {
    decision: { kind: 'deduplicated', incidentId: holder.incidentId, alertId: holder.alertId },
    why: one.trail.because(sameFiring ? 'same-firing' : 'same-dedup-key'),
    changes,
  };
}

const countedOn = (one: Case, holder: KeyHolder): KeyHolder => ({
  ...holder,
  resolveKey: one.resolveKey,
  lastAlertId: one.alert.id,
  lastAt: Math.max(holder.lastAt, one.receivedAt),
  lastTriggerAt: Math.max(holder.lastTriggerAt, one.eventTime.at),
  firingKey: firingKeyOf(one) ?? holder.firingKey,
  alertOpen: true,
});

function correlated(one: Case, active: KnownIncident): Correlated {
  const incident: KnownIncident = {
    ...active,
    lastAlertAt: Math.max(active.lastAlertAt, one.receivedAt),
    services: incidentServices([...active.services, ...one.alert.services]),
  };
  return {
    decision: { kind: 'correlated', incidentId: active.incidentId },
    why: one.trail.because('time-window'),
    changes: [{ kind: 'incident', incident }, takeKey(one, active.incidentId)],
  };
}

function opened(one: Case, reason: 'new-alert' | 'window-passed'): Correlated {
  const { workspaceId, scope } = one.alert;
  const incidentId = incidentIdOf(scope, one.alert.id);
  one.trail.hit('open', { incidentId });
  const incident: KnownIncident = {
    workspaceId,
    scope,
    incidentId,
    version: 0,
    openedAt: one.receivedAt,
    lastAlertAt: one.receivedAt,
    closedAt: null,
    services: incidentServices(one.alert.services),
  };
  return {
    decision: { kind: 'opened', incidentId },
    why: one.trail.because(reason),
    changes: [{ kind: 'incident', incident }, takeKey(one, incidentId)],
  };
}

/** The alert becomes the holder of its key. */
function takeKey(one: Case, incidentId: string): Change {
  const { workspaceId, scope, webhookId, id } = one.alert;
  const key: KeyHolder = {
    workspaceId,
    scope,
    webhookId,
    dedupKey: one.dedupKey,
    resolveKey: one.resolveKey,
    incidentId,
    alertId: id,
    lastAlertId: id,
    firstAt: one.receivedAt,
    lastAt: one.receivedAt,
    lastTriggerAt: one.eventTime.at,
    firingKey: firingKeyOf(one),
    alertOpen: true,
  };
  return { kind: 'key', key };
}

const firingKeyOf = (one: Case): string | null =>
  one.alert.firingKey === null ? null : boundedText(one.alert.firingKey);
