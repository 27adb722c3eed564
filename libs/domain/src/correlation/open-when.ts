import { evaluate } from '../conditions/index.ts';
import type { Case, Correlated } from './correlate.ts';
import { takeKey } from './take-key.ts';

/** Whether the alert may open (or reopen) an incident. Records the step. Source: product P11. */
export function mayOpen(one: Case): boolean {
  const { openWhen } = one.config;
  if (!openWhen) return true; // said by its absence: most webhooks have none
  const { holds: passes, decided, held, conditions } = evaluate(openWhen, { alert: one.alert });
  if (passes) one.trail.hit('open-when', { conditions: decided });
  else one.trail.miss('open-when', 'condition-failed', { conditions: decided, held, of: conditions });
  return passes;
}

/** The alert is kept without an incident, and holds its key. */
export function recorded(one: Case): Correlated {
  return {
    decision: { kind: 'recorded', alertId: one.alert.id, effect: 'recorded' },
    why: one.trail.because('open-when'),
    changes: [takeKey(one, null)],
  };
}
