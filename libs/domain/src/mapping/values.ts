import { isObject, type Key, valueAt } from './json.ts';

/** What a fallback chain passes over. Zero and false are values (product P5). */
export const isEmpty = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  (typeof value === 'string' && value.trim() === '') ||
  (Array.isArray(value) && value.length === 0);

/** Where a text is expected and an object comes, the first of these that is a text is meant (product P4). */
const TEXT_OF_OBJECT = ['summary', 'name', 'value'] as const;

/** Most texts begin with a letter or a digit; only others have to be looked at further. */
const isBlank = (text: string): boolean => {
  const first = text.charCodeAt(0);
  return !(first > 0x20 && first < 0x7f) && text.trim() === '';
};

/** Text of a value; undefined where there is none, so that a fallback chain goes on. A list gives its first text. */
export function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return isBlank(value) ? undefined : value;
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'object') return Array.isArray(value) ? textOfList(value) : textOfObject(value);
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}

/** The text at the end of one to three keys, as `valueAt` finds it. */
export const textAt = (value: unknown, first: Key, second?: Key, third?: Key): string | undefined =>
  textOf(valueAt(value, first, second, third));

function textOfList(list: readonly unknown[]): string | undefined {
  for (const item of list.slice(0, 100)) {
    const text = Array.isArray(item) ? undefined : textOf(item);
    if (text !== undefined) return text;
  }
  return undefined;
}

function textOfObject(value: object): string | undefined {
  for (const key of TEXT_OF_OBJECT) {
    const inner = valueAt(value, key);
    const text = typeof inner === 'object' ? undefined : textOf(inner);
    if (text !== undefined) return text;
  }
  return undefined;
}

/**
 * Texts of a value where a list is expected. An object that has a text of its own is one item, another one is a map whose
 * entries become `key:value` (labels), sorted so that key order in the payload does not matter.
 */
export function listOf(value: unknown): string[] {
  if (Array.isArray(value)) return listOfItems(value);
  const text = textOf(value);
  if (text !== undefined) return [text];
  return isObject(value) ? pairsOf(value) : [];
}

function listOfItems(items: readonly unknown[]): string[] {
  const list: string[] = [];
  for (const item of items) {
    if (Array.isArray(item)) continue;
    if (typeof item !== 'string') for (const text of listOf(item)) list.push(text);
    else if (!isBlank(item)) list.push(item);
  }
  return list;
}

/** Entries of a label set as `key:value`, sorted by key; entries without a text are left out. */
export function pairsOf(value: unknown): string[] {
  if (!isObject(value)) return [];
  const pairs: string[] = [];
  for (const key of Object.keys(value).sort()) {
    const text = textOf(value[key]);
    if (text !== undefined) pairs.push(`${key}:${text}`);
  }
  return pairs;
}
