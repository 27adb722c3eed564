import { isObject } from '../mapping/index.ts';
import { pathText } from './path-text.ts';

/** One entry of the data picker. */
export interface OfferedPath {
  readonly path: string;
  readonly type: 'string' | 'number' | 'boolean' | 'null' | 'list' | 'object';
  /** A scalar, cut; null for lists and objects. */
  readonly sample: string | number | boolean | null;
  /** How many elements a list has. */
  readonly length?: number;
}

export const offerLimits = { paths: 500, depth: 10, keys: 200, sampleCharacters: 120 } as const;

/**
 * The paths that a data picker can offer for a payload, in the order of the document: every value, and of a list its first element (on a
 * splitting connector `$.alerts[0].x` means the current alert). Bounded, whatever the payload.
 */
export function offeredPaths(payload: unknown): OfferedPath[] {
  const offered: OfferedPath[] = [];
  const visit = (value: unknown, keys: readonly (string | number)[]): void => {
    if (offered.length >= offerLimits.paths) return;
    if (keys.length > 0) {
      const path = pathText(keys);
      if (path === undefined) return;
      offered.push({ path, ...describe(value) });
    }
    if (keys.length >= offerLimits.depth) return;
    for (const key of keysOf(value)) visit((value as Record<string | number, unknown>)[key], [...keys, key]);
  };
  visit(payload, []);
  return offered;
}

function keysOf(value: unknown): readonly (string | number)[] {
  if (Array.isArray(value)) return value.length > 0 ? [0] : [];
  return isObject(value) ? Object.keys(value).slice(0, offerLimits.keys) : [];
}

function describe(value: unknown): Omit<OfferedPath, 'path'> {
  if (Array.isArray(value)) return { type: 'list', sample: null, length: value.length };
  if (isObject(value)) return { type: 'object', sample: null };
  if (typeof value === 'string')
    return { type: 'string', sample: value.slice(0, offerLimits.sampleCharacters).toWellFormed() };
  if (typeof value === 'number' || typeof value === 'boolean')
    return { type: typeof value as 'number' | 'boolean', sample: value };
  return { type: 'null', sample: null };
}
