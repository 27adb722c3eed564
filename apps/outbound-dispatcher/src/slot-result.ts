import type { SlotResult } from './endpoint-slots.ts';
import type { SettledDelivery } from './settle-store.ts';

/** A good answer that took longer says: do not count on this one. */
const SLOW_MS = 2_000;

/** How an attempt speaks of its receiver: whoever answers is alive, also with a refusal; silence and 5xx are not good. */
export function resultOf(result: SettledDelivery | undefined): SlotResult {
  if (!result?.attempt) return 'unknown';
  const { responseStatus, durationMs } = result.attempt;
  if (responseStatus === null || responseStatus >= 500 || responseStatus === 429) return 'bad';
  return durationMs > SLOW_MS ? 'slow' : 'good';
}
