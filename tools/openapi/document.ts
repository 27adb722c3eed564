import { readFileSync } from 'node:fs';
import { scopes } from '@tocsin/contracts';
import { tags } from './describe.ts';
import { DtoSchemas } from './dto-schema.ts';
import { Components, type JsonSchema, referencesOf } from './json-schema.ts';
import { operationOf } from './operation.ts';
import { descriptions } from './operations/index.ts';
import { ProblemResponses } from './problems.ts';
import { allRoutes, nameOf, type Route } from './routes.ts';
import { answerSchemas } from './schemas/index.ts';

export interface OpenApiDocument {
  openapi: string;
  paths: Record<string, Record<string, JsonSchema>>;
  components: { schemas: Record<string, JsonSchema>; responses: Record<string, JsonSchema> };
  [more: string]: unknown;
}

const INFO = `Alerts in, incidents out: every decision says why.

Requests and answers are JSON; names are snake_case, times ISO 8601 in UTC with milliseconds. Lists take \`limit\` and \`cursor\` and answer
\`items\` and \`next_cursor\`. Errors are RFC 9457 \`application/problem+json\` with a \`code\` from a closed list. A change carries
\`If-Match\` with the \`ETag\` of an earlier answer where it must not overwrite somebody else's. Fields are added over time; clients ignore those that they do not know.`;

const securitySchemes = {
  apiKey: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'tsk_<id>_<secret>',
    description: `An API key. It has one or several of the scopes ${scopes.map((scope) => `\`${scope}\``).join(', ')}; \`admin\` includes the others.`,
  },
  webhookBearer: {
    type: 'http',
    scheme: 'bearer',
    description:
      'The secret of a webhook with `auth.method` `bearer`. Others have their own header, parameter or signature: `GET /api/v1/webhooks/{id}/setup` shows it.',
  },
  webhookBasic: {
    type: 'http',
    scheme: 'basic',
    description: 'The user name and secret of a webhook with `auth.method` `basic`.',
  },
};

/** Routes that nothing is said of, and descriptions of routes that are gone. */
export function gaps(routes: readonly Route[] = allRoutes()): { undescribed: string[]; stale: string[] } {
  const names = routes.map(nameOf);
  return {
    undescribed: names.filter((name) => !(name in descriptions)),
    stale: Object.keys(descriptions).filter((name) => !names.includes(name)),
  };
}

function pathsOf(routes: readonly Route[], parts: Parameters<typeof operationOf>[2]): OpenApiDocument['paths'] {
  const paths: OpenApiDocument['paths'] = {};
  for (const route of routes) {
    const description = descriptions[nameOf(route)];
    if (!description) continue; // openapi.spec.ts says so
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}');
    (paths[path] ??= {})[route.method.toLowerCase()] = operationOf(route, description, parts);
  }
  return paths;
}

/** Takes in the answer schemas that something refers to, and those that they refer to. */
function complete(components: Components, from: unknown): void {
  for (const name of referencesOf(from)) {
    if (components.has(name)) continue;
    const schema = answerSchemas[name];
    if (!schema) throw new Error(`there is no schema ${name} in tools/openapi/schemas`);
    components.add(name, schema);
    complete(components, schema);
  }
}

/** The OpenAPI document of every route. @throws Error that names the route and what its description lacks */
export function openApiDocument(): OpenApiDocument {
  const components = new Components();
  const problems = new ProblemResponses();
  const paths = pathsOf(allRoutes(), { dtos: new DtoSchemas(components), components, problems });
  complete(components, [paths, problems.sorted()]);
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  const used = new Set(
    Object.values(paths).flatMap((path) => Object.values(path).flatMap(({ tags: of }) => of as string[])),
  );
  const document = {
    openapi: '3.1.1',
    info: { title: 'Tocsin', version, description: INFO, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    servers: [{ url: '/' }],
    tags: Object.entries(tags).flatMap(([name, description]) => (used.has(name) ? [{ name, description }] : [])),
    paths,
    components: { schemas: components.sorted(), responses: problems.sorted(), securitySchemes },
  };
  return JSON.parse(JSON.stringify(document)) as OpenApiDocument;
}

/** The document as it is written to files. */
export const openApiText = (): string => `${JSON.stringify(openApiDocument(), null, 2)}\n`;
