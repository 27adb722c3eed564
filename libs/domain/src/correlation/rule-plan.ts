import {
  holds,
  type CompiledCondition,
  type CompiledLeaf,
  type ConditionSubject,
  type IncidentSubject,
} from '../conditions/index.ts';
import type { AlertTests } from './alert-tests.ts';

/** A rule's condition as the search asks it: what compares with constants is a numbered test, shared by all rules of the set. */
export type Plan =
  /** `alsoOfIncident`: it must hold for the candidate's own value as well. */
  | { kind: 'constant'; test: number; alsoOfIncident: boolean }
  | { kind: 'relation'; negated: boolean; relates(alert: ConditionSubject, incident: IncidentSubject): boolean }
  | { kind: 'and' | 'or'; items: readonly Plan[] };

function planOf(condition: CompiledCondition, appliesTo: 'both' | 'alert', tests: AlertTests): Plan {
  if (condition.kind !== 'leaf')
    return { kind: condition.kind, items: condition.items.map((item) => planOf(item, appliesTo, tests)) };
  const { field, negated, expected } = condition;
  if (expected.kind === 'incident') return { kind: 'relation', negated, relates: relationOf(condition) };
  return {
    kind: 'constant',
    test: tests.numberOf(condition),
    alsoOfIncident: appliesTo === 'both' && field.ofIncidents,
  };
}

const SHARES: ReadonlySet<string> = new Set(['equals', 'in', 'intersects']);
const isServices = (root: unknown): boolean => root === 'service' || root === 'services';

function relationOf(leaf: CompiledLeaf): Extract<Plan, { kind: 'relation' }>['relates'] {
  const { expected, field, operator, negated } = leaf;
  const plain =
    expected.kind === 'incident' && isServices(field.root) && isServices(expected.field.root) && SHARES.has(operator);
  if (!plain || negated) return (alert, incident) => holds(leaf, { alert, incident });
  return (alert, { services }) => alert.services.some((service) => service !== '' && services.includes(service));
}

/** What a rule asks, laid out so that most rules are asked without looking at their condition. */
export interface RulePlan {
  condition: Plan;
  /** The tests of all its constants. */
  tests: readonly number[];
  /** How many of its conditions compare with an incident. */
  relations: number;
  /** All of them must hold. */
  isConjunction: boolean;
}

export function rulePlanOf(condition: CompiledCondition, appliesTo: 'both' | 'alert', tests: AlertTests): RulePlan {
  const plan = planOf(condition, appliesTo, tests);
  const leaves = leavesOf(plan);
  const constants = leaves.flatMap((leaf) => (leaf.kind === 'constant' ? [leaf.test] : []));
  const relations = leaves.length - constants.length;
  return { condition: plan, tests: constants, relations, isConjunction: isConjunction(plan) };
}

type LeafPlan = Extract<Plan, { kind: 'constant' | 'relation' }>;
const leavesOf = (plan: Plan): LeafPlan[] =>
  plan.kind === 'constant' || plan.kind === 'relation' ? [plan] : plan.items.flatMap(leavesOf);
const isConjunction = (plan: Plan): boolean =>
  plan.kind === 'constant' || plan.kind === 'relation' || (plan.kind === 'and' && plan.items.every(isConjunction));

// What follows is asked of every rule for every alert. It walks by index: iterators of recursive functions are made anew each time.

/** Whether it can hold for the alert with some incident. */
export function canHold({ condition, tests, isConjunction }: RulePlan, asked: AlertTests): boolean {
  if (!isConjunction) return couldHold(condition, asked);
  for (let index = 0; index < tests.length; index++) if (!asked.holds(tests[index] as number)) return false;
  return true;
}

function couldHold(plan: Plan, tests: AlertTests): boolean {
  if (plan.kind === 'constant') return tests.holds(plan.test);
  if (plan.kind === 'relation') return true;
  const { items } = plan;
  const isAnd = plan.kind === 'and';
  for (let index = 0; index < items.length; index++)
    if (couldHold(items[index] as Plan, tests) !== isAnd) return !isAnd;
  return isAnd;
}

/** How many of its conditions the alert meets by itself. */
export function metByAlert({ tests, relations }: RulePlan, asked: AlertTests): number {
  let met = relations;
  for (let index = 0; index < tests.length; index++) if (asked.holds(tests[index] as number)) met += 1;
  return met;
}

/** The alert with one candidate; null where there is none to compare with. */
export interface Pair {
  alert: ConditionSubject;
  incident: IncidentSubject | null;
  tests: AlertTests;
}

function leafHolds(plan: LeafPlan, { alert, incident, tests }: Pair): boolean {
  if (plan.kind === 'relation') return incident ? plan.relates(alert, incident) : plan.negated;
  return tests.holds(plan.test) && (!plan.alsoOfIncident || incident === null || tests.holdsOf(plan.test, incident));
}

/** Whether it holds for the pair. */
export function holdsFor(plan: Plan, pair: Pair): boolean {
  if (plan.kind === 'constant' || plan.kind === 'relation') return leafHolds(plan, pair);
  const { items } = plan;
  const isAnd = plan.kind === 'and';
  for (let index = 0; index < items.length; index++) if (holdsFor(items[index] as Plan, pair) !== isAnd) return !isAnd;
  return isAnd;
}

/** How many of its conditions hold for the pair. */
export function heldFor(plan: Plan, pair: Pair): number {
  if (plan.kind === 'constant' || plan.kind === 'relation') return leafHolds(plan, pair) ? 1 : 0;
  let held = 0;
  const { items } = plan;
  for (let index = 0; index < items.length; index++) held += heldFor(items[index] as Plan, pair);
  return held;
}
