import { incidentIdOf, type DecisionReason, type MuteKind } from '@tocsin/contracts';
import type { Case, Correlated } from './correlate.ts';
import { facetsOf, groupOf, joinedFacets, termsOf } from './facets.ts';
import { findByRule } from './find-by-rule.ts';
import { findHolder, type Held } from './holder.ts';
import { mutedBy } from './mutes.ts';
import { keptBecause, mayOpen, recorded } from './open-when.ts';
import { isStale } from './order.ts';
import { copyOfIncident } from './own-rows.ts';
import type { Millis } from './moments.ts';
import type { Change, KeyHolder, KnownIncident, StormState } from './state.ts';
import { countArrival, STORM } from './storm.ts';
import { countedOn, firingKeyOf, takeKey } from './take-key.ts';
import { findByTime, incidentServices, joinedServices } from './time-window.ts';

/**
 * A trigger: stale, a repeat of a held key, silenced, kept without an incident, above the limit, part of an active incident, of a
 * storm, or a new incident, tried in this order.
 */
export function triggerAlert(one: Case): Correlated {
  if (isStale(one)) return { decision: { kind: 'ignored' }, why: one.trail.because('stale'), changes: [] };
  const held = findHolder(one);
  if (held.kind === 'held') return repeated(one, held.holder, held.incident);
  const muted = mutedBy(one);
  if (muted || !mayOpen(one)) return unopened(one, held, muted);
  if (held.kind === 'recurring') return recurring(one, held.holder, held.incident);
  if (one.alert.overLimit === true) return rolledUp(one, held);
  if (held.kind === 'window-passed') {
    // The key leaves an incident that is still open, so joining that one again by service is not an answer (product P8).
    if (one.config.rules?.length) one.trail.skip('rule', 'window-passed');
    one.trail.skip('time-window', 'window-passed');
    return opened(one, 'window-passed');
  }
  const related = findByRule(one);
  if (related) return joined(one, related, 'correlated', 'rule');
  const active = findByTime(one);
  return active ? joined(one, active, 'correlated', 'time-window') : arrived(one);
}

/** A new key that joins nothing that is there. Above the workspace's threshold it rolls up with the others of the storm. */
function arrived(one: Case): Correlated {
  const { storm: policy } = one.config;
  if (!policy) return opened(one, 'new-alert');
  const { storm, rollsUp } = countArrival(one, policy);
  if (!rollsUp) return withStorm(opened(one, 'new-alert'), storm);
  const target = storm.incidentId === null ? undefined : one.state.incident(one.alert.scope, storm.incidentId);
  if (target?.closedAt === null) return withStorm(joined(one, target, 'rolled-up', 'storm'), storm);
  return withStorm(opened(one, 'storm'), { ...storm, incidentId: incidentIdOf(one.alert.scope, one.alert.id) });
}

const withStorm = (answer: Correlated, storm: StormState): Correlated => ({
  ...answer,
  changes: [...answer.changes, { kind: 'storm', storm }],
});

/** It opens nothing: it counts on what holds its key, and is recorded where that is nothing that is open. */
function unopened(one: Case, held: Held, muted: MuteKind | null): Correlated {
  if (held.kind === 'window-passed') return repeated(one, held.holder, held.incident);
  if (held.kind !== 'recorded') return recorded(one, muted);
  const { holder } = held;
  const key = countedOn(one, holder);
  const reason = isSameFiring(one, holder) ? 'same-firing' : muted ? keptBecause(muted) : 'same-dedup-key';
  return {
    decision: { kind: 'recorded', alertId: holder.alertId, effect: 'repeated', ...(muted && { mutedBy: muted }) },
    why: one.trail.because(reason),
    changes: [{ kind: 'key', key }],
  };
}

/** Alerts above the limit share one incident per webhook; the first of them opens it. Source: product P7. */
function rolledUp(one: Case, held: Held): Correlated {
  const target = one.state.rollUp(one.alert.scope, one.alert.webhookId);
  if (held.kind === 'window-passed' && held.incident.incidentId === target?.incidentId)
    return repeated(one, held.holder, held.incident);
  if (!target) {
    one.trail.hit('over-limit', { webhookId: one.alert.webhookId });
    return opened(one, 'over-limit');
  }
  one.trail.hit('over-limit', { webhookId: one.alert.webhookId, incidentId: target.incidentId });
  return joined(one, target, 'rolled-up', 'over-limit');
}

