import type { DecisionReason } from '@tocsin/contracts';
import type { Case, Correlated } from './correlate.ts';
import { flappingAfter } from './flapping.ts';
import { instantOf } from './moments.ts';
import { isStale, rememberClosing } from './order.ts';
import { copyOfKey } from './own-rows.ts';
import type { Change, KeyHolder } from './state.ts';

type Step = 'resolve' | 'acknowledge' | 'update';

/** A resolve closes the open alert of its key, and is remembered, so that a late trigger of the same firing stays closed. */
export function resolveFromSource(one: Case): Correlated {
  const remember = rememberClosing(one, 'resolved');
  const open = openHolders(one);
  const target = open.find((holder) => holder.lastTriggerAt <= one.eventTime.at);
  if (!target) return ignored(one, 'resolve', open, [remember]);
  found(one, 'resolve', target);
  const { incidentId, alertId, lastAlertId } = target;
  const key = copyOfKey(target);
  const { toggles, heldUntil } = flappingAfter(one, target, true);
  key.alertOpen = false;
  key.toggles = toggles;
  key.heldUntil = heldUntil;
  const alertIds = alertId === lastAlertId ? [alertId] : [alertId, lastAlertId];
  return {
    decision:
      incidentId === null
        ? { kind: 'recorded', alertId, effect: 'resolved' }
        : { kind: 'resolved', incidentId, alertIds },
    why: one.trail.because('alert-resolved'),
    changes: [{ kind: 'key', key }, remember],
  };
}

/**
 * An acknowledge applies to the key's open alert. With none it is remembered as a closing: whoever works at the source has
 * taken that firing, so its late trigger opens nothing. Where the webhook does not listen to acknowledges, it says nothing at all.
 * Source: architecture §9.2, product P9.
 */
export function acknowledgeFromSource(one: Case): Correlated {
  if (one.config.dedup.ackFromSource === false) {
    one.trail.skip('acknowledge', 'ack-from-source-off');
    return ignoredBecause(one, 'ack-from-source-off', []);
  }
  if (isStale(one)) return ignoredBecause(one, 'stale', []);
  const [target] = openHolders(one);
  if (!target) return ignored(one, 'acknowledge', [], [rememberClosing(one, 'acknowledged')]);
  found(one, 'acknowledge', target);
  const { incidentId, lastAlertId: alertId } = target;
  if (incidentId === null) return ignoredBecause(one, 'open-when', []); // there is nothing to acknowledge
  return {
    decision: { kind: 'acknowledged', incidentId, alertId },
    why: one.trail.because('source-acknowledged'),
    changes: [],
  };
}

/** An update carries changed fields for the key's open alert; without one it says nothing. Source: product P9. */
export function updateFromSource(one: Case): Correlated {
  if (isStale(one)) return ignoredBecause(one, 'stale', []);
  const [target] = openHolders(one);
  if (!target) return ignored(one, 'update', [], []);
  found(one, 'update', target);
  const { incidentId, lastAlertId: alertId } = target;
  if (incidentId === null) return ignoredBecause(one, 'open-when', []);
  return { decision: { kind: 'updated', incidentId, alertId }, why: one.trail.because('source-updated'), changes: [] };
}

/**
 * Open alerts that the follow-up may mean: the exact key first where the source gave one, then those of its resolve key,
 * the newest first. A recipe key matches by resolve key only: its severity is not the trigger's. Source: product P8.
 */
function openHolders(one: Case): KeyHolder[] {
  const isOpen = (holder: KeyHolder): boolean =>
    holder.alertOpen &&
    (holder.incidentId === null || one.state.incident(holder.scope, holder.incidentId)?.closedAt === null);
  const exact = one.alert.dedupKeyOrigin === 'recipe' ? undefined : one.state.key(one.keyPath);
  const resolving = one.state.keysOf(one.resolvePath);
  if (exact && resolving.length === 1 && resolving[0] === exact) return isOpen(exact) ? [exact] : []; // mostly
  const others = resolving.filter((holder) => holder !== exact && isOpen(holder));
  others.sort((a, b) => b.firstAt - a.firstAt || b.lastTriggerAt - a.lastTriggerAt || (a.alertId < b.alertId ? 1 : -1));
  return exact && isOpen(exact) ? [exact, ...others] : others;
}

function found(one: Case, step: Step, target: KeyHolder): void {
  const { key, keyOrigin, eventTime, timeFrom } = keyEvidence(one);
  one.trail.hit(step, {
    key,
    keyOrigin,
    eventTime,
    timeFrom,
    matchedKey: target.dedupKey,
    incidentId: target.incidentId,
    alertId: target.alertId,
    lastAlertId: target.lastAlertId,
    lastTriggerAt: instantOf(target.lastTriggerAt),
  });
}

/** `open` are the open alerts that are newer than the follow-up: with some it is stale, with none there is nothing to close. */
function ignored(one: Case, step: Step, open: readonly KeyHolder[], changes: Change[]): Correlated {
  const [newer] = open;
  if (!newer) {
    one.trail.miss(step, 'no-open-alert', keyEvidence(one));
    return ignoredBecause(one, 'no-open-alert', changes);
  }
  const { alertId, incidentId } = newer;
  one.trail.miss(step, 'triggered-again-since', {
    ...keyEvidence(one),
    alertId,
    incidentId,
    lastTriggerAt: instantOf(newer.lastTriggerAt),
  });
  return ignoredBecause(one, 'stale', changes);
}

function ignoredBecause(one: Case, reason: DecisionReason, changes: Change[]): Correlated {
  return { decision: { kind: 'ignored' }, why: one.trail.because(reason), changes };
}

const keyEvidence = (one: Case) => ({
  key: one.alert.dedupKeyOrigin === 'recipe' ? one.resolveKey : one.dedupKey,
  keyOrigin: one.alert.dedupKeyOrigin,
  eventTime: instantOf(one.eventTime.at),
  timeFrom: one.eventTime.from,
});
