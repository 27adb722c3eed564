import { alertStatuses, type MappingSplit, mappingSplits, severities } from '@tocsin/contracts';
import { isEmpty, isObject, textOf, withinLimits } from '../mapping/index.ts';
import {
  defaultFields,
  type MappingDefaults,
  type MappingDocument,
  type MappingField,
  mappingFields,
  mappingLimits,
  type PathChain,
  wordOf,
} from './document.ts';
import { type MappingProblem, MappingProblems } from './problems.ts';
import { readChain } from './read-chain.ts';
import { readNamedFields } from './read-named-fields.ts';

export type ReadMapping =
  | { readonly ok: true; readonly mapping: MappingDocument }
  | { readonly ok: false; readonly problems: readonly MappingProblem[] };

const KEYS = [
  'fields',
  'field_mapping',
  'severity',
  'status',
  'defaults',
  'custom_fields',
  'extracted_fields',
  'dedup_key',
  'split',
] as const;

/**
 * The canonical form of a mapping as people write it, or everything that is wrong with it. A bare path stands for a list of one,
 * `field_mapping` for `fields`, and `dedup_key` beside the fields for the one among them (product P6, settled). Never throws.
 * @param at where the mapping lies in the document that was sent, for the problems
 */
export function readMapping(input: unknown, at = 'mapping'): ReadMapping {
  const problems = new MappingProblems();
  const mapping = readDocument(input ?? {}, at, problems);
  if (problems.all().length === 0) checkStorable(mapping, at, problems);
  return problems.all().length === 0 ? { ok: true, mapping } : { ok: false, problems: problems.all() };
}

function readDocument(input: unknown, at: string, problems: MappingProblems): MappingDocument {
  const given = objectAt(input, at, problems);
  refuseUnknown(given, { at, known: KEYS, problems });
  const alias = given['fields'] === undefined ? 'field_mapping' : 'fields';
  if (alias === 'fields' && given['field_mapping'] !== undefined) {
    problems.add(`${at}.field_mapping`, 'unknown-key', 'field_mapping is another name of fields: give one of them');
  }
  const fields = readFields(given[alias], `${at}.${alias}`, problems);
  const key = isEmpty(given['dedup_key']) ? undefined : readChain(given['dedup_key'], `${at}.dedup_key`, problems);
  return {
    // The canonical place wins over the other one.
    fields: key === undefined || fields.dedup_key !== undefined ? fields : { ...fields, dedup_key: key },
    severity: readTable(given['severity'], { at: `${at}.severity`, values: severities, problems }),
    status: readTable(given['status'], { at: `${at}.status`, values: alertStatuses, problems }),
    defaults: readDefaults(given['defaults'], `${at}.defaults`, problems),
    ...readNamedFields(given, at, problems),
    ...readSplit(given['split'], `${at}.split`, problems),
  };
}

function readSplit(value: unknown, at: string, problems: MappingProblems): { split?: MappingSplit } {
  if (isEmpty(value)) return {};
  const split = mappingSplits.find((one) => one === value);
  if (split === undefined) problems.add(at, 'unknown-value', `one of ${mappingSplits.join(', ')} is expected`);
  return split === undefined || split === 'all' ? {} : { split };
}

/** PostgreSQL holds neither U+0000 nor half characters, and the document goes to every service with each change. */
function checkStorable(mapping: MappingDocument, at: string, problems: MappingProblems): void {
  if (!withinLimits(mapping)) return problems.add(at, 'too-long', 'it is nested too deep or has too many values');
  const text = JSON.stringify(mapping);
  if (text.length > mappingLimits.documentCharacters)
    problems.add(at, 'too-long', `at most ${mappingLimits.documentCharacters} characters of JSON`);
  // JSON.stringify writes both as escapes; a backslash in front of the escape would be one of the text.
  for (const [name, part] of Object.entries(mapping)) {
    if (/(?:^|[^\\])(?:\\\\)*\\u(?:0000|d[89a-f])/.test(JSON.stringify(part)))
      problems.add(`${at}.${name}`, 'bad-text', 'U+0000 and half characters cannot be kept');
  }
}

