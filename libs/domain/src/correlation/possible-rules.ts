import {
  readField,
  tagForms,
  type CompiledCondition,
  type CompiledLeaf,
  type ConditionSubject,
  type FieldRef,
} from '../conditions/index.ts';
import type { CompiledRule } from './rules.ts';

/** The rules that an alert leaves possible, in the order in which they are tried. */
export type PossibleRules = (alert: ConditionSubject) => readonly CompiledRule[];

const BY_VALUE: ReadonlySet<string> = new Set(['equals', 'in', 'intersects']);
/** The rules that name a value of one field. */
interface Drawer {
  field: FieldRef;
  byValue: Map<string, number[]>;
}

/**
 * Most rules are about one service, team or source: they are filed under the values that they ask for, so that an alert meets those
 * that name a value of its own, and the few that name none, however many there are.
 */
export function possibleRules(rules: readonly CompiledRule[]): PossibleRules {
  const always: number[] = [];
  const filed = new Map<string, Drawer>();
  rules.forEach(({ condition }, index) => {
    const leaf = neededLeaf(condition);
    if (leaf?.expected.kind !== 'texts') return void always.push(index);
    let drawer = filed.get(leaf.field.name);
    if (!drawer) filed.set(leaf.field.name, (drawer = { field: leaf.field, byValue: new Map() }));
    for (const text of leaf.expected.texts) {
      const known = drawer.byValue.get(text);
      if (known) known.push(index);
      else drawer.byValue.set(text, [index]);
    }
  });
  if (filed.size === 0) return () => rules;
  const drawers = [...filed.values()];
  const common = always.map((index) => rules[index] as CompiledRule);
  return (alert) => {
    let found: Set<number> | undefined; // mostly an alert names nothing that rules ask for
    for (const { field, byValue } of drawers)
      for (const text of valuesOf(field, alert)) {
        const named = byValue.get(text);
        if (!named) continue;
        found ??= new Set();
        for (const index of named) found.add(index);
      }
    return found ? inOrder([...found], always).map((index) => rules[index] as CompiledRule) : common;
  };
}

/** Two lists of numbers that share none, as one in ascending order. */
function inOrder(found: number[], always: readonly number[]): number[] {
  if (found.length > 1) found.sort((a, b) => a - b);
  const order: number[] = [];
  let next = 0;
  for (const index of found) {
    while (next < always.length && (always[next] as number) < index) order.push(always[next++] as number);
    order.push(index);
  }
  while (next < always.length) order.push(always[next++] as number);
  return order;
}

const NO_TEXTS: readonly string[] = [];

function valuesOf(field: FieldRef, alert: ConditionSubject): readonly string[] {
  if (field.root === 'source' && alert.source === null) return NO_TEXTS;
  if (field.root === 'custom_fields' && field.path.length === 1) {
    const value = alert.customFields[field.path[0] as string];
    if (value === undefined) return NO_TEXTS;
  }
  const { texts } = readField(field, alert);
  return field.isTags ? tagForms(texts) : texts;
}

/** A condition on a value of the alert without which the rule cannot hold. */
function neededLeaf(condition: CompiledCondition): CompiledLeaf | undefined {
  if (condition.kind === 'leaf')
    return !condition.negated && condition.expected.kind === 'texts' && BY_VALUE.has(condition.operator)
      ? condition
      : undefined;
  if (condition.kind === 'or') return undefined;
  for (const item of condition.items) {
    const leaf = neededLeaf(item);
    // Severities are shared by too many alerts to tell rules apart.
    if (leaf && leaf.field.name !== 'severity') return leaf;
  }
  return undefined;
}
