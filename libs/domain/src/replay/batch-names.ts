import type { CorrelatedAlert, NormalizedAlert } from '@tocsin/contracts';

// What the decisions of a batch name, and so has to be looked up for it.

const FIRING: ReadonlySet<string> = new Set(['opened', 'deduplicated', 'correlated', 'rolled-up', 'recorded']);

/** Alerts whose key matters to what becomes of them. */
export const firingAlerts = (items: readonly CorrelatedAlert[]): NormalizedAlert[] =>
  items.flatMap(({ alert, decision }) => (FIRING.has(decision.kind) ? [alert] : []));

/** Attached or recorded alerts that a decision is about. */
export const namedAlerts = ({ decision }: CorrelatedAlert): string[] =>
  'alertIds' in decision ? decision.alertIds : 'alertId' in decision ? [decision.alertId] : [];

/** Recorded alerts that a decision goes on with, or takes the key of. */
export const recordedAlerts = ({ decision }: CorrelatedAlert): string[] => {
  if (decision.kind === 'recorded') return decision.effect === 'recorded' ? [] : [decision.alertId];
  return 'supersedes' in decision && decision.supersedes !== undefined ? [decision.supersedes] : [];
};