/**
 * The incident-store decides under its locks whether the closed incident reopens; here it counts as open from now on, so that
 * a resolve that follows at once is not lost. Without services it takes in nobody else until a fact has confirmed it.
 */
function recurring(one: Case, holder: KeyHolder, incident: KnownIncident): Correlated {
  const key = countedOn(one, holder);
  return {
    decision: { kind: 'deduplicated', incidentId: incident.incidentId, alertId: holder.alertId },
    why: one.trail.because('recurrence'),
    changes: [
      { kind: 'incident', incident: { ...incident, closedAt: null, services: [], terms: [] } },
      { kind: 'key', key },
    ],
  };
}

const isSameFiring = (one: Case, holder: KeyHolder): boolean => {
  const firingKey = firingKeyOf(one);
  return firingKey !== null && firingKey === holder.firingKey && holder.alertOpen;
};

function activeAgain(incident: KnownIncident, lastAlertAt: Millis): Change {
  const active = copyOfIncident(incident);
  active.lastAlertAt = lastAlertAt;
  return { kind: 'incident', incident: active };
}

/** One more occurrence. Where the source marks it as the same firing, it is no news about the incident (product P8). */
function repeated(one: Case, holder: KeyHolder, incident: KnownIncident): Correlated {
  const sameFiring = isSameFiring(one, holder);
  const key: Change = { kind: 'key', key: countedOn(one, holder) };
  const isNews = !sameFiring && one.receivedAt > incident.lastAlertAt;
  const changes: Change[] = isNews ? [key, activeAgain(incident, one.receivedAt)] : [key];
  return {
    decision: { kind: 'deduplicated', incidentId: incident.incidentId, alertId: holder.alertId },
    why: one.trail.because(sameFiring ? 'same-firing' : 'same-dedup-key'),
    changes,
  };
}

/** A new key comes to an incident that is there. */
function joined(
  one: Case,
  target: KnownIncident,
  kind: 'correlated' | 'rolled-up',
  reason: 'rule' | 'time-window' | 'over-limit' | 'storm',
): Correlated {
  const incident = copyOfIncident(target);
  incident.lastAlertAt = Math.max(target.lastAlertAt, one.receivedAt);
  if (kind === 'rolled-up') incident.terms = incident.services = [];
  else {
    const { facets, terms } = joinedFacets(target, one.alert);
    incident.facets = facets;
    incident.terms = terms;
    incident.services = joinedServices(target, one.alert);
  }
  const supersedes = superseded(one);
  const key = takeKey(one, target.incidentId);
  const { incidentId } = target;
  return {
    decision: supersedes === undefined ? { kind, incidentId } : { kind, incidentId, supersedes },
    why: one.trail.because(reason),
    changes: [{ kind: 'incident', incident }, key],
  };
}

type OpeningReason = DecisionReason & ('new-alert' | 'window-passed' | 'over-limit' | 'storm');

function opened(one: Case, reason: OpeningReason): Correlated {
  const { workspaceId, scope, webhookId, services } = one.alert;
  const incidentId = incidentIdOf(scope, one.alert.id);
  const rollUpOf = reason === 'over-limit' ? webhookId : reason === 'storm' ? STORM : null;
  const rollUp = rollUpOf !== null;
  const facets = facetsOf(one.alert);
  const supersedes = superseded(one);
  const key = takeKey(one, incidentId);
  one.trail.hit('open', { incidentId });
  const incident: KnownIncident = {
    workspaceId,
    scope,
    incidentId,
    version: 0,
    openedAt: one.receivedAt,
    lastAlertAt: one.receivedAt,
    closedAt: null,
    services: rollUp ? [] : incidentServices(services),
    rollUpOf,
    facets,
    terms: rollUp ? [] : termsOf(facets, groupOf(one.alert)),
  };
  return {
    decision:
      rollUp || supersedes !== undefined
        ? { kind: 'opened', incidentId, ...(rollUp && { rollUp }), ...(supersedes !== undefined && { supersedes }) }
        : { kind: 'opened', incidentId },
    why: one.trail.because(reason),
    changes: [{ kind: 'incident', incident }, key],
  };
}

/** A recorded alert that held the key loses it to the one that takes an incident. */
function superseded(one: Case): string | undefined {
  const holder = one.state.key(one.keyPath);
  return holder?.incidentId === null && holder.alertOpen ? holder.alertId : undefined;
}
