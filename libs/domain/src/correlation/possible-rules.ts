import {
  readField,
  tagForms,
  type CompiledCondition,
  type CompiledLeaf,
  type ConditionSubject,
} from '../conditions/index.ts';
import type { CompiledRule } from './rules.ts';

/** The rules that an alert leaves possible, in the order in which they are tried. */
export type PossibleRules = (alert: ConditionSubject) => readonly CompiledRule[];

const BY_VALUE: ReadonlySet<string> = new Set(['equals', 'in', 'intersects']);

/**
 * Most rules are about one service, team or source: they are filed under the values that they ask for, so that an alert meets those
 * that name a value of its own, and the few that name none, however many there are.
 */
export function possibleRules(rules: readonly CompiledRule[]): PossibleRules {
  const always: number[] = [];
  const filed = new Map<string, { leaf: CompiledLeaf; byValue: Map<string, number[]> }>();
  rules.forEach(({ condition }, index) => {
    const leaf = neededLeaf(condition);
    if (leaf?.expected.kind !== 'texts') return void always.push(index);
    let entry = filed.get(leaf.field.name);
    if (!entry) filed.set(leaf.field.name, (entry = { leaf, byValue: new Map() }));
    for (const text of leaf.expected.texts) {
      const known = entry.byValue.get(text);
      if (known) known.push(index);
      else entry.byValue.set(text, [index]);
    }
  });
  if (filed.size === 0) return () => rules;
  return (alert) => {
    const found = new Set(always);
    for (const { leaf, byValue } of filed.values()) {
      const { texts } = readField(leaf.field, alert);
      for (const text of leaf.field.isTags ? tagForms(texts) : texts)
        for (const index of byValue.get(text) ?? []) found.add(index);
    }
    const order = found.size === always.length ? always : [...found].sort((a, b) => a - b);
    return order.map((index) => rules[index] as CompiledRule);
  };
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
