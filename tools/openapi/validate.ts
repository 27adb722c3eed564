import type { ErrorObject, ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { OpenApiDocument } from './document.ts';
import type { JsonSchema } from './json-schema.ts';

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * The same schema with every object closed: clients must bear fields that are new, but a field that the document does not name is an
 * omission of ours. What is narrowed by `allOf` stays open, because each part sees only its own fields.
 */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (!isObject(schema)) return schema;
  const inner = Object.fromEntries(
    Object.entries(schema).map(([key, value]) => [key, key === 'allOf' || key === 'enum' ? value : closed(value)]),
  );
  const isOpen = isObject(schema.properties) && schema.type === 'object' && !('additionalProperties' in schema);
  return isOpen ? { ...inner, additionalProperties: false } : inner;
}

/** Holds values against schemas of the document. */
export class Validator {
  private readonly ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
  private readonly compiled = new Map<string, ValidateFunction>();

  constructor(document: OpenApiDocument) {
    const { Problem, ...schemas } = document.components.schemas;
    const components = { schemas: { ...(closed(schemas) as object), Problem } };
    this.ajv.addSchema({ $id: 'https://tocsin.example/openapi', components });
  }

  /** What is wrong with a value; empty = nothing. */
  errors(schema: JsonSchema, value: unknown): string[] {
    const text = JSON.stringify(closed(schema)).replaceAll(
      '"#/components',
      '"https://tocsin.example/openapi#/components',
    );
    const check = this.compiled.get(text) ?? this.ajv.compile(JSON.parse(text) as JsonSchema);
    this.compiled.set(text, check);
    if (check(value)) return [];
    return (check.errors ?? []).map(said);
  }
}

const said = ({ instancePath, message, params }: ErrorObject): string =>
  `${instancePath || '/'} ${message ?? ''} ${JSON.stringify(params)}`;
