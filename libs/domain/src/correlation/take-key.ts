import type { Case } from './correlate.ts';
import { flappingAfter } from './flapping.ts';
import { boundedText } from './moments.ts';
import type { Change, KeyHolder } from './state.ts';

/** The alert becomes the holder of its key; without an incident while it is recorded. */
export function takeKey(one: Case, incidentId: string | null): Change {
  const { workspaceId, scope, webhookId, id } = one.alert;
  const before = one.state.key(one.keyPath);
  const flapping = flappingAfter(one, before, before?.alertOpen === false);
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
    toggles: flapping.toggles,
    heldUntil: flapping.heldUntil,
  };
  return { kind: 'key', key };
}

/** One more occurrence of what holds the key. */
export function countedOn(one: Case, holder: KeyHolder): KeyHolder {
  const { toggles, heldUntil } = flappingAfter(one, holder, !holder.alertOpen);
  return {
    workspaceId: holder.workspaceId,
    scope: holder.scope,
    webhookId: holder.webhookId,
    dedupKey: holder.dedupKey,
    resolveKey: one.resolveKey,
    incidentId: holder.incidentId,
    alertId: holder.alertId,
    lastAlertId: one.alert.id,
    firstAt: holder.firstAt,
    lastAt: Math.max(holder.lastAt, one.receivedAt),
    lastTriggerAt: Math.max(holder.lastTriggerAt, one.eventTime.at),
    firingKey: firingKeyOf(one) ?? holder.firingKey,
    alertOpen: true,
    toggles,
    heldUntil,
  };
}

export const firingKeyOf = (one: Case): string | null =>
  one.alert.firingKey === null ? null : boundedText(one.alert.firingKey);
