import type { ConditionOperator } from '@tocsin/contracts';
import type { FieldRef } from './fields.ts';

/** What a leaf compares with. */
export type Expected =
  | { kind: 'nothing' }
  | { kind: 'texts'; texts: ReadonlySet<string> }
  | { kind: 'pattern'; matches: (text: string) => boolean; source: string }
  /** The incident's own value. */
  | { kind: 'incident'; field: FieldRef };

export interface CompiledLeaf {
  kind: 'leaf';
  /** Where it stands in the document, e.g. `items[1].items[0]`. */
  path: string;
  field: FieldRef;
  operator: ConditionOperator;
  expected: Expected;
  /** `not_…`, and `exists: false`: holds where its opposite does not. */
  negated: boolean;
  /** The value as it was typed. */
  value: unknown;
}

export interface CompiledGroup {
  kind: 'and' | 'or';
  path: string;
  items: CompiledCondition[];
  leaves: number;
}

export type CompiledCondition = CompiledLeaf | CompiledGroup;

export const leavesOf = (node: CompiledCondition): number => (node.kind === 'leaf' ? 1 : node.leaves);

/** Every leaf, in the order in which it was typed. */
export const allLeaves = (node: CompiledCondition): CompiledLeaf[] =>
  node.kind === 'leaf' ? [node] : node.items.flatMap(allLeaves);
