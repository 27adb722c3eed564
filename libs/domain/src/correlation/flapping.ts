import type { Case } from './correlate.ts';
import { instantOf, MINUTE_MS } from './moments.ts';
import type { KeyHolder } from './state.ts';

/** When a key flaps: so many changes between firing and resolved within a window; its notifications are then held for a while. */
export interface FlappingPolicy {
  toggles: number;
  windowMinutes: number;
  /** 0 = nothing is ever held. */
  holdMinutes: number;
}

/** Four changes in ten minutes hold notifications for five (issue 5). */
export const standardFlapping: FlappingPolicy = { toggles: 4, windowMinutes: 10, holdMinutes: 5 };

type Flapping = Pick<KeyHolder, 'toggles' | 'heldUntil'>;
export const steady: Flapping = { toggles: [], heldUntil: null };

/**
 * How the alert's key flaps, this alert included. `toggled`: it fires again after a resolve, or is resolved now. While notifications
 * are held the end of the hold stays where it is, so that somebody hears of a key that never rests; the next change then holds again.
 * Records the step where there is something to say.
 */
export function flappingAfter(one: Case, before: Flapping | undefined, toggled: boolean): Flapping {
  const { toggles: enough, windowMinutes, holdMinutes } = one.config.flapping ?? standardFlapping;
  if (holdMinutes === 0 || (!before && !toggled)) return steady;
  if (!toggled && before?.heldUntil == null && before?.toggles.length === 0) return steady;
  const at = one.receivedAt;
  const recent = (before?.toggles ?? []).filter((toggle) => at - toggle < windowMinutes * MINUTE_MS);
  const toggles = toggled ? [...recent, at].slice(-enough) : recent;
  const running = before?.heldUntil != null && before.heldUntil > at ? before.heldUntil : null;
  const begins = toggled && toggles.length >= enough;
  const heldUntil = running ?? (begins ? at + holdMinutes * MINUTE_MS : null);
  const evidence = { toggles: toggles.length, of: enough, windowMinutes };
  if (heldUntil !== null)
    one.trail.hit('flapping', {
      ...evidence,
      firstToggleAt: instantOf(toggles[0] ?? at),
      holdUntil: instantOf(heldUntil),
    });
  else if (toggled && toggles.length > 1) one.trail.miss('flapping', 'few-toggles', evidence);
  return { toggles, heldUntil };
}
