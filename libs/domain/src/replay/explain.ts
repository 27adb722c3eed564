import type { Why } from '@tocsin/contracts';

/** A "why" in few words: what decided, and of rules the one that was nearest to it. */
export interface Explained {
  reason: string;
  /** The rule that decided. */
  rule: string | null;
  rulesOf: string | null;
  /** What it looked at, or what the time window shared. */
  matched: unknown;
  nearest: NearestMiss | null;
}

export interface NearestMiss {
  rule: string;
  incidentId: string | null;
  held: number;
  of: number;
  failed: unknown;
}

/** What of a decision a person asks first. */
export function explain({ reason, tried }: Why): Explained {
  const hit = tried.findLast(({ result, step }) => result === 'hit' && step !== 'open');
  const ruleHit = hit?.step === 'rule' ? hit.evidence : undefined;
  const nearest = tried.findLast(({ step, evidence }) => step === 'rule' && evidence?.['nearest'] !== undefined);
  return {
    reason,
    rule: textOf(ruleHit?.['rule']),
    rulesOf: textOf(ruleHit?.['rulesOf']),
    matched: ruleHit?.['matched'] ?? (hit?.step === 'time-window' ? hit.evidence : null) ?? null,
    nearest: nearestOf(nearest?.evidence?.['nearest']),
  };
}

const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);

function nearestOf(value: unknown): NearestMiss | null {
  if (typeof value !== 'object' || value === null) return null;
  const { rule, incidentId, held, of, failed, weightBelowMinimum } = value as Record<string, unknown>;
  return {
    rule: textOf(rule) ?? '',
    incidentId: textOf(incidentId),
    held: Number(held),
    of: Number(of),
    failed: failed ?? { weight_below_minimum: weightBelowMinimum },
  };
}
