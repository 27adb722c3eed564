import { isObject } from './json.ts';
import { Notes } from './notes.ts';

/** Limits of a normalised alert; they truncate with a mark and a note, they never reject (product P7). */
export const alertLimits = {
  characters: 10_000,
  items: 100,
  itemCharacters: 1_000,
  depth: 10,
  fieldsBytes: 100 * 1024,
  keyCharacters: 256,
  /** Of one object: far more than a person looks at. */
  keys: 2_000,
} as const;

const TEXT_MARK = '… [truncated]';
const DEPTH_MARK = '[truncated: nested too deep]';

/** U+0000 and lone surrogates become U+FFFD: PostgreSQL cannot hold the former, UTF-8 not the latter (settled, Text). */
export function cleanText(text: string, notes: Notes, path: string): string {
  if (text.isWellFormed() && !text.includes('\0')) return text;
  notes.add('text-cleaned', path);
  return text.toWellFormed().replaceAll('\0', '\uFFFD');
}

/** At most `max` UTF-16 units, mark included; never cuts a pair of surrogates in two. */
export function limitText(text: string, notes: Notes, path: string, max: number = alertLimits.characters): string {
  const clean = cleanText(text, notes, path);
  if (clean.length <= max) return clean;
  notes.add('text-truncated', path, `${clean.length} characters`);
  return (
    clean
      .slice(0, max - TEXT_MARK.length)
      .toWellFormed()
      .replace(/\uFFFD$/, '') + TEXT_MARK
  );
}

/** Distinct texts in first-seen order, at most 100. */
export function limitList(texts: readonly string[], notes: Notes, path: string): string[] {
  const [only] = texts;
  if (only === undefined) return [];
  if (texts.length === 1) return [limitText(only, notes, path, alertLimits.itemCharacters)];
  const distinct = [...new Set(texts.map((text) => limitText(text, notes, path, alertLimits.itemCharacters)))];
  if (distinct.length <= alertLimits.items) return distinct;
  notes.add('list-truncated', path, `${distinct.length} items`);
  return distinct.slice(0, alertLimits.items);
}

interface Caps {
  characters: number;
  items: number;
  depth: number;
}

/** Tried in order until the JSON fits: keep the breadth of a payload, give up its longest parts first. */
const FULL: Caps = { characters: alertLimits.characters, items: alertLimits.items, depth: alertLimits.depth };
const SHORTER: Caps = { ...FULL, characters: 1_000 };
const SHORTEST: Caps = { characters: 250, items: 20, depth: 6 };

const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value), 'utf8');

/** A UTF-16 unit is at most six bytes of JSON (`\u001f`), so most payloads need not be serialised to know that they fit. */
const UNIT_BYTES_MAX = 6;
const NUMBER_BYTES_MAX = 25;

/**
 * A copy of a payload that is safe to keep: cleaned texts and keys, no `__proto__`, depth ≤ 10, lists ≤ 100 items, texts
 * ≤ 10,000 characters, JSON ≤ 100 KB.
 */
export function limitFields(
  fields: Readonly<Record<string, unknown>>,
  notes: Notes,
  maxBytes: number = alertLimits.fieldsBytes,
): Record<string, unknown> {
  if (isSafe(fields, { units: 0, maxUnits: maxBytes / UNIT_BYTES_MAX }, 1)) return fields;
  const full = copied(fields, FULL, maxBytes);
  if (full.fits) return accepted(full, notes);
  notes.add('fields-truncated', 'fields');
  const shorter = full.longest > SHORTER.characters ? copied(fields, SHORTER, maxBytes) : undefined;
  return shorter?.fits ? accepted(shorter, notes) : fitting(fields, notes, maxBytes);
}

/**
 * Whether a parsed payload can be kept as it is: no limit is met and no text has to be cleaned. Most payloads are such, and looking
 * costs a fraction of copying.
 */
function isSafe(value: object, size: { units: number; maxUnits: number }, depth: number): boolean {
  size.units += NUMBER_BYTES_MAX / UNIT_BYTES_MAX;
  if (depth > alertLimits.depth || size.units > size.maxUnits) return false;
  if (Array.isArray(value)) {
    return value.length <= alertLimits.items && value.every((item) => isSafeValue(item, size, depth + 1));
  }
  for (const key in value) {
    if (key === '__proto__' || !isSafeText(key, alertLimits.keyCharacters)) return false;
    size.units += key.length + 3;
    if (!isSafeValue((value as Record<string, unknown>)[key], size, depth + 1)) return false;
  }
  return size.units <= size.maxUnits;
}

function isSafeValue(value: unknown, size: { units: number; maxUnits: number }, depth: number): boolean {
  if (typeof value === 'object' && value !== null) return isSafe(value, size, depth);
  size.units += typeof value === 'string' ? value.length + 3 : NUMBER_BYTES_MAX / UNIT_BYTES_MAX;
  return typeof value !== 'string' || isSafeText(value, alertLimits.characters);
}

const isSafeText = (text: string, max: number): boolean =>
  text.length <= max && text.isWellFormed() && !text.includes('\0');

interface Copied {
  copy: Record<string, unknown>;
  /** What the copy lost: it says nothing where a shorter copy is taken. */
  lost: Notes;
  fits: boolean;
  longest: number;
}

