import type { OpenApiDocument } from './document.ts';
import type { JsonSchema } from './json-schema.ts';

interface Parameter {
  name: string;
  in: string;
  example?: string | number | boolean | string[];
}
interface Response {
  $ref?: string;
  content?: Record<string, { schema?: JsonSchema }>;
}
export interface Operation {
  parameters?: Parameter[];
  requestBody?: { content: Record<string, { schema?: JsonSchema; examples?: Record<string, { value: unknown }> }> };
  responses: Record<string, Response>;
  security: Record<string, string[]>[];
  tags: string[];
}

/** One request that the document shows: what a reader who copies its examples would send. */
export interface ExampleRequest {
  name: string;
  method: string;
  /** As the document names it, with parameters in braces. */
  path: string;
  /** Path and query with the example values. */
  target: string;
  headers: Record<string, string>;
  body: string | undefined;
  operation: Operation;
}

/** Every operation with its method and path. */
export const operationsOf = (document: OpenApiDocument): { method: string; path: string; operation: Operation }[] =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      operation: operation as unknown as Operation,
    })),
  );

function targetOf(path: string, parameters: readonly Parameter[]): string {
  const given = (place: string) => parameters.filter((one) => one.in === place && one.example !== undefined);
  const filled = given('path').reduce(
    (text, { name, example }) => text.replace(`{${name}}`, encodeURIComponent(String(example))),
    path,
  );
  const query = given('query').map(({ name, example }) => `${name}=${encodeURIComponent(String(example))}`);
  return query.length > 0 ? `${filled}?${query.join('&')}` : filled;
}

/** Every request that the document shows: one per example body, or one where there is no body. */
export function exampleRequests(document: OpenApiDocument): ExampleRequest[] {
  return operationsOf(document).flatMap(({ method, path, operation }) => {
    const { parameters = [], requestBody } = operation;
    const headers = Object.fromEntries(
      parameters.flatMap((one) =>
        one.in === 'header' && one.example !== undefined ? [[one.name, String(one.example)]] : [],
      ),
    );
    const target = targetOf(path, parameters);
    const bodies = Object.entries(requestBody?.content ?? {}).flatMap(([type, { examples = {} }]) =>
      Object.entries(examples).map(([name, { value }]) => ({
        name: `${method} ${path} ${name}`,
        headers: { ...headers, 'content-type': type },
        body: typeof value === 'string' ? value : JSON.stringify(value),
      })),
    );
    const all = bodies.length > 0 ? bodies : [{ name: `${method} ${path}`, headers, body: undefined }];
    return all.map((one) => ({ ...one, method, path, target, operation }));
  });
}

export interface AnswerSchema {
  type: string;
  schema: JsonSchema | undefined;
}

/** What the document says of an answer: undefined for a status that it does not name, null for an answer without a body. */
export function answerOf(
  document: OpenApiDocument,
  operation: Operation,
  status: number,
): AnswerSchema | null | undefined {
  const named = operation.responses[String(status)];
  if (!named) return undefined;
  const shared = named.$ref ? document.components.responses[named.$ref.split('/').at(-1) ?? ''] : named;
  const [first] = Object.entries((shared as Response).content ?? {});
  return first ? { type: first[0], schema: first[1].schema } : null;
}
