import type { Pool } from 'pg';
import type { Logger } from '@tocsin/nest-shell';
import {
  claimDue,
  DUE_CHANNEL,
  dueSubscriptions,
  giveBack,
  reclaim,
  type ClaimedDelivery,
  type Wanted,
} from './claim-store.ts';
import type { EndpointSlots } from './endpoint-slots.ts';
import type { SettledDelivery } from './settle-store.ts';
import type { WorkerSession } from './worker-session.ts';

export interface WorkerParts {
  pool: Pool;
  session: WorkerSession;
  slots: EndpointSlots;
  /** Undefined: the process is going down, the delivery is given back. */
  attempt: (delivery: ClaimedDelivery) => Promise<SettledDelivery | undefined>;
  settle: (result: SettledDelivery) => Promise<void>;
  timeoutMsOf: (subscriptionId: string) => number;
  newToken: () => string;
  clock: () => Date;
  log: Logger;
}

const LEASE_MARGIN_MS = 15_000;
const CLAIM_MAX = 200;
/** The fallback: retries that came due, work of workers that are gone, hints that were lost. */
const POLL_BUSY_MS = 500;
const POLL_IDLE_MS = 1000;

/**
 * Claims due deliveries and sends them, each subscription within its own slots. Whoever plans a delivery or frees a lane calls `wake`,
 * so nothing waits for a poll; polling finds the rest.
 */
export class DeliveryWorker {
  private readonly wanted = new Set<string>();
  private readonly starved = new Set<string>();
  private readonly inHand = new Set<Promise<void>>();
  private claiming: Promise<void> | undefined;
  private polling: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private stopping = false;
  private hinting = false;
  private sentSincePoll = 0;

  constructor(private readonly parts: WorkerParts) {}

  start(): void {
    this.poll();
  }

  /** Something may be due for these subscriptions. */
  wake(subscriptionIds: Iterable<string>): void {
    for (const id of subscriptionIds) this.wanted.add(id);
    if (this.stopping) return;
    this.claiming ??= this.drain().finally(() => (this.claiming = undefined));
    if (this.parts.slots.room === 0) this.hint();
  }

  /** Looks for anything that is due, also for what others left. */
  poll(): void {
    if (this.stopping) return;
    clearTimeout(this.timer);
    this.polling ??= this.look().finally(() => {
      this.polling = undefined;
      if (this.stopping) return;
      const busy = this.sentSincePoll > 0;
      this.sentSincePoll = 0;
      this.timer = setTimeout(() => this.poll(), busy ? POLL_BUSY_MS : POLL_IDLE_MS);
    });
  }

  /** Claims no more and resolves when every attempt in hand is stored or given back. */
  async stop(): Promise<void> {
    this.stopping = true;
    clearTimeout(this.timer);
    await this.polling;
    await this.claiming;
    while (this.inHand.size > 0) await Promise.all(this.inHand);
  }

  private async look(): Promise<void> {
    const { pool, session, clock, log } = this.parts;
    try {
      await session.open();
      const freed = await reclaim(pool, clock());
      if (freed.length > 0) log.info({ subscriptions: freed.length }, 'deliveries.reclaimed');
      this.wake(await dueSubscriptions(pool, clock()));
    } catch (error) {
      log.warn({ error: (error as Error).message }, 'deliveries.poll-failed');
    }
  }

  private async drain(): Promise<void> {
    try {
      while (!this.stopping) {
        const wanted = this.next();
        if (wanted.length === 0) return;
        await this.claim(wanted);
      }
    } catch (error) {
      // The rows are still due: the next poll finds them.
      this.parts.log.warn({ error: (error as Error).message }, 'deliveries.claim-failed');
    }
  }

  /** Subscriptions to claim for now. One without a free slot is remembered until a slot of its own comes back. */
  private next(): Wanted[] {
    const wanted: Wanted[] = [];
    for (const id of this.wanted) {
      if (this.parts.slots.room === 0 || wanted.length === CLAIM_MAX) break;
      this.wanted.delete(id);
      const slots = this.parts.slots.free(id);
      if (slots === 0) this.starved.add(id);
      else wanted.push({ subscriptionId: id, slots, leaseMs: this.parts.timeoutMsOf(id) + LEASE_MARGIN_MS });
    }
    return wanted;
  }

  private async claim(wanted: Wanted[]): Promise<void> {
    const { pool, session, slots, clock, newToken } = this.parts;
    const workerId = session.id;
    if (workerId === undefined) return;
    const limit = Math.min(CLAIM_MAX, slots.room);
    const claimed = await claimDue(pool, { wanted, limit, now: clock(), workerId, leaseToken: newToken() });
    const counts = new Map<string, number>();
    for (const { subscriptionId } of claimed) counts.set(subscriptionId, (counts.get(subscriptionId) ?? 0) + 1);
    for (const { subscriptionId, slots: asked } of wanted) {
      // It got all that it may have, or the limit cut it off: there may be more.
      if (counts.get(subscriptionId) === asked || claimed.length === limit) this.wanted.add(subscriptionId);
    }
    for (const delivery of claimed) this.handle(delivery);
  }

  private handle(delivery: ClaimedDelivery): void {
    this.sentSincePoll += 1;
    this.parts.slots.take(delivery.subscriptionId);
    const work = this.deliver(delivery).finally(() => this.inHand.delete(work));
    this.inHand.add(work);
  }

  private async deliver(delivery: ClaimedDelivery): Promise<void> {
    const { attempt, settle, slots, pool, log } = this.parts;
    let result: SettledDelivery | undefined;
    try {
      result = await attempt(delivery);
      if (result) await settle(result);
      else await giveBack(pool, [delivery]);
    } catch (error) {
      // Its lease ends by itself; nothing is lost.
      log.error({ error: (error as Error).message, deliveryId: delivery.id }, 'delivery.attempt-failed');
    }
    slots.release(delivery.subscriptionId, resultOf(result));
    if (result) this.say(result);
    if (this.starved.delete(delivery.subscriptionId)) this.wanted.add(delivery.subscriptionId);
    if (this.wanted.size > 0) this.wake([]);
  }

  private say({ delivery, settled, attempt }: SettledDelivery): void {
    this.parts.log.info(
      {
        ...{
          deliveryId: delivery.id,
          subscriptionId: delivery.subscriptionId,
          workspaceId: delivery.workspaceId,
          eventType: delivery.eventType,
        },
        ...{ attempt: settled.attempts, status: settled.status, reason: attempt?.reason ?? settled.reason },
        ...{ responseStatus: attempt?.responseStatus, durationMs: attempt?.durationMs },
      },
      'delivery.attempted',
    );
  }

  /** This process is full: another one may have room. At most one hint is on its way. */
  private hint(): void {
    if (this.hinting) return;
    this.hinting = true;
    this.parts.pool
      .query(`select pg_notify('${DUE_CHANNEL}', '')`)
      .catch((error: Error) => this.parts.log.debug({ error: error.message }, 'deliveries.hint-failed'))
      .finally(() => (this.hinting = false));
  }
}

/** How an attempt speaks of its receiver: whoever answers is alive, also with a refusal; silence and 5xx are not good. */
function resultOf(result: SettledDelivery | undefined): 'good' | 'bad' | 'unknown' {
  if (!result?.attempt) return 'unknown';
  return result.attempt.responseStatus !== null && result.attempt.responseStatus < 500 ? 'good' : 'bad';
}