function copied(fields: Readonly<Record<string, unknown>>, caps: Caps, maxBytes: number): Copied {
  const copying = startCopying(caps, new Notes(), maxBytes);
  const copy = copyObject(fields, copying, 1);
  const fits = mayFit(copying, maxBytes) ?? bytesOf(copy) <= maxBytes;
  return { copy, lost: copying.notes, fits, longest: copying.longest };
}

function accepted({ copy, lost }: Copied, notes: Notes): Record<string, unknown> {
  notes.addAll(lost);
  return copy;
}

/** Whether the copy fits as far as its counters say; undefined = it has to be measured. */
function mayFit({ units, numbers, giveUpAt }: Copying, maxBytes: number): boolean | undefined {
  if (units * UNIT_BYTES_MAX + numbers * NUMBER_BYTES_MAX <= maxBytes) return true;
  return units > giveUpAt ? false : undefined;
}

/** Keeps whole top-level fields, at their shortest, in their order as long as they fit. */
function fitting(fields: Readonly<Record<string, unknown>>, notes: Notes, maxBytes: number): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  let left = maxBytes - 2;
  const copying = startCopying(SHORTEST, notes, maxBytes);
  for (const key of Object.keys(fields).slice(0, alertLimits.keys)) {
    if (left < SMALLEST_FIELD || copying.nodes <= 0) break;
    copying.units = 0;
    copying.giveUpAt = left;
    const field = copyObject({ [key]: fields[key] }, copying, 1);
    const size = copying.units > left ? Infinity : bytesOf(field) - 1;
    if (size > left) continue;
    left -= size;
    Object.assign(kept, field);
  }
  return kept;
}

/** `"":1,` */
const SMALLEST_FIELD = 5;
/** A named node costs at least five bytes of JSON, so about this many can fit; copying stops there. */
const MAX_NODES = Math.floor(alertLimits.fieldsBytes / SMALLEST_FIELD);

const startCopying = (caps: Caps, notes: Notes, giveUpAt: number): Copying => ({
  caps,
  notes,
  path: ['$'],
  nodes: MAX_NODES,
  units: 0,
  numbers: 0,
  longest: 0,
  giveUpAt,
});

interface Copying {
  caps: Caps;
  notes: Notes;
  /** Where the copy is; a text is made of it only for a note. */
  path: string[];
  /** Nodes that may still be copied. */
  nodes: number;
  /** UTF-16 units of JSON so far, numbers and escapes aside: never more than the bytes. */
  units: number;
  numbers: number;
  /** The longest kept text. */
  longest: number;
  /** Copying on makes no sense beyond so many units: the result cannot fit. */
  giveUpAt: number;
}

const pathOf = ({ path }: Copying): string => path.join('').slice(0, 200);

/** The limited text; looks at where it stands only when there is something to note. */
function copyText(text: string, copying: Copying, max: number): string {
  const fits = text.length <= max && text.isWellFormed() && !text.includes('\0');
  const kept = fits ? text : limitText(text, copying.notes, pathOf(copying), max);
  copying.units += kept.length + 3;
  if (kept.length > copying.longest) copying.longest = kept.length;
  return kept;
}

function copyValue(value: unknown, copying: Copying, depth: number): unknown {
  copying.nodes -= 1;
  if (typeof value === 'string') return copyText(value, copying, copying.caps.characters);
  if (typeof value !== 'object' || value === null) {
    if (typeof value === 'number') copying.numbers += 1;
    copying.units += 2;
    return value;
  }
  if (depth > copying.caps.depth) {
    copying.notes.add('depth-truncated', pathOf(copying));
    copying.units += DEPTH_MARK.length + 3;
    return DEPTH_MARK;
  }
  return Array.isArray(value) ? copyList(value, copying, depth) : copyObject(value, copying, depth);
}

function copyList(value: readonly unknown[], copying: Copying, depth: number): unknown[] {
  const { caps, notes } = copying;
  if (value.length > caps.items) notes.add('list-truncated', pathOf(copying), `${value.length} items`);
  copying.units += 3;
  const copy: unknown[] = [];
  for (let index = 0; index < value.length && index < caps.items; index += 1) {
    copying.path.push(`[${index}]`);
    copy.push(copyValue(value[index], copying, depth + 1));
    copying.path.pop();
  }
  return copy;
}

function copyObject(value: object, copying: Copying, depth: number): Record<string, unknown> {
  const copy: Record<string, unknown> = {};
  copying.units += 3;
  let keys = 0;
  for (const key of Object.keys(value)) {
    keys += 1;
    if (copying.nodes <= 0 || copying.units > copying.giveUpAt || keys > alertLimits.keys) {
      copying.notes.add('fields-truncated', 'fields');
      break;
    }
    if (key === '__proto__') {
      copying.notes.add('key-dropped', pathOf(copying), key);
      continue;
    }
    const name = copyText(key, copying, alertLimits.keyCharacters);
    copying.path.push(`.${name}`);
    copy[name] = copyValue((value as Record<string, unknown>)[key], copying, depth + 1);
    copying.path.pop();
  }
  return copy;
}

/** The payload of an alert as an object, whatever it was. */
export const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> => (isObject(value) ? value : { value });
