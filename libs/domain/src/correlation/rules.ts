import type { CorrelationRule, CorrelationRules } from '@tocsin/contracts';
import { allLeaves, readCondition, type CompiledCondition } from '../conditions/index.ts';
import { AlertTests } from './alert-tests.ts';
import { HOUR_MS } from './moments.ts';
import { possibleRules, type PossibleRules } from './possible-rules.ts';
import { lookupOf, type RuleLookup, type TermsFor } from './rule-lookup.ts';
import { rulePlanOf, type RulePlan } from './rule-plan.ts';

/** A rule, compiled: its condition, and how the index finds the incidents that may fit. */
export interface CompiledRule extends Pick<CorrelationRule, 'name' | 'priority' | 'weight' | 'appliesTo'> {
  condition: CompiledCondition;
  /** The condition as the search asks it. */
  plan: RulePlan;
  /** How many conditions it has in all. */
  leaves: number;
  /** `ANY_TERM` where no condition names a value to look up. Rules that look under the same values share it. */
  termsFor: TermsFor;
}

export interface CompiledRules extends Pick<CorrelationRules, 'strategy' | 'minMatchWeight'> {
  /** Whose rules these are. */
  of: 'webhook' | 'workspace';
  /** Null = incidents of any age. */
  maxAgeMs: number | null;
  /** In the order in which they are tried. */
  rules: CompiledRule[];
  /** Those of them that an alert's own values leave possible. */
  possible: PossibleRules;
  /** What they ask of an alert by itself. */
  tests: AlertTests;
}

/**
 * Compiles rules once per configuration revision. Documents were checked when they were saved; a rule that cannot be read
 * all the same is left out: it correlates nothing.
 */
export function compileRules(
  document: CorrelationRules | null | undefined,
  of: CompiledRules['of'],
): CompiledRules | null {
  if (!document?.enabled) return null;
  const tests = new AlertTests();
  const lookups = new Map<string, TermsFor>();
  const rules = document.rules
    .filter(({ enabled }) => enabled)
    .flatMap(({ name, priority, weight, appliesTo, conditions }): CompiledRule[] => {
      const read = readCondition(conditions, { incident: true });
      if (!read.ok) return [];
      const { condition } = read;
      const plan = rulePlanOf(condition, appliesTo, tests);
      const termsFor = shared(lookups, lookupOf(condition, appliesTo));
      return [{ name, priority, weight, appliesTo, condition, plan, leaves: allLeaves(condition).length, termsFor }];
    });
  if (rules.length === 0) return null;
  const direction = document.priorityOrder === 'desc' ? -1 : 1;
  rules.sort((a, b) => direction * (a.priority - b.priority)); // stable: as typed where the priority is the same
  const { strategy, minMatchWeight, candidateMaxAgeHours } = document;
  const maxAgeMs = candidateMaxAgeHours === 0 ? null : candidateMaxAgeHours * HOUR_MS;
  return { of, strategy, minMatchWeight, maxAgeMs, rules, possible: possibleRules(rules), tests };
}

function shared(lookups: Map<string, TermsFor>, { name, termsFor }: RuleLookup): TermsFor {
  const known = lookups.get(name);
  if (known) return known;
  lookups.set(name, termsFor);
  return termsFor;
}
