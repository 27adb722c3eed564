import type { AlertStatus, Severity } from '@tocsin/contracts';
import {
  alertLimits,
  instantOf,
  isUnsetTime,
  limitFields,
  limitText,
  listOf,
  type Notes,
  textOf,
} from '../mapping/index.ts';
import { coerce } from './coerce.ts';
import type { CompiledCustomField, CompiledMapping } from './compile-mapping.ts';
import type { MappingField } from './document.ts';
import { nearestPath } from './nearest.ts';
import { findFirst, type Position, type UserPath } from './user-path.ts';

/** Words that are known beside the user's tables: the connector's own, then the vocabulary of the webhook's profile. */
export interface Vocabulary {
  severityOf(this: void, text: string): Severity | undefined;
  statusOf(this: void, text: string): AlertStatus | undefined;
}

/** What the user's mapping says about one alert; what it does not say is the connector's. */
export interface Overrides {
  title?: string;
  description?: string;
  severity?: Severity;
  status?: AlertStatus;
  services?: string[];
  tags?: string[];
  source?: string;
  url?: string;
  dedupKey?: string;
  occurredAt?: string;
  incidentType?: string;
}

export interface AppliedMapping {
  readonly overrides: Overrides;
  /** Typed by the mapping. */
  readonly customFields: Readonly<Record<string, unknown>>;
  /** As they were found. */
  readonly extractedFields: Readonly<Record<string, unknown>>;
}

interface Application {
  mapping: CompiledMapping;
  at: Position;
  vocabulary: Vocabulary;
  notes: Notes;
}

/** Applies a mapping to one element of a payload. Pure and total: whatever cannot be read is a note. */
export function applyMapping(
  mapping: CompiledMapping,
  at: Position,
  vocabulary: Vocabulary,
  notes: Notes,
): AppliedMapping {
  const application: Application = { mapping, at, vocabulary, notes };
  return {
    overrides: defined({
      title: text(application, 'title'),
      description: text(application, 'description'),
      severity: severity(application),
      status: status(application),
      services: list(application, 'services'),
      tags: list(application, 'tags'),
      source: text(application, 'source'),
      url: text(application, 'url'),
      dedupKey: text(application, 'dedup_key'),
      occurredAt: instant(application),
      incidentType: text(application, 'incident_type'),
    }),
    customFields: limited(mapping.custom, application, (field) => customValue(field, application)),
    extractedFields: limited(mapping.extracted, application, (field) => {
      const values = read(field.chain, field.name, application);
      return values?.length === 1 ? values[0] : values;
    }),
  };
}

function defined(overrides: { [Key in keyof Overrides]: Overrides[Key] | undefined }): Overrides {
  return Object.fromEntries(Object.entries(overrides).filter(([, value]) => value !== undefined));
}

/** What a chain finds; nothing is a note that names what its first path may have meant. */
function read(chain: readonly UserPath[], field: string, { at, notes }: Application): readonly unknown[] | undefined {
  const { effort } = at;
  const found = findFirst(chain, at);
  const within = found?.values.every((value) => effort?.allowsValue(value) !== false);
  if (effort?.isSpent()) {
    notes.add('mapping-limited', 'mapping', 'this mapping costs too much for a payload of this size');
    return undefined;
  }
  if (found && within) return found.values;
  const path = chain[0]?.text;
  if (path !== undefined) {
    const nearest = effort === undefined || effort.allowsSuggestion() ? nearestAt(path, at) : undefined;
    notes.add('path-found-nothing', field, nearest === undefined ? path : `${path}; nearest: ${nearest}`);
  }
  return undefined;
}

const nearestAt = (path: string, { element, root }: Position): string | undefined =>
  nearestPath(path, element) ?? (root === element ? undefined : nearestPath(path, root));

function valuesOf(application: Application, field: MappingField): readonly unknown[] | undefined {
  const chain = application.mapping.fields[field];
  return chain && read(chain, field, application);
}

/** Scalar fields take the first of several values. */
function first(values: readonly unknown[], field: string, notes: Notes): unknown {
  const [value] = values;
  const many = values.length > 1 || (Array.isArray(value) && value.length > 1);
  if (many) notes.add('first-of-list', field);
  return value;
}

