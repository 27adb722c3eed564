import type { OutboxRow } from './outbox.ts';

/** Sends what is committed to the log, apart from the transactions that wrote it. */
export interface Publisher {
  /** Channel that the writing transaction must notify, where the publisher may be another process. */
  readonly notify: string | undefined;
  /** False while rows of this lane cannot be sent, or are sent too slowly: further input waits. */
  ready(lane: string): Promise<boolean>;
  /** Rows of a committed transaction, in order. They are sent without the caller. */
  committed(lane: string, rows: readonly OutboxRow[]): Promise<void>;
  /** There may be rows that this process did not write: of a dead owner, or of a commit whose reply was lost. */
  leftovers(lane: string): void;
  /** Resolves when the outbox is empty. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** Beyond this a caller is no longer kept waiting; publishing goes on. */
export const READY_WAIT_MS = 1_000;
export const SENT_WAIT_MS = 2_000;
export const FIRST_BACKOFF_MS = 100;
export const LAST_BACKOFF_MS = 5_000;

/** Whether the promise settles in time. Its failure is the business of whoever made it. */
export async function settles(promise: Promise<unknown>, withinMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => (timer = setTimeout(() => resolve(false), withinMs)));
  const settled = promise.then(
    () => true,
    () => true,
  );
  return Promise.race([settled, late]).finally(() => clearTimeout(timer));
}

/** A sleep that can be ended: by `wake`, once, or by its time. */
export class Nap {
  private end: (() => void) | undefined;
  private woken = false;

  wake(): void {
    this.woken = true;
    this.end?.();
  }

  async sleep(ms: number): Promise<void> {
    if (!this.woken) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.end = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.woken = false;
    this.end = undefined;
  }
}
