import {
  type CustomField,
  type CustomFieldType,
  customFieldTypes,
  type ExtractedField,
  type MappingDefaults,
  type MappingDocument,
  type MappingField,
  mappingFields,
  type PathChain,
} from '@tocsin/contracts';

// The document itself is part of a webhook's configuration, which other services read: libs/contracts has its form.
export {
  type CustomField,
  type CustomFieldType,
  customFieldTypes,
  type ExtractedField,
  type MappingDefaults,
  type MappingDocument,
  type MappingField,
  mappingFields,
  type PathChain,
};

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
  /** Of the JSON of the whole mapping. */
  documentCharacters: 64 * 1024,
  problems: 50,
} as const;

/** How words are compared: trimmed, without case (product P5). */
export const wordOf = (text: string): string => text.trim().toLowerCase();
