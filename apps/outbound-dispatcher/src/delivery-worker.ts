import type { Pool } from 'pg';
import type { Logger } from '@tocsin/nest-shell';
import { claimDue, DUE_CHANNEL, giveBack, type ClaimedDelivery, type Wanted } from './claim-store.ts';
import { countRates, takeRates } from './endpoint-rates.ts';
import type { EndpointSlots, SlotResult } from './endpoint-slots.ts';
import { dropProbes, takeProbes } from './endpoint-store.ts';
import { lookForWork } from './look-for-work.ts';
import type { SettledDelivery } from './settle-store.ts';
import type { EndpointSettings } from './subscription-settings.ts';
import type { WorkerSession } from './worker-session.ts';

export interface WorkerParts {
  pool: Pool;
  session: WorkerSession;
  slots: EndpointSlots;
  /** Undefined: the process is going down, the delivery is given back. */
  attempt: (delivery: ClaimedDelivery) => Promise<SettledDelivery | undefined>;
  settle: (result: SettledDelivery) => Promise<void>;
  settingsOf: (subscriptionId: string) => EndpointSettings | undefined;
  /** Deliveries a second at which what was kept for a subscription without a rate of its own is sent. */
  drainPerSecond: number;
  newToken: () => string;
  clock: () => Date;
  log: Logger;
}

const DEFAULT_TIMEOUT_MS = 30_000;
const LEASE_MARGIN_MS = 15_000;
const CLAIM_MAX = 200;
/** The fallback: retries that came due, work of workers that are gone, hints that were lost. */
const POLL_BUSY_MS = 500;
const POLL_IDLE_MS = 1000;
/** A subscription whose rate was used up is looked at again after so long. */
const RATE_WAIT_MS = 50;
/** A good answer that took longer says: do not count on this one. */
const SLOW_MS = 2_000;

/**
 * Claims due deliveries and sends them, each subscription within its own slots. Whoever plans a delivery or frees a lane calls `wake`,
 * so nothing waits for a poll; polling finds the rest.
 */
