import {
  couldHold,
  evaluate,
  holds,
  shareOf,
  shareOfAlert,
  type Asked,
  type Explanation,
  type IncidentSubject,
} from '../conditions/index.ts';
import type { Case } from './correlate.ts';
import type { CompiledRule, CompiledRules } from './rules.ts';
import { byActivity, type KnownIncident } from './state.ts';
import { neighboursOf } from './subject.ts';

/** Candidates that one rule looks at, the most recently active first. */
const CANDIDATES_MAX = 100;
/** Of the rules that do not match so many are compared, and so many of the nearest explained. */
const COMPARED_MAX = 20;
const EXPLAINED_MAX = 3;

interface Found {
  incident: KnownIncident;
  rules: CompiledRule[];
  weight: number;
}

/**
 * The open incident that a rule names, the webhook's rules first, then those of the workspace. Records one step per set of
 * rules, with what matched, or the nearest miss and the condition that failed. Source: product P10.
 */
export function findByRule(one: Case): KnownIncident | undefined {
  if (!one.config.correlation.enabled) return undefined; // the time window says so
  for (const rules of one.config.rules ?? []) {
    const possible = rules.possible(one.subject);
    const found = rules.strategy === 'first' ? firstMatch(one, rules, possible) : bestSum(one, rules, possible);
    const nearest = nearestMiss(one, { set: rules, possible }, found);
    if (found) {
      one.trail.hit('rule', { ...about(rules), ...matchOf(one, found), ...nearest });
      return found.incident;
    }
    one.trail.miss('rule', 'no-rule-matched', { ...about(rules), ...nearest });
  }
  return undefined;
}

const about = ({ of, strategy, minMatchWeight, rules }: CompiledRules) => ({
  rulesOf: of,
  strategy,
  minMatchWeight,
  rulesTried: rules.length,
});

function askedOf(one: Case, rule: CompiledRule, incident?: KnownIncident): Asked {
  const { subject: alert, config } = one;
  const { appliesTo } = rule;
  if (!incident?.facets) return { alert, appliesTo };
  const { facets, services } = incident;
  if (!config.topology) return { alert, appliesTo, incident: subjectOfIncident(incident, facets) };
  // Worked out only where a condition asks for it.
  const near = {
    get neighbours() {
      return neighboursOf(services, config.topology);
    },
  };
  return { alert, appliesTo, incident: Object.assign(near, facets, { services }) };
}

const subjects = new WeakMap<KnownIncident, IncidentSubject>();

/** Made once for all rules and alerts that ask about it. */
function subjectOfIncident(incident: KnownIncident, facets: NonNullable<KnownIncident['facets']>): IncidentSubject {
  const known = subjects.get(incident);
  if (known) return known;
  const subject = { ...facets, services: incident.services };
  subjects.set(incident, subject);
  return subject;
}

/** Open incidents that the rule's lookup finds, the most recently active first. */
function candidatesOf(one: Case, { maxAgeMs }: CompiledRules, rule: CompiledRule): KnownIncident[] {
  const since = maxAgeMs === null ? -Infinity : one.receivedAt - maxAgeMs;
  const terms = rule.termsFor(one.subject);
  const found = new Map<string, KnownIncident>();
  for (const term of terms) {
    let taken = 0;
    for (const incident of one.state.openUnder(one.alert.scope, term, since)) {
      if (++taken > CANDIDATES_MAX) break;
      if (incident.facets) found.set(incident.incidentId, incident);
    }
  }
  const list = [...found.values()];
  return terms.length > 1 ? list.sort((a, b) => byActivity(b, a)).slice(0, CANDIDATES_MAX) : list;
}

function firstMatch(one: Case, rules: CompiledRules, possible: readonly CompiledRule[]): Found | undefined {
  for (const rule of possible) {
    if (rule.weight < rules.minMatchWeight || !couldHold(rule.condition, one.subject)) continue;
    const incident = candidatesOf(one, rules, rule).find((candidate) =>
      holds(rule.condition, askedOf(one, rule, candidate)),
    );
    if (incident) return { incident, rules: [rule], weight: rule.weight };
  }
  return undefined;
}

function bestSum(one: Case, rules: CompiledRules, possible: readonly CompiledRule[]): Found | undefined {
  const sums = new Map<string, Found>();
  for (const rule of possible.filter(({ condition }) => couldHold(condition, one.subject)))
    for (const incident of candidatesOf(one, rules, rule)) {
      if (!holds(rule.condition, askedOf(one, rule, incident))) continue;
      const sum = sums.get(incident.incidentId) ?? { incident, rules: [], weight: 0 };
      sums.set(incident.incidentId, { incident, rules: [...sum.rules, rule], weight: sum.weight + rule.weight });
    }
  const enough = [...sums.values()].filter(({ weight }) => weight >= rules.minMatchWeight);
  return enough.sort((a, b) => b.weight - a.weight || byActivity(b.incident, a.incident))[0];
}

function matchOf(one: Case, { incident, rules, weight }: Found): Record<string, unknown> {
  const matched = rules.map((rule) => ({
    rule: rule.name,
    weight: rule.weight,
    conditions: evaluate(rule.condition, askedOf(one, rule, incident)).decided,
  }));
  return { rule: rules[0]?.name, weight, incidentId: incident.incidentId, matched };
}

/**
 * Of the rules that were tried before the hit (all where there is none), the one of which the alert meets most; where several do, the one
 * that holds most with its most recent candidate. A rule that names no value of the alert is near only where no other is.
 */
function nearestMiss(
  one: Case,
  { set, possible }: { set: CompiledRules; possible: readonly CompiledRule[] },
  found: Found | undefined,
): { nearest?: Record<string, unknown> } {
  let nearest: { rule: CompiledRule; incident: KnownIncident | undefined; explained: Explanation } | undefined;
  for (const rule of missed(one, set, possible.length > 0 ? possible : set.rules, found)) {
    const [incident] = candidatesOf(one, set, rule);
    const explained = evaluate(rule.condition, askedOf(one, rule, incident));
    if (!nearest || shareOf(explained) > shareOf(nearest.explained)) nearest = { rule, incident, explained };
  }
  if (!nearest) return {};
  const { rule, incident, explained } = nearest;
  const { held, conditions, decided } = explained;
  const failed = explained.holds ? { weightBelowMinimum: rule.weight } : { failed: decided };
  return {
    nearest: {
      rule: rule.name,
      weight: rule.weight,
      incidentId: incident?.incidentId ?? null,
      held,
      of: conditions,
      ...failed,
    },
  };
}

/** Rules that did not match, of which the alert itself meets most. */
function missed(
  one: Case,
  { strategy }: CompiledRules,
  rules: readonly CompiledRule[],
  found: Found | undefined,
): CompiledRule[] {
  let best: CompiledRule[] = [];
  let share = -1;
  for (const rule of rules.slice(0, COMPARED_MAX)) {
    if (found?.rules.includes(rule)) {
      if (strategy === 'first') break;
      continue;
    }
    const met = shareOfAlert(rule.condition, one.subject);
    if (met > share) [best, share] = [[rule], met];
    else if (met === share && best.length < EXPLAINED_MAX) best.push(rule);
  }
  return best;
}
