import type { Case } from './correlate.ts';
import { HOUR_MS, instantOf } from './moments.ts';
import type { Change, OrderMemory } from './state.ts';

/** What is remembered of the key's last closing, while the dedup window after it lasts. */
function remembered(one: Case): OrderMemory | undefined {
  const memory = one.state.order(one.resolvePath);
  return memory && one.receivedAt <= memory.keptUntil ? memory : undefined;
}

/**
 * Whether the change lies before the key's last closing, so that it is over already, in whatever order they arrived.
 * A tie goes to the later position in the log, which is this alert's. Records the step. Source: architecture §9.2.
 */
export function isStale(one: Case): boolean {
  const memory = remembered(one);
  const { at, from } = one.eventTime;
  const evidence = { resolveKey: one.resolveKey, eventTime: instantOf(at), timeFrom: from };
  if (!memory) {
    one.trail.miss('order', 'nothing-remembered', evidence);
    return false;
  }
  const full = { ...evidence, closedAt: instantOf(memory.closedAt), closedBy: memory.closedBy };
  if (one.eventTime.at >= memory.closedAt) {
    one.trail.miss('order', 'after-last-closing', full);
    return false;
  }
  one.trail.hit('order', full);
  return true;
}

/** Remembers a closing for the dedup window; the newest by event time stays. */
export function rememberClosing(one: Case, closedBy: OrderMemory['closedBy']): Change {
  const before = remembered(one);
  const keptUntil = one.receivedAt + one.config.dedup.windowHours * HOUR_MS;
  const isNewest = !before || before.closedAt <= one.eventTime.at;
  const { workspaceId, scope, webhookId } = one.alert;
  const order: OrderMemory = {
    workspaceId,
    scope,
    webhookId,
    resolveKey: one.resolveKey,
    closedAt: isNewest ? one.eventTime.at : before.closedAt,
    closedBy: isNewest ? closedBy : before.closedBy,
    keptUntil: Math.max(keptUntil, before?.keptUntil ?? keptUntil),
  };
  return { kind: 'order', order };
}
