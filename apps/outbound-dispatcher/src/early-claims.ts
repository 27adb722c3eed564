import type { PlannedDelivery } from '@tocsin/domain/delivery';
import type { ClaimedDelivery } from './claim-store.ts';

/** A lease that planned deliveries are stored with, so that nobody needs to claim them. */
export interface EarlyLease {
  workerId: number;
  token: string;
  until: (delivery: PlannedDelivery) => Date;
  /** Ids of the deliveries that this process sends itself. */
  ids: ReadonlySet<string>;
}

/**
 * Whoever plans deliveries mostly has room to send some of them at once: those are stored as claimed, which saves a statement and a row version each.
 * If the process dies before it sends them, others free them as they do with everything it had claimed.
 */
export interface EarlyClaims {
  /** What this process could send at once, of deliveries that are due now; `open` are the open circuits. Changes nothing yet. */
  lease(planned: readonly PlannedDelivery[], open: ReadonlySet<string>): EarlyLease | undefined;
  /** The transaction was committed: these are ours. */
  adopt(deliveries: readonly ClaimedDelivery[]): void;
}

/** Whether a delivery may be claimed before it is stored: nothing holds it, and no later update may be merged into it. */
const isReady = ({ head, hold, mergeable, dueAt }: PlannedDelivery, now: Date): boolean =>
  head && !hold && !mergeable && dueAt <= now;

/** Ids of those that are ready, as many of each subscription as it has room for. */
export function readyWithin(
  planned: readonly PlannedDelivery[],
  now: Date,
  roomOf: (subscription: PlannedDelivery['subscription']) => number,
): Set<string> {
  const left = new Map<string, number>();
  const ids = new Set<string>();
  for (const delivery of planned) {
    if (!isReady(delivery, now)) continue;
    const { subscription } = delivery;
    const room = left.get(subscription.id) ?? roomOf(subscription);
    if (room > 0) ids.add(delivery.id);
    left.set(subscription.id, Math.max(0, room - 1));
  }
  return ids;
}

/** A planned delivery as a claim would have given it. */
export const claimedOf = (
  delivery: PlannedDelivery,
  stored: { seq: string; subscriptionName: string; token: string },
): ClaimedDelivery => ({
  ...{ seq: stored.seq, id: delivery.id, workspaceId: delivery.workspaceId, subscriptionId: delivery.subscription.id },
  ...{ subscriptionName: stored.subscriptionName, configRevision: delivery.subscription.revision },
  ...{ eventId: delivery.eventId, eventType: delivery.eventName, incidentId: delivery.incidentId },
  ...{ sequence: delivery.sequence, body: delivery.content.body, contentType: delivery.content.contentType },
  ...{ contentHeaders: delivery.content.headers, attempts: 0, attemptsBase: 0, test: delivery.test === true },
  ...{ disabledRevision: null, leaseToken: stored.token },
});
