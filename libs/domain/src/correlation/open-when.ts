import type { MuteKind } from '@tocsin/contracts';
import { evaluate } from '../conditions/index.ts';
import type { Case, Correlated } from './correlate.ts';
import { takeKey } from './take-key.ts';

/** Whether the alert may open (or reopen) an incident. Records the step. Source: product P11. */
export function mayOpen(one: Case): boolean {
  const { openWhen } = one.config;
  if (!openWhen) return true; // said by its absence: most webhooks have none
  const { holds: passes, decided, held, conditions } = evaluate(openWhen, { alert: one.subject });
  if (passes) one.trail.hit('open-when', { conditions: decided });
  else one.trail.miss('open-when', 'condition-failed', { conditions: decided, held, of: conditions });
  return passes;
}

const reasons = { silence: 'silenced', 'maintenance-window': 'maintenance' } as const;
/** Why it is kept without an incident. */
export const keptBecause = (muted: MuteKind | null) => (muted ? reasons[muted] : 'open-when');

/** The alert is kept without an incident, and holds its key. `muted`: by what, where it is not `open_when`. */
export function recorded(one: Case, muted: MuteKind | null): Correlated {
  const key = takeKey(one, null);
  return {
    decision: { kind: 'recorded', alertId: one.alert.id, effect: 'recorded', ...(muted && { mutedBy: muted }) },
    why: one.trail.because(keptBecause(muted)),
    changes: [key],
  };
}
