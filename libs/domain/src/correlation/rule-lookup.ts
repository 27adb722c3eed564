import type { CorrelationRule } from '@tocsin/contracts';
import {
  readField,
  tagForms,
  type CompiledCondition,
  type CompiledLeaf,
  type ConditionSubject,
  type FieldRef,
} from '../conditions/index.ts';
import { ANY_TERM, serviceTerm, tagTerm, valueTerm } from './facets.ts';

type AppliesTo = CorrelationRule['appliesTo'];
/** Index terms of the incidents that can fit this alert. */
export type TermsFor = (alert: ConditionSubject) => readonly string[];

/** How the index finds the incidents that may fit; the same name = the same terms for every alert. */
export interface RuleLookup {
  name: string;
  termsFor: TermsFor;
}

const INDEXED: ReadonlySet<string> = new Set(['equals', 'in', 'intersects']);
const ANY = [ANY_TERM];
const everything: RuleLookup = { name: 'everything', termsFor: () => ANY };

/** Whether a condition names no value by which incidents can be looked up: then only the most recently active are looked at. */
export const looksEverywhere = (condition: CompiledCondition, appliesTo: AppliesTo): boolean =>
  lookupOf(condition, appliesTo) === everything;

/** One indexed condition that must hold is enough to find the candidates; of several, one with the incident's own value. */
export function lookupOf(node: CompiledCondition, appliesTo: AppliesTo): RuleLookup {
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
      const termsFor: TermsFor = (alert) => [...new Set(branches.flatMap((branch) => branch.termsFor(alert)))];
      return { name: JSON.stringify(branches.map(({ name }) => name)), termsFor };
    }
    default:
      return node satisfies never;
  }
}

function leafLookup(
  { field, operator, expected, negated }: CompiledLeaf,
  appliesTo: AppliesTo,
): RuleLookup | undefined {
  if (negated || !INDEXED.has(operator)) return undefined;
  if (expected.kind === 'incident') return relatingLookup(field, expected.field);
  if (expected.kind !== 'texts' || appliesTo === 'alert') return undefined;
  const termOf = termOfField(field);
  if (!termOf) return undefined;
  const terms = [...expected.texts].map(termOf);
  return { name: JSON.stringify({ terms }), termsFor: () => terms };
}

/** The alert's own values, as the incident's field lists them. */
function relatingLookup(field: FieldRef, its: FieldRef): RuleLookup | undefined {
  const name = JSON.stringify({ field: field.name, its: its.name });
  // Being next to each other has no direction: what is next to one of its services has one of its services next to it.
  if (its.root === 'service.neighbours')
    return isService(field) ? { name, termsFor: ({ neighbours }) => (neighbours ?? []).map(serviceTerm) } : undefined;
  const termOf = termOfField(its);
  // Vocabulary words are compared without case on both sides: their index would have to be, too.
  // Tags against another field: its values are compared without their keys, too, but are not listed so.
  if (!termOf || field.ignoresCase || (field.isTags && !its.isTags)) return undefined;
  const { isTags } = its;
  const termsFor: TermsFor = (alert) => {
    const { texts } = readField(field, alert);
    const [only] = texts;
    if (!isTags && only !== undefined && texts.length === 1) return [termOf(only)];
    return [...new Set((isTags ? tagForms(texts) : texts).map(termOf))];
  };
  return { name, termsFor };
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
