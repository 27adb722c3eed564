import { serviceOfPath } from '../docs/routes-page.ts';
import type { Answer, Description, HeaderParameter } from './describe.ts';
import type { DtoSchemas } from './dto-schema.ts';
import type { Components, JsonSchema } from './json-schema.ts';
import { codesOf, type ProblemResponses } from './problems.ts';
import { nameOf, type Route } from './routes.ts';

export interface Parts {
  dtos: DtoSchemas;
  components: Components;
  problems: ProblemResponses;
}

const IF_MATCH = 'ETag of an earlier answer, e.g. `"42"`: the change is refused (412) where somebody else was faster.';

/** `GET /api/v1/incidents/{id}/timeline` → `getIncidentsByIdTimeline`. */
function operationIdOf(route: Route): string {
  const words = route.path
    .replace(/^\/api\/v\d+/, '')
    .split(/[/\-_.]/)
    .filter(Boolean);
  const named = words.map((word) => (word.startsWith(':') ? `by-${word.slice(1)}` : word)).join('-');
  return `${route.method.toLowerCase()}-${named}`.replace(/-(\w)/g, (_, first: string) => first.toUpperCase());
}

const withoutNull = (schema: JsonSchema): JsonSchema =>
  Array.isArray(schema.type)
    ? { ...schema, type: (schema.type as string[]).filter((type) => type !== 'null')[0] }
    : schema;

interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  required: boolean;
  schema: JsonSchema;
  [more: string]: unknown;
}

function pathParameters(route: Route, { path = {} }: Description, { dtos }: Parts): Parameter[] {
  const checked = route.params ? dtos.properties(route.params, route.app) : new Map<string, { schema: JsonSchema }>();
  const names = [...route.path.matchAll(/:(\w+)/g)].map(([, name]) => name ?? '');
  const unknown = Object.keys(path).filter((name) => !names.includes(name));
  if (unknown.length > 0) throw new Error(`${nameOf(route)} has no path parameter ${unknown.join(', ')}`);
  return names.map((name) => {
    if (path[name] === undefined)
      throw new Error(`${nameOf(route)}: its description needs path: { ${name}: … } as an example`);
    const schema = checked.get(name)?.schema ?? { type: 'string', minLength: 1, maxLength: 200 };
    return { name, in: 'path', required: true, schema, example: path[name] };
  });
}

function queryParameters(route: Route, description: Description, { dtos }: Parts): Parameter[] {
  const { query = {}, moreQuery = {} } = description;
  const declared: Parameter[] = route.query
    ? [...dtos.properties(route.query, route.app)].map(([name, { schema, required }]) => ({
        name,
        in: 'query',
        required,
        schema: withoutNull(schema),
        ...(schema.type === 'array' ? { style: 'form', explode: false } : {}),
      }))
    : [];
  const raw = Object.entries(moreQuery).map(([name, { description: said, schema, required = false }]): Parameter => ({
    name,
    in: 'query',
    required,
    schema,
    description: said,
  }));
  const all = [...declared, ...raw];
  const unknown = Object.keys(query).filter((name) => !all.some((one) => one.name === name));
  if (unknown.length > 0) throw new Error(`${nameOf(route)} has no query parameter ${unknown.join(', ')}`);
  return all.map((one) => {
    const example = query[one.name];
    if (example === undefined) return one;
    return { ...one, example: one.schema.type === 'array' ? String(example).split(',') : example };
  });
}

function headerParameters(route: Route, { headers = {} }: Description): Parameter[] {
  const unsaid = route.headers.filter((name) => !(name in headers));
  const all: Record<string, HeaderParameter> = {
    ...headers,
    ...(unsaid.includes('if-match') ? { 'if-match': { description: IF_MATCH } } : {}),
  };
  const missing = unsaid.filter((name) => !(name in all));
  if (missing.length > 0)
    throw new Error(
      `${nameOf(route)} reads the header ${missing.join(', ')}: its description must say so under headers`,
    );
  return Object.entries(all).map(([name, { description, schema = { type: 'string' }, example }]) => ({
    name,
    in: 'header',
    required: false,
    description,
    schema,
    ...(example === undefined ? {} : { example }),
  }));
}

function requestBody(route: Route, description: Description, { dtos }: Parts): JsonSchema | undefined {
  const { bodies = {}, rawBody } = description;
  const examples = Object.keys(bodies).length > 0 ? { examples: bodies } : {};
  if (rawBody) {
    const content = Object.entries(rawBody.types).map(([type, schema]) => [type, { schema, ...examples }]);
    return { required: rawBody.required, content: Object.fromEntries(content) as unknown };
  }
  if (!route.body) return undefined;
  if (Object.keys(bodies).length === 0)
    throw new Error(`${nameOf(route)} takes a body: its description needs bodies with at least one example`);
  const needed = [...dtos.properties(route.body, route.app).values()].some(({ required }) => required);
  const schema = dtos.component(route.body, route.app);
  return { required: needed, content: { 'application/json': { schema, ...examples } } };
}

function response({ description, schema, type = 'application/json', also = [], headers = {} }: Answer): JsonSchema {
  const named = Object.entries(headers).map(([name, said]) => [
    name,
    { description: said, schema: { type: 'string' } },
  ]);
  return {
    description,
    ...(named.length > 0 ? { headers: Object.fromEntries(named) as unknown } : {}),
    ...(schema ? { content: { [type]: { schema }, ...Object.fromEntries(also.map((one) => [one, {}])) } } : {}),
  };
}

function securityOf(route: Route, description: Description): unknown[] {
  if (route.scopes !== null) return route.scopes.map((scope) => ({ apiKey: [scope] }));
  if (!description.security) throw new Error(`${nameOf(route)} has no guard: its description must say security`);
  return [...description.security];
}

const serviceOf = (route: Route): string =>
  ['all-in-one', 'every service'].includes(route.app)
    ? route.app
    : (serviceOfPath(route.method, route.path) ?? route.app);

/** One operation of the document, of what the route checks and what is said of it. */
export function operationOf(route: Route, description: Description, parts: Parts): JsonSchema {
  const { tag, summary, description: text, answers } = description;
  if (Object.keys(answers).length === 0) throw new Error(`${nameOf(route)}: its description needs answers`);
  if (route.body && !(route.status in answers))
    throw new Error(
      `${nameOf(route)} answers with ${route.status}: its description says ${Object.keys(answers).join(', ')}`,
    );
  const parameters = [
    ...pathParameters(route, description, parts),
    ...queryParameters(route, description, parts),
    ...headerParameters(route, description),
  ];
  const own = Object.entries(answers).map(([status, said]) => [status, response(said)]);
  const body = requestBody(route, description, parts);
  return {
    operationId: operationIdOf(route),
    tags: [tag],
    summary,
    ...(text ? { description: text } : {}),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(body ? { requestBody: body } : {}),
    responses: { ...parts.problems.of(codesOf(route, description)), ...(Object.fromEntries(own) as object) },
    security: securityOf(route, description),
    'x-service': serviceOf(route),
  };
}
