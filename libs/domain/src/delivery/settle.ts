import type { AttemptReason, FinalReason } from './outcome.ts';
import { retryDelayMs } from './retry.ts';

/** One attempt that was made: what came back, or why nothing did. */
export interface Attempt {
  /** 1 for the first. */
  number: number;
  reason: AttemptReason;
  responseStatus: number | null;
  retryAfterSeconds: number | null;
  finishedAt: Date;
  /** Attempts of an earlier round, before somebody asked for it again: the schedule begins behind them. Absent = 0. */
  before?: number;
}

/** What a delivery is after an attempt. Only a delivery that waits has a next time. */
export type Settled =
  | { status: 'delivered'; attempts: number; finishedAt: Date; reason: 'delivered' }
  | { status: 'retrying'; attempts: number; dueAt: Date; reason: AttemptReason }
  | { status: 'failed'; attempts: number; finishedAt: Date; reason: FinalReason }
  | {
      status: 'skipped-paused';
      attempts: number;
      finishedAt: Date;
      reason: 'subscription-paused' | 'subscription-disabled';
    }
  /** Kept until the subscription is active again. */
  | { status: 'retained'; attempts: number; reason: 'subscription-paused' | 'subscription-disabled' };

const never = new Set<AttemptReason>(['gone', 'url-not-allowed', 'header-not-allowed']);

/** An egress proxy that is away is our own trouble: such an attempt is made again soon, and uses up nothing of the receiver's schedule. */
const PROXY_RETRY_MS = 15_000;

/**
 * What becomes of a delivery after an attempt: done, due again, or parked for good so that the incident's next event may go.
 * `random` is 0 ≤ r < 1 and spreads the retries of one outage.
 */
export function settleAttempt(attempt: Attempt, schedule: readonly number[], random: number): Settled {
  const attempts = attempt.number;
  if (attempt.reason === 'delivered')
    return { status: 'delivered', attempts, finishedAt: attempt.finishedAt, reason: 'delivered' };
  if (never.has(attempt.reason)) {
    return { status: 'failed', attempts, finishedAt: attempt.finishedAt, reason: attempt.reason as FinalReason };
  }
  if (attempt.reason === 'proxy-failed') {
    const dueAt = new Date(attempt.finishedAt.getTime() + Math.round(PROXY_RETRY_MS * (0.5 + random)));
    return { status: 'retrying', attempts: attempts - 1, dueAt, reason: attempt.reason };
  }
  const delay = retryDelayMs(schedule, attempts - (attempt.before ?? 0), random, attempt.retryAfterSeconds);
  if (delay === undefined)
    return { status: 'failed', attempts, finishedAt: attempt.finishedAt, reason: 'schedule-exhausted' };
  return {
    status: 'retrying',
    attempts,
    dueAt: new Date(attempt.finishedAt.getTime() + delay),
    reason: attempt.reason,
  };
}
