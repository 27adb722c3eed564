import type { ReceiptReplied } from '@tocsin/contracts';
import { isComplete, mergeReply, type ReceiptSoFar } from './merge-replies.ts';

/** One sender that waits. It enters before the append: a reply may come before the append's own confirmation. */
export interface Waiting {
  /** The complete outcome, or undefined when the time ran out, the sender went, or the gateway shuts down. */
  outcome: Promise<ReceiptSoFar | undefined>;
  leave: () => void;
}

interface Waiter {
  soFar: ReceiptSoFar | undefined;
  finish(outcome: ReceiptSoFar | undefined): void;
}

/** The senders that wait for what became of their receipts. Holds ids and answers only, never a body. */
export class WaitingRoom {
  private readonly waiters = new Map<string, Set<Waiter>>();
  private count = 0;
  private closed = false;

  constructor(private readonly capacity: number) {}

  /** Lets a sender wait; undefined when there is no room or the gateway shuts down: then it gets its 202 at once. */
  enter(receiptId: string, milliseconds: number): Waiting | undefined {
    if (this.closed || this.count >= this.capacity) return undefined;
    const { promise, resolve } = Promise.withResolvers<ReceiptSoFar | undefined>();
    const finish = (outcome: ReceiptSoFar | undefined) => {
      clearTimeout(timer);
      this.remove(receiptId, waiter);
      resolve(outcome);
    };
    const waiter: Waiter = { soFar: undefined, finish };
    const timer = setTimeout(finish, milliseconds, undefined);
    const others = this.waiters.get(receiptId);
    if (others) others.add(waiter);
    else this.waiters.set(receiptId, new Set([waiter]));
    this.count += 1;
    return { outcome: promise, leave: () => finish(undefined) };
  }

  /** Whether somebody waits for this receipt: replies for all others need not even be decoded. */
  awaits = (receiptId: string): boolean => this.waiters.has(receiptId);

  hear(reply: ReceiptReplied): void {
    for (const waiter of [...(this.waiters.get(reply.receiptId) ?? [])]) {
      waiter.soFar = mergeReply(waiter.soFar, reply);
      if (isComplete(waiter.soFar)) waiter.finish(waiter.soFar);
    }
  }

  isClosed = (): boolean => this.closed;

  /** Sends everybody home with a 202 and lets nobody in any more. */
  close(): void {
    this.closed = true;
    for (const waiters of [...this.waiters.values()]) for (const waiter of [...waiters]) waiter.finish(undefined);
  }

  private remove(receiptId: string, waiter: Waiter): void {
    const waiters = this.waiters.get(receiptId);
    if (!waiters?.delete(waiter)) return;
    this.count -= 1;
    if (waiters.size === 0) this.waiters.delete(receiptId);
  }
}
