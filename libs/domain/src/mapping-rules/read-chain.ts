import { PathError } from '../mapping/index.ts';
import { mappingLimits, type PathChain } from './document.ts';
import type { MappingProblems } from './problems.ts';
import { compileUserPath } from './user-path.ts';

/** One path, or a list of them as a fallback chain. */
export function readChain(value: unknown, at: string, problems: MappingProblems): PathChain | undefined {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (list.length > mappingLimits.pathsPerChain)
    return problems.add(at, 'too-many', `at most ${mappingLimits.pathsPerChain} paths`);
  const chain = list.flatMap(
    (path, index) => readPath(path, Array.isArray(value) ? `${at}[${index}]` : at, problems) ?? [],
  );
  return chain.length === list.length && chain.length > 0 ? chain : undefined;
}

function readPath(value: unknown, at: string, problems: MappingProblems): string | undefined {
  if (typeof value !== 'string') return problems.add(at, 'wrong-type', 'a path is expected, such as $.alert.title');
  try {
    compileUserPath(value);
    return value.trim();
  } catch (error) {
    if (!(error instanceof PathError)) throw error;
    return problems.add(at, 'path-syntax', error.message, error.column);
  }
}
