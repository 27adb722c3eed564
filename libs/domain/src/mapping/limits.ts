import { isObject } from './json.ts';
import type { Notes } from './notes.ts';

/** Limits of a normalised alert; they truncate with a mark and a note, they never reject (product P7). */
export const alertLimits = {
  characters: 10_000,
  items: 100,
  itemCharacters: 1_000,
  depth: 10,
  fieldsBytes: 100 * 1024,
  keyCharacters: 256,
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
const shrinking: readonly Caps[] = [
  { characters: alertLimits.characters, items: alertLimits.items, depth: alertLimits.depth },
  { characters: 1_000, items: alertLimits.items, depth: alertLimits.depth },
  { characters: 250, items: 20, depth: 6 },
];

const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value), 'utf8');

/**
 * A copy of a payload that is safe to keep: cleaned texts and keys, no `__proto__`, depth ≤ 10, lists ≤ 100 items, texts
 * ≤ 10,000 characters, JSON ≤ 100 KB.
 */
export function limitFields(
  fields: Readonly<Record<string, unknown>>,
  notes: Notes,
  maxBytes: number = alertLimits.fieldsBytes,
): Record<string, unknown> {
  let copy: Record<string, unknown> = {};
  for (const caps of shrinking) {
    copy = copyObject(fields, { caps, notes, budget: { nodes: MAX_NODES } }, '$', 1);
    if (bytesOf(copy) <= maxBytes) return copy;
    notes.add('fields-truncated', 'fields');
  }
  return fitting(copy, maxBytes);
}

/** Keeps whole top-level fields in their order as long as they fit. */
function fitting(fields: Readonly<Record<string, unknown>>, maxBytes: number): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  let used = 2;
  for (const [key, value] of Object.entries(fields)) {
    const size = bytesOf({ [key]: value });
    if (used + size > maxBytes) continue;
    used += size;
    kept[key] = value;
  }
  return kept;
}

/** A named node costs at least five bytes of JSON, so about this many can fit; copying stops there. */
const MAX_NODES = Math.floor(alertLimits.fieldsBytes / 5);

interface Copying {
  caps: Caps;
  notes: Notes;
  budget: { nodes: number };
}

function copyValue(value: unknown, copying: Copying, path: string, depth: number): unknown {
  copying.budget.nodes -= 1;
  if (typeof value === 'string') return limitText(value, copying.notes, path, copying.caps.characters);
  if (typeof value !== 'object' || value === null) return value;
  if (depth > copying.caps.depth) {
    copying.notes.add('depth-truncated', path);
    return DEPTH_MARK;
  }
  return Array.isArray(value) ? copyList(value, copying, path, depth) : copyObject(value, copying, path, depth);
}

function copyList(value: readonly unknown[], copying: Copying, path: string, depth: number): unknown[] {
  const { caps, notes } = copying;
  if (value.length > caps.items) notes.add('list-truncated', path, `${value.length} items`);
  return value.slice(0, caps.items).map((item, index) => copyValue(item, copying, `${path}[${index}]`, depth + 1));
}

function copyObject(value: object, copying: Copying, path: string, depth: number): Record<string, unknown> {
  const copy: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(value)) {
    if (copying.budget.nodes <= 0) {
      copying.notes.add('fields-truncated', 'fields');
      break;
    }
    if (key === '__proto__') {
      copying.notes.add('key-dropped', path, key);
      continue;
    }
    const name = limitText(key, copying.notes, path, alertLimits.keyCharacters);
    copy[name] = copyValue(inner, copying, `${path}.${name}`, depth + 1);
  }
  return copy;
}

/** The payload of an alert as an object, whatever it was. */
export const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> => (isObject(value) ? value : { value });
