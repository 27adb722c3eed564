import type { Pool } from 'pg';
import type { PlannedDelivery } from '@tocsin/domain/delivery';
import type { Logger } from '@tocsin/nest-shell';
import { accountFor, withinRates, withProbes } from './claim-bounds.ts';
import { claimDue, giveBack, type ClaimedDelivery, type Wanted } from './claim-store.ts';
import type { EndpointSlots, SlotResult } from './endpoint-slots.ts';
import { readyWithin, type EarlyClaims, type EarlyLease } from './early-claims.ts';
import { LocalQueue } from './local-queue.ts';
import { lookForWork } from './look-for-work.ts';
import type { SettledDelivery } from './settle-store.ts';
import { resultOf } from './slot-result.ts';
import { leaseMsOf, type EndpointSettings } from './subscription-settings.ts';
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

const CLAIM_MAX = 500;
/** Held ready for a receiver that answers well, beyond its slots: what it takes in so long, within these bounds; those of a dead process must not wait. */
const AHEAD_MS = 1_000;
const AHEAD = { least: 256, most: 768 };
/** … and for all receivers together. */
const AHEAD_MAX = 4_000;
/** Above this many held ready, planning waits a little: what is planned with room costs a claim less. */
const AHEAD_FULL = 512;
const FULL_WAIT_MS = 200;
/** What waited longer than this behind a receiver that slowed down is given back while its lease still holds. */
const AHEAD_WAIT_MS = 8_000;
/** The fallback: retries that came due, work of workers that are gone, hints that were lost. */
const POLL_BUSY_MS = 250;
const POLL_IDLE_MS = 500;
/** A subscription whose rate was used up is looked at again after so long. */
const RATE_WAIT_MS = 50;

/**
 * Claims due deliveries and sends them, each subscription within its own slots. Whoever plans a delivery or frees a lane calls `wake`,
 * so nothing waits for a poll; polling finds the rest.
 */
export class DeliveryWorker implements EarlyClaims {
  private readonly ahead = new LocalQueue(AHEAD_FULL);
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
  /** Something is held for which the process had no room. */
  private blocked = false;
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
    if (this.room === 0) this.parts.session.hint();
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

  /** Resolves when this process could send more at once; soon in any case, as receivers may have become slow. */
  hasRoom(): Promise<void> {
    return this.stopping ? Promise.resolve() : this.ahead.hasRoom(FULL_WAIT_MS);
  }

