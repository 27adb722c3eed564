import { JSONPathClass } from 'jsonpath-plus';
import { valueAt } from './json.ts';

/** How a path is followed: keys only, step by step through lists, or by jsonpath-plus, which may visit the whole document. */
export type PathEffort = 'keys' | 'walk' | 'query';

/** A path that was parsed and checked once. */
export interface Path {
  readonly text: string;
  readonly effort: PathEffort;
  /** The values found, in document order, at most 1,000. Never throws. */
  find(this: void, root: unknown): readonly unknown[];
  /** Given where the path finds one value at most: that value, or undefined, without a list around it. */
  findOne?(this: void, root: unknown): unknown;
}

/** A path that cannot be used; `column` counts from 1. */
export class PathError extends Error {
  readonly code = 'path-syntax';
  constructor(
    readonly path: string,
    readonly column: number,
    message: string,
  ) {
    super(`${message} (column ${column})`);
  }
}

/** Limits against slow paths; recursive descent is the lever (two of them on 38 KB took 81 ms). */
export const pathLimits = { characters: 256, segments: 16, descents: 1, results: 1_000 } as const;

/** A step of a plain path. */
export type Segment = { kind: 'key'; key: string } | { kind: 'index'; index: number } | { kind: 'each' };

/**
 * Compiles `$.a.b[0]`, `a.b`, `$['a-b']`, `$.a[*].b` to an own walker over own properties, and other JSONPath (recursive
 * descent, slices, unions) to jsonpath-plus without evaluation. Filters and scripts are refused.
 * @throws PathError
 */
export function compilePath(text: string): Path {
  const trimmed = text.trim();
  if (trimmed === '') throw new PathError(text, 1, 'the path is empty');
  if (trimmed.length > pathLimits.characters) {
    throw new PathError(text, pathLimits.characters + 1, `the path is longer than ${pathLimits.characters} characters`);
  }
  const plain = parsePlain(trimmed);
  if (plain) {
    if (plain.length > pathLimits.segments) throw tooDeep(text);
    const keys = plain.map((segment) => (segment.kind === 'key' ? segment.key : undefined));
    return isKeys(keys)
      ? { text, effort: 'keys', find: (root) => foundByKeys(root, keys), findOne: (root) => valueByKeys(root, keys) }
      : { text, effort: 'walk', find: (root) => walk(root, plain) };
  }
  return compileQuery(text, trimmed.startsWith('$') ? trimmed : `$.${trimmed}`);
}

const tooDeep = (text: string) => new PathError(text, 1, `the path has more than ${pathLimits.segments} segments`);