function text(application: Application, field: MappingField): string | undefined {
  const values = valuesOf(application, field);
  if (values === undefined) return undefined;
  const found = textOf(first(values, field, application.notes));
  if (found === undefined) application.notes.add('value-not-converted', field, 'no text');
  return found !== undefined && mayKeep(application, field, Math.min(found.length, MAX_TEXT)) ? found : undefined;
}

const MAX_TEXT = alertLimits.characters;
const MAX_LIST = alertLimits.items * alertLimits.itemCharacters;

/** What stays of an alert's text is bounded; what the alerts of one payload may repeat of it is bounded here. */
const SHORT = 256;
function mayKeep({ at, notes }: Application, field: string, characters: number): boolean {
  if (characters <= SHORT || at.effort === undefined || at.effort.allowsKept(characters)) return true;
  notes.add('mapping-limited', field, 'the alerts of this payload repeat too much of it');
  return false;
}

function list(application: Application, field: MappingField): string[] | undefined {
  const found = valuesOf(application, field)?.flatMap(listOf);
  if (found === undefined || found.length === 0) return undefined;
  const characters = found.slice(0, alertLimits.items).reduce((sum, { length }) => sum + length, 0);
  return mayKeep(application, field, Math.min(characters, MAX_LIST)) ? found : undefined;
}

function severity(application: Application): Severity | undefined {
  const word = text(application, 'severity');
  if (word === undefined) return undefined;
  const level = application.mapping.severityOf(word) ?? application.vocabulary.severityOf(word);
  if (level === undefined) application.notes.add('severity-unknown', 'severity', word);
  return level;
}

function status(application: Application): AlertStatus | undefined {
  const word = text(application, 'status');
  if (word === undefined) return undefined;
  const found = application.mapping.statusOf(word) ?? application.vocabulary.statusOf(word);
  if (found === undefined) application.notes.add('status-unknown', 'status', word);
  return found;
}

function instant(application: Application): string | undefined {
  const values = valuesOf(application, 'occurred_at');
  const value = values && first(values.flat(), 'occurred_at', application.notes);
  const found = instantOf(value);
  if (found === undefined && !isUnsetTime(value))
    application.notes.add('time-unreadable', 'occurred_at', textOf(value));
  return found;
}

function customValue(field: CompiledCustomField, application: Application): unknown {
  const { notes } = application;
  const values = read(field.chain, field.name, application);
  if (values === undefined) return field.standIn;
  const value = field.type === 'list' ? (values.length === 1 ? values[0] : values) : scalar(values, field.name, notes);
  const coerced = coerce(field.type, value);
  if (coerced !== undefined) return coerced.value;
  notes.add('value-not-converted', field.name, `${shown(value)} is no ${field.type}`);
  return field.standIn;
}

function scalar(values: readonly unknown[], field: string, notes: Notes): unknown {
  const value = first(values, field, notes);
  return Array.isArray(value) ? (value as unknown[])[0] : value;
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  const found = textOf(value);
  return typeof value === 'object' || found === undefined ? 'an object' : `"${found.slice(0, 60)}"`;
}

/** Values by name, within the limits of kept fields; what is not there has no name. */
function limited<Field extends { name: string }>(
  fields: readonly Field[],
  application: Application,
  valueOf: (field: Field) => unknown,
): Record<string, unknown> {
  if (fields.length === 0) return {};
  const { notes } = application;
  const entries = fields
    .map((field) => [field.name, valueOf(field)] as const)
    .filter(([, value]) => value !== undefined);
  const texts = entries.map(
    ([name, value]) => [name, typeof value === 'string' ? limitText(value, notes, name) : value] as const,
  );
  const kept = limitFields(Object.fromEntries(texts), notes);
  return mayKeep(application, 'customFields', charactersOf(kept)) ? kept : {};
}

/** About how long the JSON is; plain values need no look. */
const charactersOf = (fields: Readonly<Record<string, unknown>>): number =>
  Object.values(fields).reduce<number>((sum, value) => {
    if (typeof value === 'string') return sum + value.length;
    return typeof value === 'object' && value !== null ? sum + JSON.stringify(value).length : sum;
  }, 0);
