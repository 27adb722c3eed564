/** A JSON Schema as it stands in the document. TypeBox schemas are such objects already. */
export type JsonSchema = { readonly [key: string]: unknown };

const PREFIX = '#/components/schemas/';

/** Schemas that the document says once, by name. */
export class Components {
  private readonly known = new Map<string, JsonSchema>();

  /** @throws Error when two different schemas want one name */
  add(name: string, schema: JsonSchema): JsonSchema {
    const before = this.known.get(name);
    if (before && JSON.stringify(before) !== JSON.stringify(schema))
      throw new Error(`two schemas are called ${name}: rename one of the classes`);
    this.known.set(name, schema);
    return { $ref: `${PREFIX}${name}` };
  }

  has(name: string): boolean {
    return this.known.has(name);
  }

  sorted(): Record<string, JsonSchema> {
    return Object.fromEntries([...this.known].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}

/** Names of the components that a schema refers to. */
export const referencesOf = (schema: unknown): string[] => [
  ...new Set([...JSON.stringify(schema).matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name ?? '')),
];

/** A reference to a component that `schemas/` holds. */
export const ref = (name: string): JsonSchema => ({ $ref: `${PREFIX}${name}` });