const PART = /\.?([^.[\]()?@*'"~^$\s,:`]+)|\.?(\*)|\[(\d{1,9})\]|\[(\*)\]|\['([^'\\]*)'\]|\["([^"\\]*)"\]/y;

/** Segments of a plain path; undefined when it needs the library (or is wrong). */
export function parsePlain(text: string): Segment[] | undefined {
  const segments: Segment[] = [];
  let at = text.startsWith('$') ? 1 : 0;
  if (at === 1 && text.length > 1 && text[1] !== '.' && text[1] !== '[') return undefined;
  if (at === 0 && text.startsWith('.')) return undefined;
  while (at < text.length) {
    PART.lastIndex = at;
    const match = PART.exec(text);
    if (!match || (at > 0 && text[at] !== '.' && text[at] !== '[')) return undefined;
    at = PART.lastIndex;
    segments.push(segmentOf(match));
  }
  return segments;
}

function segmentOf(match: RegExpExecArray): Segment {
  const [, name, star, index, bracketStar, single, double] = match;
  if (star !== undefined || bracketStar !== undefined) return { kind: 'each' };
  if (index !== undefined) return { kind: 'index', index: Number(index) };
  return { kind: 'key', key: name ?? single ?? double ?? '' };
}

const isKeys = (keys: readonly (string | undefined)[]): keys is readonly string[] => !keys.includes(undefined);

const NONE: readonly unknown[] = [];

/** What `walk` finds for keys only, which is nearly every path: no list per step. */
function foundByKeys(root: unknown, keys: readonly string[]): readonly unknown[] {
  const value = valueByKeys(root, keys);
  return value === undefined ? NONE : [value];
}

function valueByKeys(root: unknown, keys: readonly string[]): unknown {
  let value = root;
  for (const key of keys) {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, key))
      return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

function walk(root: unknown, segments: readonly Segment[]): readonly unknown[] {
  let found: unknown[] = [root];
  for (const segment of segments) {
    const next: unknown[] = [];
    for (const value of found) step(value, segment, next);
    if (next.length === 0) return next;
    found = next;
  }
  return found;
}

function step(value: unknown, segment: Segment, into: unknown[]): void {
  if (typeof value !== 'object' || value === null) return;
  if (segment.kind === 'each') {
    for (const inner of Array.isArray(value) ? value : Object.values(value)) {
      if (into.length >= pathLimits.results) return;
      into.push(inner);
    }
    return;
  }
  // A key on a list and an index on an object find nothing, `length` included.
  if (Array.isArray(value) !== (segment.kind === 'index')) return;
  const found = valueAt(value, segment.kind === 'index' ? segment.index : segment.key);
  if (found !== undefined) into.push(found);
}

function compileQuery(text: string, query: string): Path {
  checkQuery(text, query);
  let compiled: JSONPathClass;
  try {
    compiled = new JSONPathClass({ path: query, json: {}, eval: false, wrap: true, autostart: false });
  } catch (error) {
    throw new PathError(text, 1, error instanceof Error ? error.message : 'the path cannot be read');
  }
  const find = (root: unknown): readonly unknown[] => {
    if (typeof root !== 'object' || root === null) return [];
    try {
      const found: unknown = compiled.evaluate({ json: root, path: query, eval: false, wrap: true });
      return Array.isArray(found) ? found.slice(0, pathLimits.results) : [];
    } catch {
      return []; // a path that cannot be applied to this document finds nothing; the caller notes it
    }
  };
  find({}); // the library parses at the first use: a path it cannot read finds nothing from the first day on
  return { text, effort: 'query', find };
}

/** Refuses what the library would evaluate or what can be slow, and brackets that do not close. */
function checkQuery(text: string, query: string): void {
  const shift = text.length - query.length + 1; // `$.` was put in front of a bare path
  if (!/^\$(?:[.[]|$)/.test(query)) throw new PathError(text, 2, 'after "$" comes "." or "["');
  const open: number[] = [];
  let quote: string | undefined;
  let separators = 0;
  for (let at = 0; at < query.length; at += 1) {
    const char = query.charAt(at);
    const column = Math.max(1, at + shift);
    if (quote !== undefined) {
      if (char === quote) quote = undefined;
      continue;
    }
    if (/[?()^~@`]/.test(char))
      throw new PathError(text, column, `"${char}" is not available: filters, scripts and parent selectors are off`);
    if (/[\s$]/.test(char) && at > 0) throw new PathError(text, column, `"${char}" is not expected here`);
    if (char === '[') open.push(column);
    if (char === ']' && open.pop() === undefined) throw new PathError(text, column, '"]" without "["');
    if (char === "'" || char === '"') {
      if (open.length === 0) throw new PathError(text, column, 'a quote outside of brackets');
      quote = char;
    }
    if (char === '.' || char === '[') separators += 1;
  }
  const unclosed = open.pop();
  if (unclosed !== undefined) throw new PathError(text, unclosed, '"[" is not closed');
  if (separators > pathLimits.segments) throw tooDeep(text);
  checkDots(text, query, shift);
}

function checkDots(text: string, query: string, shift: number): void {
  const descents = [...query.matchAll(/\.{2,}/g)];
  const second = descents[pathLimits.descents];
  if (second) throw new PathError(text, second.index + shift, 'only one ".." is allowed');
  const bad = /\.{3,}|\[\]|\.$|[^.]\.\[/.exec(query);
  if (bad) throw new PathError(text, Math.max(1, bad.index + shift), `"${bad[0]}" is not a path`);
}
