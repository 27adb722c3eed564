/**
 * Where a number may begin, 16 digits in a row or an exponent: only such a text can hold a number that a double does not carry. Ids and
 * hashes in quotes, which most payloads have, begin after a quote and so do not count.
 */
const MAYBE_UNSAFE = /[[:,\s]-?\d{16}|[[:,\s]-?[\d.]*\d[eE]/;
/** A text that is a number; apart from the other, because a pattern that may begin at the beginning is searched for twice as slowly. */
const BARE_NUMBER = /^[-\d]/;
const DIGITS = 16;
/** Fewer than 16 digits reach the end of a double's range, 1.8e308, with three digits of exponent at least. */
const HIGH_EXPONENT = /\d[eE]\+?\d{3}/;
const INTEGER = /^-?\d+$/;

/**
 * Parses JSON so that no number is silently changed: an integer beyond 2^53 and a number beyond the range of a double
 * become the text they were written as (product: never build a key from a corrupted number).
 * @throws SyntaxError when the text is not JSON.
 */
export function parseJson(text: string): unknown {
  const plain: unknown = JSON.parse(text);
  if (!isSuspect(text)) return plain;
  const careful = withQuotedNumbers(text);
  return careful === text ? plain : JSON.parse(careful);
}

/** The exact pattern is the slow one; nearly every payload is done with before it (a fifth of the time). */
const isSuspect = (text: string): boolean =>
  (hasLongDigits(text) || HIGH_EXPONENT.test(text)) && (MAYBE_UNSAFE.test(text) || BARE_NUMBER.test(text));

const isDigitAt = (text: string, at: number): boolean => {
  const unit = text.charCodeAt(at);
  return unit >= 0x30 && unit <= 0x39;
};

/** Whether 16 digits stand in a row. Such a row covers every sixteenth place once, so only those are looked at. */
function hasLongDigits(text: string): boolean {
  for (let at = DIGITS - 1; at < text.length; at += DIGITS) {
    if (!isDigitAt(text, at)) continue;
    let from = at;
    while (from > 0 && isDigitAt(text, from - 1)) from -= 1;
    let to = at + 1;
    while (to < text.length && isDigitAt(text, to)) to += 1;
    if (to - from >= DIGITS) return true;
  }
  return false;
}

const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

/**
 * A valid JSON text with quotes around the numbers that a double does not carry. A reviver, which is told the source of a number, would
 * do as well at ten times the cost of the parse.
 */
function withQuotedNumbers(text: string): string {
  const parts: string[] = [];
  let done = 0;
  for (let at = 0; at < text.length;) {
    if (text.charCodeAt(at) === QUOTE) at = endOfText(text, at);
    else if (isDigitAt(text, at) || text.charCodeAt(at) === MINUS) {
      NUMBER.lastIndex = at;
      const number = NUMBER.exec(text)?.[0] ?? '-';
      if (!isCarried(number)) {
        parts.push(text.slice(done, at), `"${number}"`);
        done = at + number.length;
      }
      at += number.length;
    } else at += 1;
  }
  return parts.length === 0 ? text : parts.join('') + text.slice(done);
}

const QUOTE = 0x22;
const MINUS = 0x2d;
const BACKSLASH = 0x5c;

/** The place after the closing quote of the text that begins at `at`. */
function endOfText(text: string, at: number): number {
  let end = text.indexOf('"', at + 1);
  for (; end !== -1; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return end + 1;
  }
  return text.length;
}

function isCarried(number: string): boolean {
  const value = Number(number);
  return Number.isFinite(value) && (Number.isSafeInteger(value) || !INTEGER.test(number));
}

export type JsonObject = Readonly<Record<string, unknown>>;

/** A JSON object: not null, not a list. */
export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Of a property or of an element of a list. */
export type Key = string | number;

/** Own properties only: a payload key such as `constructor` never reaches a prototype. */
const ownValue = (value: unknown, key: Key): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<Key, unknown>)[key]
    : undefined;

/**
 * The value below `value` by one to three keys, each an own property. Without a list of keys and a loop over it, because V8 copies this
 * function into some hundred places of the connectors, and code that is run once in a while is paid for by its size.
 */
export function valueAt(value: unknown, first: Key, second?: Key, third?: Key): unknown {
  let found = ownValue(value, first);
  if (second !== undefined) found = ownValue(found, second);
  return third === undefined ? found : ownValue(found, third);
}

/** As `valueAt`, by a list of keys. */
export function valueAlong(value: unknown, keys: readonly Key[]): unknown {
  let found = value;
  for (const key of keys) found = ownValue(found, key);
  return found;
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
