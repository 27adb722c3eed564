import type { ClaimedDelivery } from './claim-store.ts';

interface Waiting {
  delivery: ClaimedDelivery;
  since: number;
}

/** Who waits for room waits on while what is held falls to this share of itself per turn, for so many turns. */
const DRAINS = 0.9;
const TURNS = 5;

/** Deliveries that this process holds and has no slot for yet, by subscription, oldest first. */
export class LocalQueue {
  private readonly bySubscription = new Map<string, Waiting[]>();
  private total = 0;
  private roomy: PromiseWithResolvers<void> | undefined;

  /** Above `full` there is no room for more. */
  constructor(private readonly full = Infinity) {}

  get size(): number {
    return this.total;
  }

  /** Resolves when there is room; also when what is held has not become a tenth less within so long, and after five times as long in any case. */
  async hasRoom(withinMs: number): Promise<void> {
    for (let turn = 0; turn < TURNS && this.total >= this.full; turn += 1) {
      const before = this.total;
      const { promise } = (this.roomy ??= Promise.withResolvers<void>());
      let late: NodeJS.Timeout | undefined;
      await Promise.race([promise, new Promise((over) => (late = setTimeout(over, withinMs)))]);
      clearTimeout(late);
      if (this.total > before * DRAINS) return;
    }
  }

  private left(count: number): void {
    this.total -= count;
    if (this.total >= this.full) return;
    this.roomy?.resolve();
    this.roomy = undefined;
  }

  lengthOf(subscriptionId: string): number {
    return this.bySubscription.get(subscriptionId)?.length ?? 0;
  }

  add(delivery: ClaimedDelivery, now: number): void {
    const queue = this.bySubscription.get(delivery.subscriptionId);
    if (queue) queue.push({ delivery, since: now });
    else this.bySubscription.set(delivery.subscriptionId, [{ delivery, since: now }]);
    this.total += 1;
  }

  /** The oldest of a subscription. */
  take(subscriptionId: string): ClaimedDelivery | undefined {
    const queue = this.bySubscription.get(subscriptionId);
    const first = queue?.shift();
    if (queue?.length === 0) this.bySubscription.delete(subscriptionId);
    if (!first) return undefined;
    this.left(1);
    return first.delivery;
  }

  ids(): string[] {
    return [...this.bySubscription.keys()];
  }

  /** Takes out what is here since before a time. */
  late(before: number): ClaimedDelivery[] {
    const late: ClaimedDelivery[] = [];
    for (const [id, queue] of this.bySubscription) {
      const from = queue.findIndex(({ since }) => since >= before);
      const gone = queue.splice(0, from < 0 ? queue.length : from);
      late.push(...gone.map(({ delivery }) => delivery));
      if (queue.length === 0) this.bySubscription.delete(id);
    }
    this.left(late.length);
    return late;
  }

  /** Everything, or everything of one subscription, for giving it back. */
  clear(subscriptionId?: string): ClaimedDelivery[] {
    const ids = subscriptionId === undefined ? this.ids() : [subscriptionId];
    const all = ids.flatMap((id) => (this.bySubscription.get(id) ?? []).map(({ delivery }) => delivery));
    for (const id of ids) this.bySubscription.delete(id);
    this.left(all.length);
    return all;
  }
}
