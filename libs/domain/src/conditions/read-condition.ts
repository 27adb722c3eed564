import { conditionOperators, type ConditionOperator } from '@tocsin/contracts';
import { leavesOf, type CompiledCondition, type CompiledGroup, type CompiledLeaf } from './compiled.ts';
import { fieldRef, type FieldRef } from './fields.ts';
import type { ConditionProblem, ConditionProblemCode } from './problems.ts';
import { readValue } from './read-value.ts';

/** Bounds of a document (product P10: nested ≤ 5). */
export const CONDITION_LIMITS = { depth: 5, items: 50, leaves: 200, name: 200 } as const;

export interface ReadOptions {
  /** Whether there is an incident to compare with: in rules, not in filters. */
  incident: boolean;
  /** What fields there are; absent = those of an alert. */
  fieldOf?: (name: string) => FieldRef;
}

export type ReadCondition =
  | { ok: true; condition: CompiledCondition; warnings: ConditionProblem[] }
  | { ok: false; problems: ConditionProblem[]; warnings: ConditionProblem[] };

/** Collects what is wrong while a document is read, so that people see all of it at once. */
export class Reading {
  readonly problems: ConditionProblem[] = [];
  readonly warnings: ConditionProblem[] = [];
  leaves = 0;

  constructor(readonly options: ReadOptions) {}

  refuse(path: string, code: ConditionProblemCode, message: string): undefined {
    this.problems.push({ path, code, message });
    return undefined;
  }

  warn(path: string, code: ConditionProblemCode, message: string): void {
    this.warnings.push({ path, code, message });
  }
}

/** Reads a condition as people type it, once; what comes out needs no further checks. Never throws. */
export function readCondition(document: unknown, options: ReadOptions = { incident: false }): ReadCondition {
  const reading = new Reading(options);
  const condition = readNode(document, '', 1, reading);
  const { problems, warnings } = reading;
  return condition && problems.length === 0 ? { ok: true, condition, warnings } : { ok: false, problems, warnings };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const at = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`);

function readNode(node: unknown, path: string, depth: number, reading: Reading): CompiledCondition | undefined {
  if (depth > CONDITION_LIMITS.depth)
    return reading.refuse(path, 'too-deep', `is nested deeper than ${CONDITION_LIMITS.depth} levels`);
  if (!isRecord(node)) return reading.refuse(path, 'not-a-condition', 'must be an object with "field" or "items"');
  return Object.hasOwn(node, 'items') ? readGroup(node, path, depth, reading) : readLeaf(node, path, reading);
}

function readGroup(
  node: Record<string, unknown>,
  path: string,
  depth: number,
  reading: Reading,
): CompiledGroup | undefined {
  const { operator, items } = node;
  onlyKeys(node, ['operator', 'items'], path, reading);
  if (operator !== 'and' && operator !== 'or')
    return reading.refuse(at(path, 'operator'), 'unknown-operator', 'must be "and" or "or" beside "items"');
  if (!Array.isArray(items))
    return reading.refuse(at(path, 'items'), 'not-a-condition', 'must be a list of conditions');
  if (items.length === 0) return reading.refuse(at(path, 'items'), 'empty-group', 'must hold at least one condition');
  if (items.length > CONDITION_LIMITS.items)
    return reading.refuse(
      at(path, 'items'),
      'too-many-items',
      `must hold at most ${CONDITION_LIMITS.items} conditions`,
    );
  const read = items.map((item, index) => readNode(item, `${at(path, 'items')}[${index}]`, depth + 1, reading));
  const known = read.filter((one) => one !== undefined);
  return { kind: operator, path, items: known, leaves: known.reduce((sum, one) => sum + leavesOf(one), 0) };
}

const isOperator = (value: unknown): value is ConditionOperator =>
  conditionOperators.some((operator) => operator === value);
const NEGATED: ReadonlySet<string> = new Set(['not_equals', 'not_contains', 'not_in']);

function readLeaf(node: Record<string, unknown>, path: string, reading: Reading): CompiledLeaf | undefined {
  const { field: name, operator, value } = node;
  onlyKeys(node, ['field', 'operator', 'value'], path, reading);
  if (++reading.leaves > CONDITION_LIMITS.leaves) {
    if (reading.leaves > CONDITION_LIMITS.leaves + 1) return undefined; // said once
    return reading.refuse(path, 'too-many-conditions', `has more than ${CONDITION_LIMITS.leaves} conditions in all`);
  }
  if (typeof name !== 'string' || name === '' || name.length > CONDITION_LIMITS.name)
    return reading.refuse(
      at(path, 'field'),
      'bad-field',
      `must name a field, in at most ${CONDITION_LIMITS.name} characters`,
    );
  if (!isOperator(operator))
    return reading.refuse(at(path, 'operator'), 'unknown-operator', `must be one of ${conditionOperators.join(', ')}`);
  const field = (reading.options.fieldOf ?? fieldRef)(name);
  if (field.root === null)
    reading.warn(at(path, 'field'), 'unknown-field', `there is no field ${JSON.stringify(name)}: it has no value`);
  const expected = readValue({ value, operator, field, path: at(path, 'value') }, reading);
  if (!expected) return undefined;
  const negated = NEGATED.has(operator) || (operator === 'exists' && value === false);
  return { kind: 'leaf', path, field, operator, expected, negated, value };
}

function onlyKeys(node: Record<string, unknown>, known: string[], path: string, reading: Reading): void {
  for (const key of Object.keys(node))
    if (!known.includes(key))
      reading.refuse(at(path, key.slice(0, 100)), 'unknown-key', `is not known here; there are ${known.join(', ')}`);
}
