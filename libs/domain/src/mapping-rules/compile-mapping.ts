import type { AlertStatus, MappingSplit, Severity } from '@tocsin/contracts';
import { PathError } from '../mapping/index.ts';
import {
  type CustomField,
  type MappingDefaults,
  type MappingDocument,
  type MappingField,
  mappingFields,
  type PathChain,
  wordOf,
} from './document.ts';
import { compileUserPath, type UserPath } from './user-path.ts';

export interface CompiledField {
  readonly name: string;
  readonly chain: readonly UserPath[];
}
export interface CompiledCustomField extends CompiledField {
  readonly type: CustomField['type'];
  readonly standIn: unknown;
}

/** A mapping that is ready to be applied; compiled once per revision. */
export interface CompiledMapping {
  readonly fields: Readonly<Partial<Record<MappingField, readonly UserPath[]>>>;
  readonly custom: readonly CompiledCustomField[];
  readonly extracted: readonly CompiledField[];
  readonly defaults: MappingDefaults;
  readonly split: MappingSplit;
  /** The user's word for a level; it goes before the connector's own table and the common vocabulary. */
  severityOf(this: void, text: string): Severity | undefined;
  statusOf(this: void, text: string): AlertStatus | undefined;
  /** Paths that could be saved once and cannot be read any more; they find nothing. */
  readonly broken: readonly string[];
}

/** Total: a mapping that was stored under other rules works as far as it can, so that it never blocks its webhook. */
export function compileMapping(document: MappingDocument): CompiledMapping {
  const broken: string[] = [];
  const compile = (chain: PathChain): readonly UserPath[] =>
    chain.flatMap((text) => {
      try {
        return [compileUserPath(text)];
      } catch (error) {
        if (!(error instanceof PathError)) throw error;
        broken.push(text);
        return [];
      }
    });
  const fields = mappingFields.flatMap((field) => {
    const chain = document.fields[field];
    return chain === undefined ? [] : [[field, compile(chain)] as const];
  });
  const custom = document.custom_fields.map(({ name, type, path, default_value }) => ({
    name,
    type,
    chain: compile(path),
    standIn: default_value,
  }));
  const extracted = document.extracted_fields.map(({ name, path }) => ({ name, chain: compile(path) }));
  return {
    fields: Object.fromEntries(fields),
    custom,
    extracted,
    defaults: document.defaults,
    split: document.split ?? 'all',
    severityOf: lookupIn(document.severity),
    statusOf: lookupIn(document.status),
    broken,
  };
}

function lookupIn<Value>(table: Readonly<Record<string, Value>>): (text: string) => Value | undefined {
  const words = new Map(Object.entries(table).map(([word, value]) => [wordOf(word), value]));
  return (text) => words.get(wordOf(text));
}