  /** Claims no more and resolves when every attempt in hand is stored or given back. */
  async stop(): Promise<void> {
    this.stopping = true;
    clearTimeout(this.timer);
    clearTimeout(this.rateTimer);
    await this.polling;
    await this.claiming;
    await giveBack(this.parts.pool, this.ahead.clear());
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
      await this.giveBackLate();
      for (const id of this.ahead.ids()) this.pump(id);
      this.wake(due.map(({ subscriptionId }) => subscriptionId));
    } catch (error) {
      log.warn({ error: (error as Error).message }, 'deliveries.poll-failed');
    }
  }

  private async drain(): Promise<void> {
    try {
      while (!this.stopping) {
        const next = this.next();
        if (next.length === 0) return;
        const { wanted, held } = await withinRates(await withProbes(next, this.probes, this.parts), this.parts);
        if (held.length > 0) this.later(held);
        await this.claim(wanted);
      }
    } catch (error) {
      // The rows are still due: the next poll finds them.
      this.parts.log.warn({ error: (error as Error).message }, 'deliveries.claim-failed');
    }
  }

  /** Subscriptions to claim for now. One without a free slot is remembered until a slot of its own comes back. */
  private next(): Wanted[] {
    const { slots, settingsOf } = this.parts;
    const wanted: Wanted[] = [];
    for (const id of this.wanted) {
      if (this.room <= 0 || wanted.length === CLAIM_MAX) break;
      this.wanted.delete(id);
      const settings = settingsOf(id);
      const free = this.wantedOf(id, settings, slots.free(id, settings?.workspaceId ?? '', settings?.maxInFlight));
      if (free === 0) this.starved.add(id);
      else wanted.push({ subscriptionId: id, slots: free, leaseMs: leaseMsOf(settings), probe: false });
    }
    return wanted;
  }

  /** Free slots, and some ahead where the receiver answers well: claims and requests then do not wait for each other. */
  private wantedOf(id: string, settings: EndpointSettings | undefined, free: number): number {
    const queued = this.ahead.lengthOf(id);
    const within = this.parts.slots.within(id, AHEAD_MS);
    const quick = within === 0 ? 0 : Math.min(AHEAD.most, Math.max(AHEAD.least, within));
    const ahead = settings?.maxPerSecond || this.ahead.size >= AHEAD_MAX ? 0 : quick;
    if (queued > ahead / 2) return 0;
    return Math.max(0, free + ahead - queued);
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
    const { pool, session, clock, newToken } = this.parts;
    const workerId = session.id;
    if (workerId === undefined || wanted.length === 0) return;
    const limit = CLAIM_MAX;
    const claimed = await claimDue(pool, { wanted, limit, now: clock(), workerId, leaseToken: newToken() });
    const counts = new Map<string, number>();
    for (const { subscriptionId } of claimed) counts.set(subscriptionId, (counts.get(subscriptionId) ?? 0) + 1);
    this.adopt(claimed);
    for (const { subscriptionId, slots: asked, probe } of wanted) {
      // It got all that it may have, or the limit cut it off: there may be more.
      if (!probe && (counts.get(subscriptionId) === asked || claimed.length === limit)) this.wanted.add(subscriptionId);
    }
    await accountFor(wanted, counts, this.parts);
  }

  lease(planned: readonly PlannedDelivery[], open: ReadonlySet<string>): EarlyLease | undefined {
    const { session, clock, newToken, settingsOf, slots } = this.parts;
    if (session.id === undefined || this.stopping || this.room <= 0) return undefined;
    const now = clock();
    const ids = readyWithin(planned, now, ({ id, workspaceId }) => {
      const settings = settingsOf(id);
      if (open.has(id) || !settings?.active || settings.maxPerSecond) return 0;
      return this.wantedOf(id, settings, slots.free(id, workspaceId, settings.maxInFlight));
    });
    const until = ({ subscription }: PlannedDelivery) =>
      new Date(now.getTime() + leaseMsOf(settingsOf(subscription.id)));
    return ids.size === 0 ? undefined : { workerId: session.id, token: newToken(), until, ids };
  }

  adopt(deliveries: readonly ClaimedDelivery[]): void {
    const now = this.parts.clock().getTime();
    for (const delivery of deliveries) this.ahead.add(delivery, now);
    for (const id of new Set(deliveries.map(({ subscriptionId }) => subscriptionId))) this.pump(id);
  }

  /** Sends what is held for a subscription, as far as it has slots. */
  private pump(id: string): void {
    const settings = this.parts.settingsOf(id);
    while (!this.stopping && this.hasSlot(id, settings)) {
      const next = this.ahead.take(id);
      if (!next) return;
      this.handle(next);
    }
  }

  /** What waited for too long is somebody else's again. */
  private async giveBackLate(): Promise<void> {
    const { pool, clock } = this.parts;
    const late = this.ahead.late(clock().getTime() - AHEAD_WAIT_MS);
    if (late.length > 0) await giveBack(pool, late);
  }

  private hasSlot(id: string, settings: EndpointSettings | undefined): boolean {
    if (this.ahead.lengthOf(id) === 0) return false;
    if (this.room <= 0) this.blocked = true;
    return this.room > 0 && this.parts.slots.free(id, settings?.workspaceId ?? '', settings?.maxInFlight) > 0;
  }

  /** A result was stored: there is room for what was held only because there was none. */
  private unblock(): void {
    if (!this.blocked) return;
    this.blocked = false;
    for (const id of this.ahead.ids()) this.pump(id);
  }

  private handle(delivery: ClaimedDelivery): void {
    this.sentSincePoll += 1;
    const release = this.parts.slots.take(delivery.subscriptionId, delivery.workspaceId);
    const work = this.deliver(delivery, release).finally(() => {
      this.inHand.delete(work);
      this.unblock();
      if (this.wanted.size > 0) this.wake([]);
    });
    this.inHand.add(work);
  }

  private async deliver(delivery: ClaimedDelivery, release: (result: SlotResult, ms: number) => void): Promise<void> {
    const { attempt, settle, pool, log } = this.parts;
    let result: SettledDelivery | undefined;
    let held = true;
    const free = (): void => {
      const said = resultOf(result);
      if (held) release(said, result?.attempt?.durationMs ?? 0);
      if (held && said === 'bad') this.putBack(delivery.subscriptionId);
      held = false;
      // The receiver is free for the next one while this result is still being stored.
      this.pump(delivery.subscriptionId);
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

  /** What is held for a receiver that fails is claimed again as its circuit allows. */
  private putBack(id: string): void {
    const held = this.ahead.clear(id);
    if (held.length === 0) return;
    const work: Promise<void> = giveBack(this.parts.pool, held)
      .then(() => this.wake([id]))
      .catch((error: Error) => this.parts.log.warn({ error: error.message }, 'deliveries.give-back-failed')) // their lease ends
      .finally(() => this.inHand.delete(work));
    this.inHand.add(work);
  }
}