/** Own enumerable keys of an object; an absent one is empty. */
function objectAt(value: unknown, at: string, problems: MappingProblems): Record<string, unknown> {
  if (value === undefined || value === null) return {};
  if (!isObject(value)) problems.add(at, 'wrong-type', 'an object is expected');
  return isObject(value) ? value : {};
}

function refuseUnknown(
  given: object,
  { at, known, problems }: { at: string; known: readonly string[]; problems: MappingProblems },
): void {
  for (const key of Object.keys(given)) {
    if (!known.includes(key)) problems.add(`${at}.${key}`, 'unknown-key', `unknown key; known are ${known.join(', ')}`);
  }
}

function readFields(value: unknown, at: string, problems: MappingProblems): Partial<Record<MappingField, PathChain>> {
  const given = objectAt(value, at, problems);
  refuseUnknown(given, { at, known: mappingFields, problems });
  const fields: Partial<Record<MappingField, PathChain>> = {};
  for (const field of mappingFields) {
    const chain =
      Object.hasOwn(given, field) && !isEmpty(given[field])
        ? readChain(given[field], `${at}.${field}`, problems)
        : undefined;
    if (chain) fields[field] = chain;
  }
  return fields;
}

interface TableRule<Value extends string> {
  at: string;
  values: readonly Value[];
  problems: MappingProblems;
}

function readTable<Value extends string>(
  value: unknown,
  { at, values, problems }: TableRule<Value>,
): Record<string, Value> {
  const entries = Object.entries(objectAt(value, at, problems));
  if (entries.length > mappingLimits.tableEntries)
    problems.add(at, 'too-many', `at most ${mappingLimits.tableEntries} words`);
  const table = new Map<string, Value>();
  const seen = new Set<string>();
  for (const [word, level] of entries.slice(0, mappingLimits.tableEntries)) {
    const key = wordOf(word);
    const known = values.find((one) => typeof level === 'string' && one === level.trim().toLowerCase());
    if (key === '') problems.add(at, 'bad-name', 'a word is empty');
    else if (word.length > mappingLimits.wordCharacters)
      problems.add(at, 'too-long', `words have at most ${mappingLimits.wordCharacters} characters`);
    else if (seen.has(key)) problems.add(`${at}.${word}`, 'duplicate-name', 'this word is there in another case');
    else if (known === undefined)
      problems.add(`${at}.${word}`, 'unknown-value', `one of ${values.join(', ')} is expected`);
    else table.set(word.trim(), known);
    seen.add(key);
  }
  return Object.fromEntries(table);
}

const LISTS: ReadonlySet<string> = new Set(['services', 'tags']);
const WORDS: Readonly<Record<string, readonly string[]>> = { severity: severities, status: alertStatuses };

function readDefaults(value: unknown, at: string, problems: MappingProblems): MappingDefaults {
  const given = objectAt(value, at, problems);
  refuseUnknown(given, { at, known: defaultFields, problems });
  const entries = defaultFields.flatMap((field) => {
    if (!Object.hasOwn(given, field) || isEmpty(given[field])) return [];
    const read = LISTS.has(field)
      ? readTexts(given[field], `${at}.${field}`, problems)
      : readText(given[field], `${at}.${field}`, problems);
    const words = WORDS[field];
    if (words === undefined || typeof read !== 'string') return read === undefined ? [] : [[field, read] as const];
    const word = words.find((one) => one === wordOf(read));
    if (word === undefined) problems.add(`${at}.${field}`, 'unknown-value', `one of ${words.join(', ')} is expected`);
    return word === undefined ? [] : [[field, word] as const];
  });
  return Object.fromEntries(entries);
}

function readText(value: unknown, at: string, problems: MappingProblems): string | undefined {
  const text = typeof value === 'object' ? undefined : textOf(value);
  if (text === undefined) return problems.add(at, 'wrong-type', 'a text is expected');
  if (text.length > mappingLimits.textCharacters)
    return problems.add(at, 'too-long', `at most ${mappingLimits.textCharacters} characters`);
  return text;
}

function readTexts(value: unknown, at: string, problems: MappingProblems): string[] | undefined {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (list.length > mappingLimits.namedFields)
    return problems.add(at, 'too-many', `at most ${mappingLimits.namedFields} items`);
  return list.flatMap((item, index) => readText(item, `${at}[${index}]`, problems) ?? []);
}
