/**
 * 16 digits in a row, or an exponent, where a number may begin: only such a text can hold a number that a double does not carry. Ids and
 * hashes in quotes, which most payloads have, begin after a quote and so do not count.
 */
const MAYBE_UNSAFE = /[[:,\s]-?\d{16}|[[:,\s]-?[\d.]*\d[eE]/;
/** A text that is a number; apart from the other, because a pattern that may begin at the beginning is searched for twice as slowly. */
const BARE_NUMBER = /^[-\d]/;
const INTEGER = /^-?\d+$/;

/**
 * Parses JSON so that no number is silently changed: an integer beyond 2^53 and a number beyond the range of a double
 * become the text they were written as (product: never build a key from a corrupted number).
 * @throws SyntaxError when the text is not JSON.
 */
export function parseJson(text: string): unknown {
  // A reviver costs about ten times the plain parse, so it runs only where a scan has found a reason.
  return MAYBE_UNSAFE.test(text) || BARE_NUMBER.test(text) ? JSON.parse(text, keepNumberText) : JSON.parse(text);
}

function keepNumberText(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value) || context?.source === undefined) return value;
  return !Number.isFinite(value) || INTEGER.test(context.source) ? context.source : value;
}

export type JsonObject = Readonly<Record<string, unknown>>;

/** A JSON object: not null, not a list. */
export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Follows own properties only: a payload key such as `constructor` never reaches a prototype. */
export function valueAt(value: unknown, ...keys: readonly (string | number)[]): unknown {
  let current = value;
  for (const key of keys) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, key)) return undefined;
    current = (current as Record<string | number, unknown>)[key];
  }
  return current;
}

export const isEmptyObject = (value: object): boolean => {
  for (const key in value) if (Object.hasOwn(value, key)) return false;
  return true;
};

/** The caps that the gateway sets for a JSON body; a document inside a document has to keep them too. */
export const documentLimits = { depth: 64, keys: 50_000 } as const;

/** Whether a parsed document keeps depth and number of values. Iterative: the depth is what is in question. */
export function withinLimits(root: unknown, limits: { depth: number; keys: number } = documentLimits): boolean {
  let level: unknown[] = [root];
  let count = 0;
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > limits.depth) return false;
    const next: unknown[] = [];
    for (const value of level) {
      if (typeof value !== 'object' || value === null) continue;
      const inner: unknown[] = Array.isArray(value) ? value : Object.values(value);
      count += inner.length;
      if (count > limits.keys) return false;
      for (const one of inner) next.push(one);
    }
    level = next;
  }
  return true;
}
