import { isObject } from '@tocsin/domain/mapping';

/** The same document with every object's keys reversed: what a proxy or another serialiser may do to it. */
export function reordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reordered);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== '__proto__')
      .reverse()
      .map(([key, inner]) => [key, reordered(inner)]),
  );
}

/** Replaces the n-th node (depth first, wrapping round) of a document. */
export function replacedAt(root: unknown, at: number, replacement: unknown): unknown {
  let left = at % countOf(root);
  const copy = (value: unknown): unknown => {
    if (left-- === 0) return replacement;
    if (Array.isArray(value)) return value.map(copy);
    if (!isObject(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, copy(inner)]));
  };
  return copy(root);
}

/** Number of nodes, the root included. */
export const countOf = (value: unknown): number =>
  1 +
  (typeof value === 'object' && value !== null
    ? Object.values(value).reduce<number>((sum, inner) => sum + countOf(inner), 0)
    : 0);

/** One beyond what a double can carry; a plain parse makes it end in 2. */
export const HUGE = '9007199254740993';
const PLACE = '\u0001huge\u0001';

/** The document once per node, with that node being a huge integer, as text (no serialiser could write it). */
export function* hugeIntegers(root: unknown): Generator<readonly [text: string, digits: string]> {
  for (let at = 0; at < countOf(root); at += 1) {
    yield [JSON.stringify(replacedAt(root, at, PLACE)).replace(JSON.stringify(PLACE), HUGE), HUGE];
  }
}

/** As deep as the gateway lets pass, and far deeper. */
export const deepBodies = (): string[] =>
  [60, 5_000].flatMap((depth) => [
    '['.repeat(depth) + ']'.repeat(depth),
    '{"a":'.repeat(depth) + '1' + '}'.repeat(depth),
    '{"message":'.repeat(depth) + '"x"' + '}'.repeat(depth),
  ]);

/** As wide as the gateway lets pass. */
export const wideBodies = (): string[] => [
  JSON.stringify(Array.from({ length: 20_000 }, (_one, index) => index)),
  JSON.stringify(Object.fromEntries(Array.from({ length: 20_000 }, (_one, index) => [`k${index}`, index]))),
  JSON.stringify({ title: 'x', tags: Array.from({ length: 20_000 }, (_one, index) => `t${index}`) }),
];
