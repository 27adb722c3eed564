/** Seconds before each attempt, counted from the previous one (product P12): at once, 1 min, 5 min, 30 min, 2 h, 8 h. */
export const DEFAULT_RETRY_SCHEDULE: readonly number[] = [0, 60, 300, 1800, 7200, 28_800];
export const RETRY_JITTER = 0.1;
/** A receiver may ask for a later attempt, but not for one that nobody will see any more. */
export const MAX_RETRY_AFTER_SECONDS = 24 * 3600;

/**
 * Milliseconds until the next attempt, or undefined when the schedule is used up.
 * `random` is 0 ≤ r < 1. `Retry-After` makes an attempt later, never earlier, and is not jittered downwards.
 */
export function retryDelayMs(
  schedule: readonly number[],
  attemptsMade: number,
  random: number,
  retryAfterSeconds: number | null = null,
): number | undefined {
  const seconds = schedule[attemptsMade];
  if (seconds === undefined) return undefined;
  const jittered = seconds * (1 + RETRY_JITTER * (2 * random - 1));
  const asked = Math.min(retryAfterSeconds ?? 0, MAX_RETRY_AFTER_SECONDS);
  return Math.round(Math.max(jittered, asked) * 1000);
}

/** Seconds of a `Retry-After` header (a number, or an HTTP date relative to `now`); null when absent, past or unreadable. */
export function retryAfterSeconds(header: string | undefined, now: Date): number | null {
  const text = header?.trim() ?? '';
  if (/^\d{1,9}$/.test(text)) return Number(text);
  // A date always names its month; without that test `Date.parse` also takes things like "-5".
  const at = /[A-Za-z]{3}/.test(text) ? Date.parse(text) : Number.NaN;
  const seconds = Math.ceil((at - now.getTime()) / 1000);
  return Number.isNaN(seconds) || seconds <= 0 ? null : seconds;
}
