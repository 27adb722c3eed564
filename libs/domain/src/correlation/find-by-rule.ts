import { explain } from '../conditions/index.ts';
import type { Case } from './correlate.ts';
import { RuleSearch } from './rule-search.ts';
import type { CompiledRule, CompiledRules } from './rules.ts';
import { byActivity, type KnownIncident } from './state.ts';

/** Of the rules that do not match so many are compared, and so many of the nearest looked at with their candidates. */
const COMPARED_MAX = 20;
const NEAREST_MAX = 3;

interface Found {
  incident: KnownIncident;
  rules: CompiledRule[];
  weight: number;
}

/** One set of rules, with those of them that the alert's own values leave possible. */
interface Tried {
  set: CompiledRules;
  possible: readonly CompiledRule[];
}

/**
 * The open incident that a rule names, the webhook's rules first, then those of the workspace. Records one step per set of
 * rules, with what matched, or the nearest miss and the condition that failed. Source: product P10.
 */
export function findByRule(one: Case): KnownIncident | undefined {
  if (!one.config.correlation.enabled) return undefined; // the time window says so
  for (const set of one.config.rules ?? []) {
    const tried = { set, possible: set.possible(one.subject) };
    const search = new RuleSearch(one, set);
    const found = set.strategy === 'first' ? firstMatch(search, tried) : bestSum(search, tried);
    const nearest = nearestMiss(search, tried, found);
    const { of: rulesOf, strategy, minMatchWeight, rules } = set;
    const rulesTried = rules.length;
    if (found) {
      const { rule, weight, incidentId, matched } = matchOf(search, found);
      const match = { rulesOf, strategy, minMatchWeight, rulesTried, rule, weight, incidentId, matched };
      one.trail.hit('rule', nearest ? { ...match, nearest } : match);
      return found.incident;
    }
    const about = nearest
      ? { rulesOf, strategy, minMatchWeight, rulesTried, nearest }
      : { rulesOf, strategy, minMatchWeight, rulesTried };
    one.trail.miss('rule', 'no-rule-matched', about);
  }
  return undefined;
}

function firstMatch(search: RuleSearch, { set, possible }: Tried): Found | undefined {
  for (const rule of possible) {
    if (rule.weight < set.minMatchWeight || !search.canHold(rule)) continue;
    for (const incident of search.candidatesOf(rule))
      if (search.holds(rule, incident)) return { incident, rules: [rule], weight: rule.weight };
  }
  return undefined;
}

function bestSum(search: RuleSearch, { set, possible }: Tried): Found | undefined {
  const sums = new Map<string, Found>();
  for (const rule of possible) {
    if (!search.canHold(rule)) continue;
    for (const incident of search.candidatesOf(rule)) {
      if (!search.holds(rule, incident)) continue;
      const sum = sums.get(incident.incidentId) ?? { incident, rules: [], weight: 0 };
      sums.set(incident.incidentId, { incident, rules: [...sum.rules, rule], weight: sum.weight + rule.weight });
    }
  }
  const enough = [...sums.values()].filter(({ weight }) => weight >= set.minMatchWeight);
  return enough.sort((a, b) => b.weight - a.weight || byActivity(b.incident, a.incident))[0];
}

function matchOf(search: RuleSearch, { incident, rules, weight }: Found) {
  const matched = rules.map((rule) => ({
    rule: rule.name,
    weight: rule.weight,
    conditions: explain(rule.condition, search.asked(rule, incident)).decided,
  }));
  return { rule: rules[0]?.name, weight, incidentId: incident.incidentId, matched };
}

/**
 * Of the rules that were tried before the hit (all where there is none), the one of which the alert meets most; where several do, the one
 * that holds most with its most recent candidate. A rule that names no value of the alert is near only where no other is.
 */
function nearestMiss(search: RuleSearch, tried: Tried, found: Found | undefined): Record<string, unknown> | undefined {
  let nearest: { rule: CompiledRule; incident: KnownIncident | undefined } | undefined;
  let held = 0;
  for (const rule of missed(search, tried, found)) {
    const incident = search.candidatesOf(rule)[0];
    const holding = search.heldOf(rule, incident);
    if (nearest && holding / rule.leaves <= held / nearest.rule.leaves) continue;
    nearest = { rule, incident };
    held = holding;
  }
  if (!nearest) return undefined;
  const { rule, incident } = nearest;
  const { decided, holds } = explain(rule.condition, search.asked(rule, incident));
  const { name, weight, leaves } = rule;
  const incidentId = incident?.incidentId ?? null;
  if (holds) return { rule: name, weight, incidentId, held, of: leaves, weightBelowMinimum: weight };
  return { rule: name, weight, incidentId, held, of: leaves, failed: decided };
}

/** Rules that did not match, of which the alert itself meets most. */
function missed(search: RuleSearch, { set, possible }: Tried, found: Found | undefined): CompiledRule[] {
  const rules = possible.length > 0 ? possible : set.rules;
  const best: CompiledRule[] = [];
  let share = -1;
  for (let index = 0; index < Math.min(rules.length, COMPARED_MAX); index++) {
    const rule = rules[index] as CompiledRule;
    if (found?.rules.includes(rule)) {
      if (set.strategy === 'first') break;
      continue;
    }
    const met = search.shareOfAlert(rule);
    if (met > share) {
      best.length = 0;
      share = met;
    }
    if (met === share && best.length < NEAREST_MAX) best.push(rule);
  }
  return best;
}
