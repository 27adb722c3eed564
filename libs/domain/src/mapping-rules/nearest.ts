import { isObject, parsePlain, type Segment } from '../mapping/index.ts';
import { pathText } from './path-text.ts';

const MAX_KEYS = 200;
const MAX_NODES = 500;
const MAX_KEY = 32;

type Keys = readonly (string | number)[];

const keysOfObjects = new WeakMap<object, readonly string[]>();

/** Listing the keys of a wide object costs milliseconds, and a mapping may miss several paths in one payload. */
function firstKeys(value: object): readonly string[] {
  const known = keysOfObjects.get(value);
  if (known) return known;
  const keys = Object.keys(value).slice(0, MAX_KEYS);
  keysOfObjects.set(value, keys);
  return keys;
}

/**
 * The existing path that a path which finds nothing most likely means: the same steps with a misspelt key put right, the same key at
 * another place, or else as far as the path leads. Undefined where not even its first key is known. Bounded, whatever the document.
 */
export function nearestPath(path: string, document: unknown): string | undefined {
  const segments = parsePlain(path.trim().replace(/^\$root/, '$'));
  const last = segments?.findLast((segment) => segment.kind === 'key')?.key ?? /([\w-]+)\W*$/.exec(path)?.[1];
  const walked = segments === undefined ? undefined : walkAlike(segments, document);
  if (walked?.complete) return pathText(walked.keys);
  const elsewhere = last === undefined ? undefined : findKey(last, document);
  const best = elsewhere ?? (walked && walked.keys.length > 0 ? walked.keys : undefined);
  return best === undefined ? undefined : pathText(best);
}

/** Follows a path as far as it leads, taking the most alike key where one is missing. */
function walkAlike(segments: readonly Segment[], document: unknown): { keys: Keys; complete: boolean } {
  const keys: (string | number)[] = [];
  let current = document;
  for (const segment of segments) {
    const key = keyFor(segment, current);
    if (key === undefined) return { keys, complete: false };
    keys.push(key);
    current = (current as Record<string | number, unknown>)[key];
  }
  return { keys, complete: keys.length > 0 };
}

function keyFor(segment: Segment, value: unknown): string | number | undefined {
  if (Array.isArray(value))
    return segment.kind === 'key' || value.length === 0 ? undefined : indexFor(segment, value.length);
  if (!isObject(value) || segment.kind === 'index') return undefined;
  if (segment.kind === 'each') return firstKeys(value)[0];
  return Object.hasOwn(value, segment.key) ? segment.key : mostAlike(segment.key, firstKeys(value));
}

const indexFor = (segment: Segment, length: number): number =>
  segment.kind === 'index' && segment.index < length ? segment.index : 0;

/** The shallowest place of a key, compared without case and punctuation. */
function findKey(name: string, document: unknown): Keys | undefined {
  const wanted = bare(name);
  if (wanted === '') return undefined;
  const queue: Place[] = [{ value: document, keys: [] }];
  for (let at = 0; at < queue.length && at < MAX_NODES; at += 1) {
    const place = queue[at] as Place;
    if (bare(String(place.keys.at(-1) ?? '')) === wanted) return place.keys;
    if (queue.length < MAX_NODES) queue.push(...placesIn(place));
  }
  return undefined;
}

interface Place {
  value: unknown;
  keys: Keys;
}

/** The values directly inside of one; of a list the first. */
function placesIn({ value, keys }: Place): Place[] {
  if (Array.isArray(value)) return value.slice(0, 1).map((first: unknown) => ({ value: first, keys: [...keys, 0] }));
  if (!isObject(value)) return [];
  return firstKeys(value).map((key) => ({ value: value[key], keys: [...keys, key] }));
}

const bare = (name: string): string => name.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, '');

/** The key with the fewest differences, if they are few; of equal ones the first by name. */
function mostAlike(name: string, keys: readonly string[]): string | undefined {
  const wanted = bare(name);
  if (wanted === '' || wanted.length > MAX_KEY) return undefined;
  let best: { key: string; distance: number } | undefined;
  for (const key of keys) {
    const distance = differences(wanted, bare(key));
    if (!best || distance < best.distance || (distance === best.distance && key < best.key)) best = { key, distance };
  }
  return best && best.distance <= Math.max(1, Math.floor(wanted.length / 3)) ? best.key : undefined;
}

/** Edits between two names; one that contains the other counts as close. */
function differences(a: string, b: string): number {
  if (a === b) return 0;
  if (b === '' || b.length > MAX_KEY) return Number.POSITIVE_INFINITY;
  if (Math.min(a.length, b.length) >= 3 && (a.includes(b) || b.includes(a))) return 1;
  let row = Array.from({ length: b.length + 1 }, (_one, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? Number.POSITIVE_INFINITY;
}
