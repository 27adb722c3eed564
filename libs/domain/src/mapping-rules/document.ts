import type { AlertStatus, Severity } from '@tocsin/contracts';

/** What a mapping can fill (product P6), in the order of the docs. */
export const mappingFields = [
  'title',
  'description',
  'severity',
  'status',
  'services',
  'tags',
  'source',
  'url',
  'dedup_key',
  'occurred_at',
  'incident_type',
] as const;
export type MappingField = (typeof mappingFields)[number];

/** Fields that may have a default: what stands in where neither the mapping nor the connector finds anything. */
export const defaultFields = [
  'title',
  'description',
  'severity',
  'status',
  'services',
  'tags',
  'source',
  'url',
  'incident_type',
] as const satisfies readonly MappingField[];

export const customFieldTypes = ['string', 'number', 'boolean', 'datetime', 'list', 'object'] as const;
export type CustomFieldType = (typeof customFieldTypes)[number];

/** A fallback chain of paths: only null, undefined and empty fall through. */
export type PathChain = readonly string[];

export interface CustomField {
  readonly name: string;
  readonly description?: string;
  readonly type: CustomFieldType;
  readonly default_value?: unknown;
  readonly path: PathChain;
}

export interface ExtractedField {
  readonly name: string;
  readonly path: PathChain;
}

export interface MappingDefaults {
  readonly title?: string;
  readonly description?: string;
  readonly severity?: Severity;
  readonly status?: AlertStatus;
  readonly services?: readonly string[];
  readonly tags?: readonly string[];
  readonly source?: string;
  readonly url?: string;
  readonly incident_type?: string;
}

/**
 * A webhook's mapping as it is stored and shown: in the canonical form of `readMapping`, with the names that people type. Every key
 * is optional to people and present here.
 */
export interface MappingDocument {
  readonly fields: Readonly<Partial<Record<MappingField, PathChain>>>;
  /** Words of the source, in any case, before every other vocabulary. */
  readonly severity: Readonly<Record<string, Severity>>;
  readonly status: Readonly<Record<string, AlertStatus>>;
  readonly defaults: MappingDefaults;
  readonly custom_fields: readonly CustomField[];
  readonly extracted_fields: readonly ExtractedField[];
}

export const emptyMapping: MappingDocument = {
  fields: {},
  severity: {},
  status: {},
  defaults: {},
  custom_fields: [],
  extracted_fields: [],
};

/** Limits at save. */
export const mappingLimits = {
  pathsPerChain: 10,
  namedFields: 100,
  tableEntries: 200,
  wordCharacters: 200,
  nameCharacters: 64,
  textCharacters: 1_000,
  problems: 50,
} as const;

/** How words are compared: trimmed, without case (product P5). */
export const wordOf = (text: string): string => text.trim().toLowerCase();
