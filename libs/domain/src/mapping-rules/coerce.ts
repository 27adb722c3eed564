import { instantOf, isEmpty, isObject, parseJson } from '../mapping/index.ts';
import type { CustomFieldType } from './document.ts';

/** The value in its type, or undefined where a conversion would lose or invent something. */
export type Coerced = { readonly value: unknown } | undefined;

/**
 * Converts a value to the type of a custom field if that loses nothing: `"12.5"` is a number, `"007"` (an id) and an integer beyond 2^53
 * are not. Text of JSON is a list or an object; a single value is a list of one. Never throws.
 */
export function coerce(type: CustomFieldType, value: unknown): Coerced {
  if (isEmpty(value) && !(type === 'list' && Array.isArray(value))) return undefined;
  return coercions[type](value);
}

const coercions: Record<CustomFieldType, (value: unknown) => Coerced> = {
  string: (value) => {
    if (typeof value === 'string') return { value };
    return typeof value === 'number' || typeof value === 'boolean' ? { value: String(value) } : undefined;
  },
  number: (value) =>
    typeof value === 'number' ? finite(value) : typeof value === 'string' ? numberIn(value) : undefined,
  boolean: booleanOf,
  datetime: (value) => {
    const instant = typeof value === 'string' || typeof value === 'number' ? instantOf(value) : undefined;
    return instant === undefined ? undefined : { value: instant };
  },
  list: (value) => {
    if (Array.isArray(value)) return { value };
    if (isObject(value)) return undefined;
    const parsed = typeof value === 'string' ? documentIn(value) : undefined;
    return { value: Array.isArray(parsed) ? parsed : [value] };
  },
  object: (value) => {
    const found = typeof value === 'string' ? documentIn(value) : value;
    return isObject(found) ? { value: found } : undefined;
  },
};

const finite = (value: number): Coerced => (Number.isFinite(value) ? { value } : undefined);

/** No sign in front of a positive number and no leading zeros: those make a text that looks like a number. */
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.(\d+))?(?:[eE][+-]?\d+)?$/;
/** Every decimal number of so many digits survives a double. */
const SAFE_DIGITS = 15;

function numberIn(text: string): Coerced {
  const trimmed = text.trim();
  if (!NUMBER.test(trimmed)) return undefined;
  const value = Number(trimmed);
  if (!Number.isFinite(value)) return undefined;
  const digits = (/^-?([\d.]+)/.exec(trimmed)?.[1] ?? '').replace('.', '').replace(/^0+/, '');
  if (value === 0 && digits !== '') return undefined; // too small for a double
  const significant = trimmed.includes('.') ? digits.replace(/0+$/, '') : digits;
  if (significant.length > SAFE_DIGITS && String(value) !== trimmed) return undefined;
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? undefined : { value };
}

function booleanOf(value: unknown): Coerced {
  if (typeof value === 'boolean') return { value };
  const word = typeof value === 'string' ? value.trim().toLowerCase() : value;
  if (word === 'true' || word === '1' || word === 1) return { value: true };
  return word === 'false' || word === '0' || word === 0 ? { value: false } : undefined;
}

/** Only what begins like a list or an object: any word is JSON enough to be tried otherwise. */
function documentIn(text: string): unknown {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}
