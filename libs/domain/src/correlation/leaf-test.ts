import { couldHold, type CompiledLeaf, type ConditionSubject, type IncidentSubject } from '../conditions/index.ts';
import { SCANNED_LENGTH_MIN } from './word-scan.ts';

/** Whether a condition on a constant holds for an alert, or for an incident by its own values. */
export type LeafTest = (subject: ConditionSubject | IncidentSubject) => boolean;

type Compares = (text: string) => boolean;
export type TextField = 'title' | 'description' | 'source' | 'url' | 'severity' | 'kind' | 'connector' | 'status';
const TEXT_FIELDS: ReadonlySet<unknown> = new Set<TextField>([
  'title',
  'description',
  'source',
  'url',
  'severity',
  'kind',
  'connector',
  'status',
]);
/** Longer lists are read as conditions read them, which has bounds. */
const PLAIN_LIST_MAX = 1_000;

/**
 * The test of one leaf, compiled: fields with one text and services are compared where they are, everything else is asked as
 * conditions are. Says the same as `couldHold`.
 */
export function leafTest(leaf: CompiledLeaf): LeafTest {
  const { field, negated } = leaf;
  const asked: LeafTest = (subject) => couldHold(leaf, subject as ConditionSubject);
  const compares = comparesOf(leaf);
  if (!compares) return asked;
  if (TEXT_FIELDS.has(field.root)) {
    const name = field.root as TextField;
    const { ignoresCase } = field;
    return (subject) => {
      const text: unknown = (subject as ConditionSubject)[name];
      if (typeof text !== 'string' || text === '') return negated;
      return compares(ignoresCase ? text.toLowerCase() : text) !== negated;
    };
  }
  if (field.root !== 'service' && field.root !== 'services') return asked;
  return (subject) => {
    const { services } = subject;
    if (services.length > PLAIN_LIST_MAX) return asked(subject);
    for (const service of services) if (service !== '' && compares(service)) return !negated;
    return negated;
  };
}

/** The one word that a leaf looks for in a field with one text, where all such leaves can be asked together. */
export function wordOf({ field, operator, expected }: CompiledLeaf): { field: TextField; text: string } | undefined {
  if (operator !== 'contains' || expected.kind !== 'texts' || expected.texts.size !== 1) return undefined;
  if (!TEXT_FIELDS.has(field.root) || field.ignoresCase) return undefined;
  const [text = ''] = expected.texts;
  return text.length < SCANNED_LENGTH_MIN ? undefined : { field: field.root as TextField, text };
}

/** The positive comparison with constant texts; undefined where a leaf compares with something else. */
function comparesOf({ operator, expected, field }: CompiledLeaf): Compares | undefined {
  if (expected.kind !== 'texts' || field.isTags) return undefined;
  const { texts } = expected;
  const [only] = texts;
  const parts = [...texts];
  switch (operator) {
    case 'contains':
    case 'not_contains':
      if (texts.size === 1 && only !== undefined) return (text) => text.includes(only);
      return (text) => parts.some((part) => text.includes(part));
    case 'starts_with':
      return (text) => parts.some((part) => text.startsWith(part));
    case 'ends_with':
      return (text) => parts.some((part) => text.endsWith(part));
    default:
      return (text) => texts.has(text);
  }
}
