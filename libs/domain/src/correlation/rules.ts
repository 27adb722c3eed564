import type { CorrelationRule, CorrelationRules } from '@tocsin/contracts';
import {
  readCondition,
  readField,
  tagForms,
  type CompiledCondition,
  type CompiledLeaf,
  type ConditionSubject,
  type FieldRef,
} from '../conditions/index.ts';
import { ANY_TERM, serviceTerm, tagTerm, valueTerm } from './facets.ts';
import { HOUR_MS } from './moments.ts';
import { possibleRules, type PossibleRules } from './possible-rules.ts';

/** A rule, compiled: its condition, and how the index finds the incidents that may fit. */
export interface CompiledRule extends Pick<CorrelationRule, 'name' | 'priority' | 'weight' | 'appliesTo'> {
  condition: CompiledCondition;
  /** Index terms of the incidents that can fit this alert. `ANY_TERM` where no condition names a value to look up. */
  termsFor(alert: ConditionSubject): string[];
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
  const rules = document.rules
    .filter(({ enabled }) => enabled)
    .flatMap(({ name, priority, weight, appliesTo, conditions }): CompiledRule[] => {
      const read = readCondition(conditions, { incident: true });
      if (!read.ok) return [];
      const { condition } = read;
      return [{ name, priority, weight, appliesTo, condition, termsFor: lookupOf(condition, appliesTo) }];
    });
  if (rules.length === 0) return null;
  const direction = document.priorityOrder === 'desc' ? -1 : 1;
  rules.sort((a, b) => direction * (a.priority - b.priority)); // stable: as typed where the priority is the same
  const { strategy, minMatchWeight, candidateMaxAgeHours } = document;
  const maxAgeMs = candidateMaxAgeHours === 0 ? null : candidateMaxAgeHours * HOUR_MS;
  return { of, strategy, minMatchWeight, maxAgeMs, rules, possible: possibleRules(rules) };
}

type TermsFor = CompiledRule['termsFor'];
const INDEXED: ReadonlySet<string> = new Set(['equals', 'in', 'intersects']);
const everything: TermsFor = () => [ANY_TERM];

/** Whether a condition names no value by which incidents can be looked up: then only the most recently active are looked at. */
export const looksEverywhere = (condition: CompiledCondition, appliesTo: CorrelationRule['appliesTo']): boolean =>
  lookupOf(condition, appliesTo) === everything;

/** One indexed condition that must hold is enough to find the candidates; of several, one with the incident's own value. */
function lookupOf(node: CompiledCondition, appliesTo: CorrelationRule['appliesTo']): TermsFor {
  switch (node.kind) {
    case 'leaf':
      return leafLookup(node, appliesTo) ?? everything;
    case 'and': {
      const relating = node.items.filter((item) => item.kind === 'leaf' && item.expected.kind === 'incident');
      const others = node.items.filter((item) => !relating.includes(item));
      return (
        [...relating, ...others].map((item) => lookupOf(item, appliesTo)).find((one) => one !== everything) ??
        everything
      );
    }
    case 'or': {
      const branches = node.items.map((item) => lookupOf(item, appliesTo));
      if (branches.includes(everything)) return everything;
      return (alert) => [...new Set(branches.flatMap((termsFor) => termsFor(alert)))];
    }
    default:
      return node satisfies never;
  }
}

function leafLookup({ field, operator, expected, negated }: CompiledLeaf, appliesTo: string): TermsFor | undefined {
  if (negated || !INDEXED.has(operator)) return undefined;
  if (expected.kind === 'incident') {
    // Being next to each other has no direction: what is next to one of its services has one of its services next to it.
    if (expected.field.root === 'service.neighbours')
      return isService(field) ? ({ neighbours }) => (neighbours ?? []).map(serviceTerm) : undefined;
    const termOf = termOfField(expected.field);
    // Vocabulary words are compared without case on both sides: their index would have to be, too.
    // Tags against another field: its values are compared without their keys, too, but are not listed so.
    if (!termOf || field.ignoresCase || (field.isTags && !expected.field.isTags)) return undefined;
    const { isTags } = expected.field;
    return (alert) => {
      const { texts } = readField(field, alert);
      return [...new Set((isTags ? tagForms(texts) : texts).map(termOf))];
    };
  }
  if (expected.kind !== 'texts' || appliesTo === 'alert') return undefined;
  const termOf = termOfField(field);
  if (!termOf) return undefined;
  const terms = [...expected.texts].map(termOf);
  return () => terms;
}

const isService = ({ root }: FieldRef): boolean => root === 'service' || root === 'services';

/** How the index names values of a field; undefined for fields with few values, by which nothing is found quickly. */
function termOfField(field: FieldRef): ((value: string) => string) | undefined {
  const { root, name, path } = field;
  if (isService(field)) return serviceTerm;
  if (root === 'tags') return tagTerm;
  if (root === 'title' || root === 'source') return (value) => valueTerm(name, value);
  return root === 'custom_fields' && path.length === 1 ? (value) => valueTerm(name, value) : undefined;
}
