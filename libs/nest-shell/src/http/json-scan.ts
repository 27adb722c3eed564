/** Caps that keep a small body from becoming a large tree (product P7). */
export interface JsonCaps {
  depth: number;
  keys: number;
}

export type JsonFault = 'not-json' | 'too-deep' | 'too-many-keys';

/** `items` counts the elements of the root array, or of the array under the root object's `listKey`. */
export type JsonScan = { ok: true; items: number } | { ok: false; fault: JsonFault; offset: number };

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;

const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= ZERO && byte <= NINE;
const isSpace = (byte: number | undefined): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

/** A position is kept as a plain number; a fault is its offset made negative, minus one. */
const faultAt = (offset: number): number => -offset - 1;

/** Bytes that end the plain run of a string: the quote, the backslash and the control characters, which JSON forbids there. */
const STOPS_STRING = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte < 0x20 || byte === QUOTE || byte === BACKSLASH ? 1 : 0,
);
const IS_HEX = Uint8Array.from({ length: 256 }, (_, byte) => (/[0-9a-fA-F]/.test(String.fromCharCode(byte)) ? 1 : 0));
const SIMPLE_ESCAPES = new Set([...'"\\/bfnrt'].map((character) => character.charCodeAt(0)));

/** Offset behind the four hexadecimal digits of a `\u` escape. */
function endOfFourDigits(bytes: Uint8Array, at: number): number {
  for (let i = at; i < at + 4; i += 1) if (IS_HEX[bytes[i] as number] !== 1) return faultAt(Math.min(i, bytes.length));
  return at + 4;
}

/** Offset behind the string that begins at `at` (on its quote). */
function endOfString(bytes: Uint8Array, at: number): number {
  let i = at + 1;
  for (;;) {
    while (STOPS_STRING[bytes[i] as number] === 0) i += 1;
    if (bytes[i] === QUOTE) return i + 1;
    if (bytes[i] !== BACKSLASH) return faultAt(Math.min(i, bytes.length));
    const escape = bytes[i + 1];
    if (escape === 0x75 /* u */) {
      const end = endOfFourDigits(bytes, i + 2);
      if (end < 0) return end;
      i = end;
    } else if (SIMPLE_ESCAPES.has(escape as number)) i += 2;
    else return faultAt(Math.min(i + 1, bytes.length));
  }
}

/** Offset behind the digits at `at`, of which there must be one. */
function endOfDigits(bytes: Uint8Array, at: number): number {
  if (!isDigit(bytes[at])) return faultAt(at);
  let i = at + 1;
  while (isDigit(bytes[i])) i += 1;
  return i;
}

/** Offset behind the number at `at`. */
function endOfNumber(bytes: Uint8Array, at: number): number {
  let i = bytes[at] === MINUS ? at + 1 : at;
  i = bytes[i] === ZERO ? i + 1 : endOfDigits(bytes, i);
  if (i >= 0 && bytes[i] === 0x2e /* . */) i = endOfDigits(bytes, i + 1);
  if (i >= 0 && (bytes[i] === 0x65 || bytes[i] === 0x45) /* e E */) {
    const sign = bytes[i + 1];
    i = endOfDigits(bytes, sign === 0x2b || sign === MINUS ? i + 2 : i + 1);
  }
  return i;
}

const WORDS = new Map(['true', 'false', 'null'].map((word) => [word.charCodeAt(0), Buffer.from(word)]));

/** Offset behind the scalar at `at`. */
function endOfScalar(bytes: Uint8Array, at: number): number {
  const byte = bytes[at];
  if (byte === QUOTE) return endOfString(bytes, at);
  if (byte === MINUS || isDigit(byte)) return endOfNumber(bytes, at);
  const word = byte === undefined ? undefined : WORDS.get(byte);
  if (!word) return faultAt(at);
  for (let i = 0; i < word.length; i += 1)
    if (bytes[at + i] !== word[i]) return faultAt(Math.min(at + i, bytes.length));
  return at + word.length;
}

const NOTHING: Uint8Array = new Uint8Array(0);

/**
 * One pass over the bytes of a JSON text that builds nothing: the verdict of `JSON.parse(bytes.toString('utf8'))`, with the caps
 * applied on the way, so that a bomb costs what its first bytes cost. The spec holds both against each other by property tests.
 * Synchronous, so that one scanner serves every request of a process.
 */
