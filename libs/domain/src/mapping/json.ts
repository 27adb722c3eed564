/** 16 digits in a row, or an exponent: only such a text can hold a number that a double does not carry. */
const MAYBE_UNSAFE = /\d{16}|\d[eE]/;
const INTEGER = /^-?\d+$/;

/**
 * Parses JSON so that no number is silently changed: an integer beyond 2^53 and a number beyond the range of a double
 * become the text they were written as (product: never build a key from a corrupted number).
 * @throws SyntaxError when the text is not JSON.
 */
export function parseJson(text: string): unknown {
  // A reviver costs about ten times the plain parse, so it runs only where a scan has found a reason.
  return MAYBE_UNSAFE.test(text) ? JSON.parse(text, keepNumberText) : JSON.parse(text);
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
