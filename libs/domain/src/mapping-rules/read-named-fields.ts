import { isEmpty, isObject } from '../mapping/index.ts';
import { coerce } from './coerce.ts';
import {
  type CustomField,
  type CustomFieldType,
  customFieldTypes,
  type ExtractedField,
  mappingLimits,
} from './document.ts';
import type { MappingProblems } from './problems.ts';
import { readChain } from './read-chain.ts';

const NAME = /^[a-z][a-z0-9]*(?:_[a-z0-9]+)*$/;
const CUSTOM_KEYS: readonly string[] = ['name', 'description', 'type', 'default_value', 'path'];
const EXTRACTED_KEYS: readonly string[] = ['name', 'path'];

interface Place {
  at: string;
  problems: MappingProblems;
  /** Names taken so far, by custom and extracted fields together. */
  taken: Set<string>;
}

/** The fields that people name: typed custom fields, and extracted ones as they are found. */
export function readNamedFields(
  given: Readonly<Record<string, unknown>>,
  at: string,
  problems: MappingProblems,
): { custom_fields: CustomField[]; extracted_fields: ExtractedField[] } {
  const taken = new Set<string>();
  return {
    custom_fields: listAt(given['custom_fields'], { at: `${at}.custom_fields`, problems, taken }, readCustomField),
    extracted_fields: listAt(
      given['extracted_fields'],
      { at: `${at}.extracted_fields`, problems, taken },
      readExtractedField,
    ),
  };
}

function listAt<Field>(
  value: unknown,
  place: Place,
  read: (item: Record<string, unknown>, place: Place) => Field | undefined,
): Field[] {
  if (value === undefined || value === null) return [];
  const { at, problems } = place;
  if (!Array.isArray(value)) {
    problems.add(at, 'wrong-type', 'a list is expected');
    return [];
  }
  if (value.length > mappingLimits.namedFields)
    problems.add(at, 'too-many', `at most ${mappingLimits.namedFields} fields`);
  return value.slice(0, mappingLimits.namedFields).flatMap((item: unknown, index) => {
    const here = { ...place, at: `${at}[${index}]` };
    if (isObject(item)) return read(item, here) ?? [];
    problems.add(here.at, 'wrong-type', 'an object is expected');
    return [];
  });
}

function readCustomField(item: Record<string, unknown>, place: Place): CustomField | undefined {
  const { at, problems } = place;
  const extracted = readExtractedField(item, place, CUSTOM_KEYS);
  const type = readType(item['type'], `${at}.type`, problems);
  const description = readDescription(item['description'], `${at}.description`, problems);
  const standIn =
    type === undefined || isEmpty(item['default_value']) ? undefined : coerce(type, item['default_value']);
  if (type !== undefined && !isEmpty(item['default_value']) && standIn === undefined)
    problems.add(`${at}.default_value`, 'default-mismatch', `the default is no ${type}`);
  if (extracted === undefined || type === undefined) return undefined;
  return {
    ...extracted,
    type,
    ...(description === undefined ? {} : { description }),
    ...(standIn === undefined ? {} : { default_value: standIn.value }),
  };
}

function readExtractedField(
  item: Record<string, unknown>,
  place: Place,
  known: readonly string[] = EXTRACTED_KEYS,
): ExtractedField | undefined {
  const { at, problems } = place;
  for (const key of Object.keys(item)) {
    if (!known.includes(key)) problems.add(`${at}.${key}`, 'unknown-key', `unknown key; known are ${known.join(', ')}`);
  }
  const name = readName(item['name'], place);
  if (isEmpty(item['path'])) problems.add(`${at}.path`, 'required', 'a path is required');
  const path = isEmpty(item['path']) ? undefined : readChain(item['path'], `${at}.path`, problems);
  return name === undefined || path === undefined ? undefined : { name, path };
}

function readName(value: unknown, { at, problems, taken }: Place): string | undefined {
  const where = `${at}.name`;
  if (isEmpty(value)) return problems.add(where, 'required', 'a name is required');
  if (typeof value !== 'string') return problems.add(where, 'wrong-type', 'a text is expected');
  if (value.length > mappingLimits.nameCharacters)
    return problems.add(where, 'too-long', `at most ${mappingLimits.nameCharacters} characters`);
  if (!NAME.test(value))
    return problems.add(where, 'bad-name', 'snake_case is expected: small letters, digits and single underscores');
  if (taken.has(value)) return problems.add(where, 'duplicate-name', 'another field has this name');
  taken.add(value);
  return value;
}

/** A field without a type is a text. */
function readType(value: unknown, at: string, problems: MappingProblems): CustomFieldType | undefined {
  if (isEmpty(value)) return 'string';
  const type = customFieldTypes.find((one) => one === value);
  return type ?? problems.add(at, 'unknown-value', `one of ${customFieldTypes.join(', ')} is expected`);
}

function readDescription(value: unknown, at: string, problems: MappingProblems): string | undefined {
  if (isEmpty(value)) return undefined;
  if (typeof value !== 'string') return problems.add(at, 'wrong-type', 'a text is expected');
  if (value.length > mappingLimits.textCharacters)
    return problems.add(at, 'too-long', `at most ${mappingLimits.textCharacters} characters`);
  return value;
}
