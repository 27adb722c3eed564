import { readFileSync } from 'node:fs';

/** A JSON Schema or a reference to one, as the document holds it. */
export interface Schema {
  $ref?: string;
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  anyOf?: Schema[];
  allOf?: Schema[];
  description?: string;
  default?: unknown;
  [keyword: string]: unknown;
}

export interface Parameter {
  name: string;
  in: string;
  required: boolean;
  schema: Schema;
  description?: string;
  example?: unknown;
}

export interface Media {
  schema?: Schema;
  examples?: Record<string, { summary: string; value: unknown }>;
}

export interface Answer {
  $ref?: string;
  description?: string;
  content?: Record<string, Media>;
}

export interface Operation {
  operationId: string;
  tags: string[];
  summary: string;
  description?: string;
  parameters?: Parameter[];
  requestBody?: { required: boolean; content: Record<string, Media> };
  responses: Record<string, Answer>;
  security: Record<string, string[]>[];
  'x-service': string;
}

/** The parts of the OpenAPI document that its page shows. */
export interface ApiDocument {
  info: { title: string; version: string; description: string };
  tags: { name: string; description: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: {
    schemas: Record<string, Schema>;
    responses: Record<string, Answer>;
    securitySchemes: Record<string, { description: string }>;
  };
}

/** The text that tools/docs/main.ts writes from the routes of every service: a service knows only its own. */
export const apiDocumentText = (): string =>
  readFileSync(new URL('../../src/api-docs/openapi.json', import.meta.url), 'utf8');
