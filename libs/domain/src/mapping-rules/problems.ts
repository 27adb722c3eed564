import { mappingLimits } from './document.ts';

/** What can be wrong with a mapping at save: a closed list. */
export const mappingProblemCodes = [
  'wrong-type',
  'unknown-key',
  'unknown-value',
  'required',
  'path-syntax',
  'bad-name',
  'bad-text',
  'duplicate-name',
  'default-mismatch',
  'too-long',
  'too-many',
] as const;
export type MappingProblemCode = (typeof mappingProblemCodes)[number];

export interface MappingProblem {
  /** Where in the document, e.g. `mapping.fields.title[1]`. */
  path: string;
  code: MappingProblemCode;
  message: string;
  /** Of a path that cannot be read; counts from 1. */
  column?: number;
}

/** Collects the problems of one document; beyond a limit they are only counted. */
export class MappingProblems {
  private readonly found: MappingProblem[] = [];

  add(path: string, code: MappingProblemCode, message: string, column?: number): undefined {
    if (this.found.length >= mappingLimits.problems) return;
    const shown = { path: path.slice(0, 200).toWellFormed(), code, message: message.slice(0, 300).toWellFormed() };
    this.found.push(column === undefined ? shown : { ...shown, column });
  }

  all(): readonly MappingProblem[] {
    return this.found;
  }
}
