import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 20;

/**
 * Asks until the fact holds: resolves with the first probe result that is neither undefined, null nor false.
 * A probe that throws counts as "not yet"; its last error is the cause when time is up. Default 10 s.
 */
export async function waitFor<T>(
  probe: () => T | undefined | null | false | Promise<T | undefined | null | false>,
  { timeoutMs = 10_000, what = 'the awaited fact' }: { timeoutMs?: number; what?: string } = {},
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  let cause: unknown;
  for (;;) {
    try {
      const found = await probe();
      if (found !== undefined && found !== null && found !== false) return found;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    if (performance.now() > deadline) throw new Error(`${what} did not hold within ${timeoutMs} ms`, { cause });
    await sleep(POLL_MS);
  }
}
