import { createRequire } from 'node:module';
import { getMetadataStorage } from 'class-validator';
import { commentsOf } from './comments.ts';
import type { Components, JsonSchema } from './json-schema.ts';

// What people may send is said by class-validator decorators; this reads them back as JSON Schema (2020-12, as in OpenAPI 3.1).

type Class = new () => object;
type Rule = ReturnType<ReturnType<typeof getMetadataStorage>['getTargetValidationMetadatas']>[number];

// class-transformer keeps what `@Type` says in a module that only its CommonJS build offers.
const { defaultMetadataStorage } = createRequire(import.meta.url)('class-transformer/cjs/storage.js') as {
  defaultMetadataStorage: {
    findTypeMetadata(target: Class, property: string): { typeFunction: () => unknown } | undefined;
  };
};

/** Classes of characters that few readers of JSON Schema know, as ranges. */
const CLASSES = { Cc: '\\u0000-\\u001f\\u007f-\\u009f', Cs: '\\ud800-\\udfff' };

function patternOf(expression: RegExp): JsonSchema {
  if (expression.flags.replace('u', '') !== '')
    throw new Error(`${String(expression)}: JSON Schema knows no flags; write the expression without them`);
  return { pattern: expression.source.replace(/\\p\{(Cc|Cs)\}/g, (_, name: keyof typeof CLASSES) => CLASSES[name]) };
}

/** One constraint as keywords, by class-validator's name of it. */
const KEYWORDS: Record<string, (...constraints: never[]) => JsonSchema> = {
  isString: () => ({ type: 'string' }),
  isInt: () => ({ type: 'integer' }),
  isNumber: () => ({ type: 'number' }),
  isBoolean: () => ({ type: 'boolean' }),
  isArray: () => ({ type: 'array' }),
  isObject: () => ({ type: 'object' }),
  isIn: (values: readonly unknown[]) => ({ enum: [...values] }),
  equals: (value: unknown) => ({ const: value }),
  isLength: (minLength: number, maxLength?: number) => ({
    ...(minLength > 0 ? { minLength } : {}),
    ...(maxLength === undefined ? {} : { maxLength }),
  }),
  minLength: (minLength: number) => ({ minLength }),
  maxLength: (maxLength: number) => ({ maxLength }),
  min: (minimum: number) => ({ minimum }),
  max: (maximum: number) => ({ maximum }),
  arrayMinSize: (minItems: number) => ({ minItems }),
  arrayMaxSize: (maxItems: number) => ({ maxItems }),
  arrayUnique: () => ({ uniqueItems: true }),
  arrayNotEmpty: () => ({ minItems: 1 }),
  isNotEmpty: () => ({}),
  isDefined: () => ({}),
  matches: (expression: RegExp) => patternOf(expression),
  isIso8601: () => ({ type: 'string', format: 'date-time' }),
  isUrl: () => ({ type: 'string', format: 'uri' }),
};

/** Two constraints may want the same keyword (two patterns): then both hold, side by side. */
function joined(parts: readonly JsonSchema[]): JsonSchema {
  const all: Record<string, unknown> = {};
  const beside: JsonSchema[] = [];
  for (const part of parts) {
    const taken = Object.entries(part).some(([key, value]) => key in all && all[key] !== value);
    if (taken) beside.push(part);
    else Object.assign(all, part);
  }
  return beside.length > 0 ? { ...all, allOf: beside } : all;
}

function keywordsOf(owner: string, rules: readonly Rule[]): JsonSchema {
  const parts = rules.flatMap((rule) => {
    if (['conditionalValidation', 'nestedValidation', 'whitelistValidation'].includes(rule.type)) return [];
    const keywords = KEYWORDS[rule.name ?? rule.type];
    if (!keywords)
      throw new Error(
        `${owner}: tools/openapi/dto-schema.ts does not know what @${rule.name} is in JSON Schema: add it`,
      );
    return [keywords(...((rule.constraints ?? []) as never[]))];
  });
  const schema = joined(parts);
  if (schema.type !== undefined || schema.enum !== undefined || schema.const !== undefined) return schema;
  return 'pattern' in schema || 'maxLength' in schema || 'minLength' in schema ? { type: 'string', ...schema } : schema;
}

/** `ValidateIf` and `IsOptional` are asked what they let through unchecked. */
function letsThrough(rules: readonly Rule[], value: undefined | null): boolean {
  return rules
    .filter(({ type }) => type === 'conditionalValidation')
    .some(({ constraints, propertyName }) => {
      const looksAt = constraints[0] as (body: object, value: unknown) => boolean;
      return !looksAt({ [propertyName]: value }, value);
    });
}

interface Property {
  schema: JsonSchema;
  required: boolean;
}

export class DtoSchemas {
  private readonly components: Components;

  constructor(components: Components) {
    this.components = components;
  }

  /** The schema of a class as a component, by the name of the class. */
  component(Class: Class, app: string): JsonSchema {
    return this.components.add(Class.name, this.object(Class, app));
  }

  /** Properties with their schemas: what a query or the path of a route may hold. */
  properties(Class: Class, app: string): Map<string, Property> {
    const rules = getMetadataStorage().getTargetValidationMetadatas(Class, '', true, false);
    const names = [...new Set(rules.map(({ propertyName }) => propertyName))];
    const comments = commentsOf(app, Class);
    const preset = new Class() as Record<string, unknown>;
    return new Map(
      names.map((name) => {
        const own = rules.filter(({ propertyName }) => propertyName === name);
        const schema = this.property(Class, name, { own, app });
        const shown = {
          ...(letsThrough(own, null) ? nullable(schema) : schema),
          ...(preset[name] === undefined ? {} : { default: preset[name] }),
          ...(comments.get(name) ? { description: comments.get(name) } : {}),
        };
        return [name, { schema: shown, required: preset[name] === undefined && !letsThrough(own, undefined) }];
      }),
    );
  }

  private object(Class: Class, app: string): JsonSchema {
    const properties = this.properties(Class, app);
    const required = [...properties].flatMap(([name, property]) => (property.required ? [name] : []));
    return {
      type: 'object',
      properties: Object.fromEntries([...properties].map(([name, { schema }]) => [name, schema])),
      ...(required.length > 0 ? { required } : {}),
      additionalProperties: false,
    };
  }

  private property(Class: Class, name: string, { own, app }: { own: readonly Rule[]; app: string }): JsonSchema {
    const owner = `${Class.name}.${name}`;
    const whole = keywordsOf(
      owner,
      own.filter(({ each }) => !each),
    );
    const each = own.filter(({ each: inItems }) => inItems);
    const nested = own.find(({ type }) => type === 'nestedValidation');
    const inside = nested ? this.nested(Class, name, app) : keywordsOf(owner, each);
    const isList = whole.type === 'array' || each.length > 0;
    if (isList) return { type: 'array', ...whole, ...(Object.keys(inside).length > 0 ? { items: inside } : {}) };
    if (!nested) return whole;
    return inside;
  }

  private nested(Class: Class, name: string, app: string): JsonSchema {
    const type = defaultMetadataStorage.findTypeMetadata(Class, name);
    if (!type) throw new Error(`${Class.name}.${name} is nested and needs @Type(() => …)`);
    return this.component(type.typeFunction() as Class, app);
  }
}

function nullable(schema: JsonSchema): JsonSchema {
  if ('$ref' in schema) return { anyOf: [schema, { type: 'null' }] };
  if (Array.isArray(schema.enum)) return { ...schema, enum: [...(schema.enum as unknown[]), null] };
  return typeof schema.type === 'string' ? { ...schema, type: [schema.type, 'null'] } : schema;
}