export class DeliveryWorker {
  private readonly wanted = new Set<string>();
  private readonly probes = new Set<string>();
  private readonly starved = new Set<string>();
  private readonly overRate = new Set<string>();
  private readonly inHand = new Set<Promise<void>>();
  private claiming: Promise<void> | undefined;
  private polling: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private rateTimer: NodeJS.Timeout | undefined;
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
    if (this.room === 0) this.hint();
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
    clearTimeout(this.rateTimer);
    await this.polling;
    await this.claiming;
    while (this.inHand.size > 0) await Promise.all(this.inHand);
  }

  /** Attempts count until their results are stored: while the database is away, nothing new is begun. */
  private get room(): number {
    return Math.min(this.parts.slots.room, this.parts.slots.max - this.inHand.size);
  }

  private async look(): Promise<void> {
    const { session, log, slots, settingsOf } = this.parts;
    try {
      await session.open();
      const due = await lookForWork(this.parts);
      for (const { subscriptionId, probe } of due) if (probe) this.probes.add(subscriptionId);
      slots.keep((id) => settingsOf(id) !== undefined);
      this.wake(due.map(({ subscriptionId }) => subscriptionId));
    } catch (error) {
      log.warn({ error: (error as Error).message }, 'deliveries.poll-failed');
    }
  }

  private async drain(): Promise<void> {
    try {
      while (!this.stopping) {
        const wanted = await this.withinRates(await this.withProbes(this.next()));
        if (wanted === undefined) return;
        await this.claim(wanted);
      }
    } catch (error) {
      // The rows are still due: the next poll finds them.
      this.parts.log.warn({ error: (error as Error).message }, 'deliveries.claim-failed');
    }
  }

  /** Subscriptions to claim for now. One without a free slot is remembered until a slot of its own comes back. */
  private next(): Wanted[] | undefined {
    const { slots, settingsOf } = this.parts;
    const wanted: Wanted[] = [];
    for (const id of this.wanted) {
      if (this.room <= 0 || wanted.length === CLAIM_MAX) break;
      this.wanted.delete(id);
      const settings = settingsOf(id);
      const free = slots.free(id, settings?.workspaceId ?? '', settings?.maxInFlight);
      if (free === 0) this.starved.add(id);
      else
        wanted.push({
          subscriptionId: id,
          slots: free,
          leaseMs: (settings?.timeoutMs ?? DEFAULT_TIMEOUT_MS) + LEASE_MARGIN_MS,
          probe: false,
        });
    }
    return wanted.length === 0 ? undefined : wanted;
  }

  /** Half-open circuits: one request, by whoever takes it first. */
  private async withProbes(wanted: Wanted[] | undefined): Promise<Wanted[] | undefined> {
    const asked = (wanted ?? []).filter(({ subscriptionId }) => this.probes.delete(subscriptionId));
    if (!wanted || asked.length === 0) return wanted;
    const { pool, clock } = this.parts;
    const longest = Math.max(...asked.map(({ leaseMs }) => leaseMs));
    const now = clock();
    const until = new Date(now.getTime() + longest);
    const taken = new Set(
      await takeProbes(
        pool,
        asked.map(({ subscriptionId }) => subscriptionId),
        now,
        until,
      ),
    );
    return wanted.map((one) => (taken.has(one.subscriptionId) ? { ...one, slots: 1, probe: true } : one));
  }

  /** Slots that the subscriptions' rates allow at the moment. */
  private async withinRates(wanted: Wanted[] | undefined): Promise<Wanted[] | undefined> {
    const { pool, settingsOf, clock } = this.parts;
    const rated = (wanted ?? []).flatMap(({ subscriptionId, slots }) => {
      const { maxPerSecond, workspaceId } = settingsOf(subscriptionId) ?? {};
      return maxPerSecond && workspaceId !== undefined
        ? [{ subscriptionId, workspaceId, slots, perSecond: maxPerSecond }]
        : [];
    });
    if (!wanted || rated.length === 0) return wanted;
    const granted = await takeRates(pool, rated, clock());
    const held = rated.filter(({ subscriptionId }) => granted.get(subscriptionId) === 0);
    if (held.length > 0) this.later(held.map(({ subscriptionId }) => subscriptionId));
    return wanted.flatMap((one) => {
      const slots = granted.get(one.subscriptionId) ?? one.slots;
      return slots === 0 ? [] : [{ ...one, slots }];
    });
  }

  private later(subscriptionIds: string[]): void {
    for (const id of subscriptionIds) this.overRate.add(id);
    this.rateTimer ??= setTimeout(() => {
      this.rateTimer = undefined;
      const waiting = [...this.overRate];
      this.overRate.clear();
      this.wake(waiting);
    }, RATE_WAIT_MS);
  }

  private async claim(wanted: Wanted[]): Promise<void> {
    const { pool, session, clock, newToken, settingsOf } = this.parts;
    const workerId = session.id;
    if (workerId === undefined || wanted.length === 0) return;
    const limit = Math.min(CLAIM_MAX, this.room);
    const claimed = await claimDue(pool, { wanted, limit, now: clock(), workerId, leaseToken: newToken() });
    const counts = new Map<string, number>();
    for (const { subscriptionId } of claimed) counts.set(subscriptionId, (counts.get(subscriptionId) ?? 0) + 1);
    for (const delivery of claimed) this.handle(delivery);
    for (const { subscriptionId, slots: asked, probe } of wanted) {
      // It got all that it may have, or the limit cut it off: there may be more.
      if (!probe && (counts.get(subscriptionId) === asked || claimed.length === limit)) this.wanted.add(subscriptionId);
    }
    await dropProbes(
      pool,
      wanted
        .filter(({ subscriptionId, probe }) => probe && !counts.has(subscriptionId))
        .map(({ subscriptionId }) => subscriptionId),
    );
    const rated = [...counts].flatMap(([subscriptionId, count]) => {
      const rate = settingsOf(subscriptionId)?.maxPerSecond;
      return rate ? [{ subscriptionId, seconds: count / rate }] : [];
    });
    await countRates(pool, rated);
  }

  private handle(delivery: ClaimedDelivery): void {
    this.sentSincePoll += 1;
    const release = this.parts.slots.take(delivery.subscriptionId, delivery.workspaceId);
    const work = this.deliver(delivery, release).finally(() => {
      this.inHand.delete(work);
      if (this.wanted.size > 0) this.wake([]);
    });
    this.inHand.add(work);
  }

  private async deliver(delivery: ClaimedDelivery, release: (result: SlotResult) => void): Promise<void> {
    const { attempt, settle, pool, log } = this.parts;
    let result: SettledDelivery | undefined;
    let held = true;
    const free = (): void => {
      if (held) release(resultOf(result));
      held = false;
      // The receiver is free for the next one while this result is still being stored.
      if (this.starved.delete(delivery.subscriptionId)) this.wake([delivery.subscriptionId]);
    };
    try {
      result = await attempt(delivery);
      free();
      if (result) await settle(result);
      else await giveBack(pool, [delivery]);
    } catch (error) {
      // Its lease ends by itself; nothing is lost.
      log.error({ error: (error as Error).message, deliveryId: delivery.id }, 'delivery.attempt-failed');
    } finally {
      free();
    }
    log.debug(
      {
        ...{ deliveryId: delivery.id, subscriptionId: delivery.subscriptionId },
        ...{ status: result?.settled.status, reason: result?.settled.reason },
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
function resultOf(result: SettledDelivery | undefined): SlotResult {
  if (!result?.attempt) return 'unknown';
  const { responseStatus, durationMs } = result.attempt;
  if (responseStatus === null || responseStatus >= 500 || responseStatus === 429) return 'bad';
  return durationMs > SLOW_MS ? 'slow' : 'good';
}
