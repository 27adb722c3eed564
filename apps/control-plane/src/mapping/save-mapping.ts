import type { MappingDocument } from '@tocsin/contracts';
import { emptyMapping, type MappingProblem, readMapping } from '@tocsin/domain/mapping-rules';
import { Problem } from '@tocsin/nest-shell';
import { invalidField } from '../fields.ts';

/** A mapping as people send it; `field_mapping` is another name of `mapping.fields`, beside the mapping too. */
export interface MappingInput {
  mapping?: Record<string, unknown> | null;
  field_mapping?: Record<string, unknown>;
}

/**
 * The mapping of a webhook after a change: the parts that are given replace those that are kept, null takes all of it away.
 * @throws Problem validation-failed with the place of each mistake, and the column where it is in a path
 */
export function mappingAfter(kept: MappingDocument | null, input: MappingInput): MappingDocument | null {
  const given = givenMapping(input);
  if (given === undefined) return kept;
  if (given === null) return null;
  return orNull(canonicalMapping({ ...keptBeside(kept ?? emptyMapping, given), ...given }, input));
}

/** The canonical form of a mapping that is sent to be tried. @throws Problem validation-failed */
export const mappingIn = (input: MappingInput): MappingDocument | undefined => {
  const given = givenMapping(input);
  return given == null ? undefined : canonicalMapping(given, input);
};

function givenMapping({ mapping, field_mapping: fields }: MappingInput): Record<string, unknown> | null | undefined {
  if (fields === undefined) return mapping;
  if (mapping === undefined || mapping === null) return { fields };
  for (const name of ['fields', 'field_mapping'])
    if (Object.hasOwn(mapping, name))
      throw invalidField('field_mapping', 'unknown-key', `is another name of mapping.${name}: give one of them`);
  return { ...mapping, fields };
}

/** What stays of the kept mapping: a part that is given under its other name goes too. */
function keptBeside(kept: MappingDocument, given: Record<string, unknown>): Partial<MappingDocument> {
  if (given['field_mapping'] !== undefined) return { ...kept, fields: undefined };
  if (given['dedup_key'] === undefined) return kept;
  const { dedup_key: _replaced, ...fields } = kept.fields;
  return { ...kept, fields };
}

function canonicalMapping(given: Record<string, unknown>, { field_mapping: beside }: MappingInput): MappingDocument {
  const read = readMapping(given);
  if (read.ok) return read.mapping;
  const errors = read.problems.map((problem) => detailOf(problem, beside !== undefined));
  throw new Problem('validation-failed', `${errors[0]?.path}: ${errors[0]?.message}`, { errors });
}

/** The message of a path already names its column; programs get it as a number. */
function detailOf({ path, code, message, column }: MappingProblem, beside: boolean) {
  const place = beside ? path.replace(/^mapping\.fields\b/, 'field_mapping') : path;
  return { path: place, code, message, ...(column === undefined ? {} : { column }) };
}

const orNull = (mapping: MappingDocument): MappingDocument | null =>
  Object.values(mapping).every((part: object | string) => Object.keys(part).length === 0) ? null : mapping;
