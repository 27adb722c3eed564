import {
  holds,
  type CompiledCondition,
  type CompiledLeaf,
  type ConditionSubject,
  type IncidentSubject,
} from '../conditions/index.ts';
import { leafTest, type LeafTest } from './leaf-test.ts';

/** A rule's condition as the search asks it: what compares with constants is a numbered test, shared by all rules of the set. */
export type Plan =
  /** `alsoOfIncident`: it must hold for the candidate's own value as well. */
  | { kind: 'constant'; test: number; alsoOfIncident: boolean }
  | { kind: 'relation'; negated: boolean; relates(alert: ConditionSubject, incident: IncidentSubject): boolean }
  | { kind: 'and' | 'or'; items: readonly Plan[] };

/** The tests of a set of rules, each once, and what the alert that is asked about says to them: asked once, and only if needed. */
export class AlertTests {
  private readonly numbers = new Map<string, number>();
  private readonly tests: LeafTest[] = [];
  /** 0 = not asked yet, 1 = fails, 2 = holds. */
  private answers = new Uint8Array(0);
  private alert: ConditionSubject | undefined;

  numberOf(leaf: CompiledLeaf): number {
    const { field, operator, negated, value } = leaf;
    const name = JSON.stringify([field.name, operator, negated, value]);
    const known = this.numbers.get(name);
    if (known !== undefined) return known;
    this.numbers.set(name, this.tests.length);
    return this.tests.push(leafTest(leaf)) - 1;
  }

  /** From now on it is this alert. */
  ask(alert: ConditionSubject): void {
    this.alert = alert;
    if (this.answers.length === this.tests.length) this.answers.fill(0);
    else this.answers = new Uint8Array(this.tests.length);
  }

  holds(test: number): boolean {
    const known = this.answers[test];
    if (known) return known === 2;
    const is = (this.tests[test] as LeafTest)(this.alert as ConditionSubject);
    this.answers[test] = is ? 2 : 1;
    return is;
  }

  holdsOf = (test: number, incident: IncidentSubject): boolean => (this.tests[test] as LeafTest)(incident);
}

export function planOf(condition: CompiledCondition, appliesTo: 'both' | 'alert', tests: AlertTests): Plan {
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

// What follows is asked of every rule for every alert. It walks by index: iterators of recursive functions are made anew each time.

/** Whether it can hold for the alert with some incident. */
export function canHold(plan: Plan, tests: AlertTests): boolean {
  if (plan.kind === 'constant') return tests.holds(plan.test);
  if (plan.kind === 'relation') return true;
  const { items } = plan;
  const isAnd = plan.kind === 'and';
  for (let index = 0; index < items.length; index++) if (canHold(items[index] as Plan, tests) !== isAnd) return !isAnd;
  return isAnd;
}

/** How many of its conditions the alert meets by itself. */
export function metByAlert(plan: Plan, tests: AlertTests): number {
  if (plan.kind === 'constant') return tests.holds(plan.test) ? 1 : 0;
  if (plan.kind === 'relation') return 1;
  let met = 0;
  const { items } = plan;
  for (let index = 0; index < items.length; index++) met += metByAlert(items[index] as Plan, tests);
  return met;
}

/** The alert with one candidate; null where there is none to compare with. */
export interface Pair {
  alert: ConditionSubject;
  incident: IncidentSubject | null;
  tests: AlertTests;
}

function leafHolds(plan: Extract<Plan, { kind: 'constant' | 'relation' }>, { alert, incident, tests }: Pair): boolean {
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
