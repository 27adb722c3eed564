import { compilePath, isEmpty, parsePlain, type Path, type Segment, valueAlong } from '../mapping/index.ts';
import type { PathChain } from './document.ts';
import type { MappingEffort } from './effort.ts';
import { pathStep } from './path-text.ts';

/** Where a mapping is applied: one element of a payload, the whole payload, and which of its elements it is. */
export interface Position {
  readonly element: unknown;
  readonly root: unknown;
  readonly index: number;
  /** What the mapping has left for this payload; absent = as much as it needs. */
  readonly effort?: MappingEffort;
}

export interface UserPath {
  readonly text: string;
  /** What is there and not empty, in document order. Never throws. */
  find(at: Position): readonly unknown[];
}

export interface Found {
  readonly path: string;
  readonly values: readonly unknown[];
}

/**
 * Paths of people are paths into the payload that they see. Where the connector splits it, they read the current element first and the
 * payload around it then; `$.alerts[0].x` (or `[*]`) reads the current element when the elements are those of `$.alerts`, so that a
 * mapping made for one alert holds for each of them. `$root.x` always reads the whole payload.
 * @throws PathError
 */
export function compileUserPath(text: string): UserPath {
  const trimmed = text.trim();
  if (/^\$root(?:[.[]|$)/.test(trimmed)) {
    const path = compilePath(`$${trimmed.slice('$root'.length)}`);
    return { text, find: (at) => presentInRoot(path, at) };
  }
  const path = compilePath(trimmed);
  const current = currentElementPath(parsePlain(trimmed) ?? []);
  return {
    text,
    find: (at) => {
      if (at.root === at.element) return present(path, at);
      if (current && isElementOf(valueAlong(at.root, current.list), at)) return present(current.rest, at);
      const found = present(path, at);
      return found.length > 0 ? found : presentInRoot(path, at);
    },
  };
}

const NONE: readonly unknown[] = [];
const isPresent = (value: unknown): boolean => !isEmpty(value);

const present = (path: Path, { element, effort }: Position): readonly unknown[] =>
  effort?.allows(path.effort, element) === false ? NONE : path.find(element).filter(isPresent);

/** The same for every element of a payload, so it is worked out once where it costs something. */
function presentInRoot(path: Path, { root, effort }: Position): readonly unknown[] {
  const find = () => (effort?.allows(path.effort, root) === false ? NONE : path.find(root).filter(isPresent));
  return effort === undefined || path.effort === 'keys' ? find() : effort.once(path, find);
}

/** `$.a.b[0].c.d`: the list `a.b` and the rest `c.d`. */
function currentElementPath(segments: readonly Segment[]): { list: readonly string[]; rest: Path } | undefined {
  const at = segments.findIndex((segment) => segment.kind !== 'key');
  const step = segments[at];
  if (!step || (step.kind === 'index' && step.index !== 0)) return undefined;
  const list = segments.slice(0, at).flatMap((segment) => (segment.kind === 'key' ? [segment.key] : []));
  const steps = segments.slice(at + 1).map(stepText);
  // Every key of a parsed path can be written again.
  return { list, rest: compilePath(`$${steps.join('')}`) };
}

function stepText(segment: Segment): string {
  if (segment.kind === 'each') return '[*]';
  return pathStep(segment.kind === 'key' ? segment.key : segment.index) ?? '';
}

/** A list in which elements of another list are looked for is short. */
const MAX_SEARCHED = 200;

const isElementOf = (list: unknown, { element, index }: Position): boolean =>
  Array.isArray(list) && (list[index] === element || (list.length <= MAX_SEARCHED && list.includes(element)));

/** @throws PathError */
export const compileUserChain = (chain: PathChain): readonly UserPath[] => chain.map(compileUserPath);

/** What the first path of a chain that finds anything finds. */
export function findFirst(chain: readonly UserPath[], at: Position): Found | undefined {
  for (const path of chain) {
    const values = path.find(at);
    if (values.length > 0) return { path: path.text, values };
  }
  return undefined;
}
