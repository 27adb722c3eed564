import { incidentIdOf } from '@tocsin/contracts';
import type { Case, Correlated } from './correlate.ts';
import { boundedText, HOUR_MS, instantOf } from './moments.ts';
import { isStale } from './order.ts';
import type { Change, KeyHolder, KnownIncident } from './state.ts';
import { findByTime, incidentServices } from './time-window.ts';

/** A trigger: stale, a repeat of an open key, part of an active incident, or a new incident, tried in this order. */
export function triggerAlert(one: Case): Correlated {
  if (isStale(one)) return { decision: { kind: 'ignored' }, why: one.trail.because('stale'), changes: [] };
  const held = findHolder(one);
  if (held.kind === 'held') return repeated(one, held.holder, held.incident);
  if (held.kind === 'window-passed') {
    // The key leaves an incident that is still open, so joining that one again by service is not an answer (product P8).
    one.trail.skip('time-window', 'window-passed');
    return opened(one, 'window-passed');
  }
  const active = findByTime(one);
  return active ? correlated(one, active) : opened(one, 'new-alert');
}

type Held = { kind: 'held'; holder: KeyHolder; incident: KnownIncident } | { kind: 'window-passed' } | { kind: 'free' };

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
  if (!incident || incident.closedAt !== null) {
    one.trail.miss('dedup', 'incident-closed', candidate);
    return { kind: 'free' };
  }
  const { windowHours, windowFrom } = one.config.dedup;
  const from = windowFrom === 'first' ? holder.firstAt : holder.lastAt;
  const until = from + windowHours * HOUR_MS;
  const window = { windowHours, windowFrom, windowStart: instantOf(from), windowEnd: instantOf(until), receivedAt: one.alert.receivedAt };
  if (one.receivedAt > until) {
    one.trail.miss('dedup', 'window-passed', { ...candidate, ...window });
    return { kind: 'window-passed' };
  }
  one.trail.hit('dedup', { ...candidate, ...window });
  return { kind: 'held', holder, incident };
}

/** One more occurrence. Where the source marks it as the same firing, it is no news about the incident (product P8). */
function repeated(one: Case, holder: KeyHolder, incident: KnownIncident): Correlated {
  const firingKey = firingKeyOf(one);
  const sameFiring = firingKey !== null && firingKey === holder.firingKey && holder.alertOpen;
  const key: KeyHolder = {
    ...holder,
    resolveKey: one.resolveKey,
    lastAt: Math.max(holder.lastAt, one.receivedAt),
    lastTriggerAt: Math.max(holder.lastTriggerAt, one.eventTime.at),
    firingKey: firingKey ?? holder.firingKey,
    alertOpen: true,
  };
  const changes: Change[] = [{ kind: 'key', key }];
  if (!sameFiring && one.receivedAt > incident.lastAlertAt)
    changes.push({ kind: 'incident', incident: { ...incident, lastAlertAt: one.receivedAt } });
  return {
    decision: { kind: 'deduplicated', incidentId: holder.incidentId, alertId: holder.alertId },
    why: one.trail.because(sameFiring ? 'same-firing' : 'same-dedup-key'),
    changes,
  };
}

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
    firstAt: one.receivedAt,
    lastAt: one.receivedAt,
    lastTriggerAt: one.eventTime.at,
    firingKey: firingKeyOf(one),
    alertOpen: true,
  };
  return { kind: 'key', key };
}

const firingKeyOf = (one: Case): string | null => (one.alert.firingKey === null ? null : boundedText(one.alert.firingKey));
