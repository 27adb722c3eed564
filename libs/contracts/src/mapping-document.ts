import type { AlertStatus, Severity } from './vocabulary.ts';

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
 * A webhook's mapping as it is stored and shown: in the canonical form of `readMapping` (domain/mapping-rules), with the names that
 * people type. Every key is optional to people and present here.
 */
export interface MappingDocument {
  readonly fields: Readonly<Partial<Record<MappingField, PathChain>>>;
  /** Words of the source, in any case, before every other vocabulary. */
  readonly severity: Readonly<Record<string, Severity>>;
  readonly status: Readonly<Record<string, AlertStatus>>;
  readonly defaults: MappingDefaults;
  readonly custom_fields: readonly CustomField[];
  readonly extracted_fields: readonly ExtractedField[];
  /** What becomes of a payload with several alerts; absent = `all`. */
  readonly split?: MappingSplit;
}

/** `all`: an alert each; `first`: only the first element; `group`: one alert of all of them (product, settled contradictions). */
export const mappingSplits = ['all', 'first', 'group'] as const;
export type MappingSplit = (typeof mappingSplits)[number];