export class JsonScanner {
  private readonly inObject: Uint8Array;
  private bytes: Uint8Array = NOTHING;
  private listKey: Uint8Array = NOTHING;
  private at = 0;
  private depth = 0;
  private keys = 0;
  private items = 0;
  /** Depth of the array whose elements are counted; -1 while none is open. */
  private countedDepth = -1;
  private underListKey = false;
  private fault: JsonFault | null = null;

  constructor(private readonly caps: JsonCaps) {
    this.inObject = new Uint8Array(caps.depth + 1);
  }

  scan(bytes: Uint8Array, listKey: Uint8Array = NOTHING): JsonScan {
    this.bytes = bytes;
    this.listKey = listKey;
    this.at = this.depth = this.keys = this.items = 0;
    this.countedDepth = -1;
    this.underListKey = false;
    this.fault = null;
    let more = true;
    while (more) more = this.afterValue(this.value());
    const { fault, at, items } = this;
    this.bytes = this.listKey = NOTHING;
    return fault === null ? { ok: true, items } : { ok: false, fault, offset: Math.min(at, bytes.length) };
  }

  /** Reads a scalar, or the opening bracket of a container: then true. */
  private value(): boolean {
    const byte = this.skipSpace();
    if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) return this.open(byte);
    this.moveTo(endOfScalar(this.bytes, this.at));
    return false;
  }

  private open(byte: number): boolean {
    if (this.depth === this.caps.depth) return this.fail('too-deep');
    this.depth += 1;
    this.inObject[this.depth] = byte === OPEN_OBJECT ? 1 : 0;
    if (byte === OPEN_ARRAY && (this.depth === 1 || (this.depth === 2 && this.underListKey))) {
      this.countedDepth = this.depth;
      this.items = 0;
    }
    this.at += 1;
    return true;
  }

  /** Closes what ends here and steps to the next value; false where the text ends, well or with a fault. */
  private afterValue(justOpened: boolean): boolean {
    let empty = justOpened;
    while (this.fault === null) {
      const byte = this.skipSpace();
      if (this.depth === 0) return this.at < this.bytes.length && this.fail('not-json');
      const object = this.inObject[this.depth] === 1;
      if (byte !== (object ? CLOSE_OBJECT : CLOSE_ARRAY)) return this.nextElement(byte, empty, object);
      if (this.countedDepth === this.depth) {
        if (!empty) this.items += 1;
        this.countedDepth = -1;
      }
      this.depth -= 1;
      this.at += 1;
      empty = false;
    }
    return false;
  }

  private nextElement(byte: number | undefined, first: boolean, object: boolean): boolean {
    if (!first) {
      if (byte !== COMMA) return this.fail('not-json');
      if (this.countedDepth === this.depth) this.items += 1;
      this.at += 1;
    }
    return object ? this.key() : true;
  }

  private key(): boolean {
    if (this.skipSpace() !== QUOTE) return this.fail('not-json');
    if ((this.keys += 1) > this.caps.keys) return this.fail('too-many-keys');
    const start = this.at;
    if (!this.moveTo(endOfString(this.bytes, start))) return false;
    if (this.depth === 1) this.underListKey = isKey(this.bytes, start, this.at, this.listKey);
    if (this.skipSpace() !== COLON) return this.fail('not-json');
    this.at += 1;
    return true;
  }

  private skipSpace(): number | undefined {
    const { bytes } = this;
    const next = bytes[this.at];
    if ((next as number) > 0x20) return next;
    let i = this.at;
    while (isSpace(bytes[i])) i += 1;
    this.at = i;
    return bytes[i];
  }

  private moveTo(end: number): boolean {
    if (end >= 0) {
      this.at = end;
      return true;
    }
    this.at = -end - 1;
    return this.fail('not-json');
  }

  private fail(fault: JsonFault): false {
    this.fault ??= fault;
    return false;
  }
}

/** Whether the key between the quotes at `start` and before `end` is `key`, written without escapes. */
function isKey(bytes: Uint8Array, start: number, end: number, key: Uint8Array): boolean {
  if (key.length === 0 || end - start - 2 !== key.length) return false;
  for (let i = 0; i < key.length; i += 1) if (bytes[start + 1 + i] !== key[i]) return false;
  return true;
}

/** Line and column (from 1, counted in characters) of a byte offset, for people. */
export function positionOf(bytes: Uint8Array, offset: number): { line: number; column: number } {
  const before = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(offset, bytes.length));
  let line = 1;
  let lineStart = 0;
  for (let at = before.indexOf(0x0a); at >= 0; at = before.indexOf(0x0a, at + 1)) {
    line += 1;
    lineStart = at + 1;
  }
  return { line, column: [...before.subarray(lineStart).toString('utf8')].length + 1 };
}
