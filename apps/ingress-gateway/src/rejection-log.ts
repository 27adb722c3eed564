import type { Logger } from '@tocsin/nest-shell';
import { MINUTE_MS } from './answers-log/answer-tally.ts';

const KINDS_MAX = 10_000;

export interface Rejection {
  webhookId: string;
  /** Code of the answer. */
  code: string;
  /** Which check failed. */
  reason: string;
}

interface Repeated {
  rejection: Rejection;
  from: number;
  more: number;
}

/**
 * Logs refused requests: the first per webhook and reason at once, those of the minute after it in one line with their number
 * (product P7). The sum of `requests` over all lines is the number of refused requests.
 */
export class RejectionLog {
  private readonly seen = new Map<string, Repeated>();

  constructor(private readonly log: Logger) {}

  /** `now` in milliseconds since the epoch. */
  note(rejection: Rejection, now: number): void {
    const key = `${rejection.webhookId} ${rejection.code} ${rejection.reason}`;
    const repeated = this.seen.get(key);
    if (repeated && now - repeated.from < MINUTE_MS) {
      repeated.more += 1;
      return;
    }
    if (repeated) this.tell(repeated);
    if (!repeated && this.seen.size >= KINDS_MAX) this.tellAll();
    this.seen.delete(key);
    this.seen.set(key, { rejection, from: now, more: 0 });
    this.line(rejection, 1);
  }

  /** Tells the counts of minutes that are over. */
  settle(now: number): void {
    for (const [key, repeated] of this.seen) {
      if (now - repeated.from < MINUTE_MS) return; // the later ones began later
      this.tell(repeated);
      this.seen.delete(key);
    }
  }

  /** Tells what is still counted, at the end or where there are too many kinds. */
  tellAll(): void {
    for (const repeated of this.seen.values()) this.tell(repeated);
    this.seen.clear();
  }

  private tell({ rejection, more }: Repeated): void {
    if (more > 0) this.line(rejection, more);
  }

  private line(rejection: Rejection, requests: number): void {
    this.log.warn({ ...rejection, requests }, 'request.rejected');
  }
}
