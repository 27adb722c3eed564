import { type ProblemCode, problems } from '@tocsin/contracts';
import type { Description } from './describe.ts';
import type { JsonSchema } from './json-schema.ts';
import { ref } from './json-schema.ts';
import type { Route } from './routes.ts';

/** Codes that follow from what a route asks for; a description adds those of its own work. */
function derived(route: Route): ProblemCode[] {
  const codes: ProblemCode[] = ['unavailable'];
  const underKey = route.scopes !== null;
  if (underKey) codes.push('authentication-failed', 'forbidden');
  if (underKey && route.path.includes(':')) codes.push('not-found', 'malformed-request');
  if (route.body || route.query || route.params) codes.push('validation-failed');
  if (route.body) codes.push('malformed-body', 'malformed-request', 'body-too-large', 'unsupported-media-type');
  if (route.headers.includes('if-match')) codes.push('precondition-failed');
  return codes;
}

export function codesOf(route: Route, { problems: more = [], never = [] }: Description): ProblemCode[] {
  const codes = new Set([...derived(route), ...more]);
  for (const code of never) codes.delete(code);
  return [...codes].sort();
}

const HEADERS: Partial<Record<number, Record<string, JsonSchema>>> = {
  401: { 'WWW-Authenticate': { description: 'How to authenticate.', schema: { type: 'string' } } },
  429: { 'Retry-After': { description: 'Seconds.', schema: { type: 'integer' } } },
  503: { 'Retry-After': { description: 'Seconds.', schema: { type: 'integer' } } },
};

/** One shared response per status and set of codes. */
export class ProblemResponses {
  private readonly known = new Map<string, JsonSchema>();

  of(codes: readonly ProblemCode[]): Record<string, JsonSchema> {
    const byStatus = Map.groupBy(codes, (code) => problems[code].status);
    return Object.fromEntries([...byStatus].map(([status, of]) => [String(status), this.response(status, of)]));
  }

  private response(status: number, codes: readonly ProblemCode[]): JsonSchema {
    const name = `${status}.${codes.join('.')}`;
    const narrowed = { properties: { status: { const: status }, code: { enum: [...codes] } } };
    this.known.set(name, {
      description: `${codes.map((code) => `\`${code}\`: ${problems[code].title}.`).join(' ')}`,
      ...(HEADERS[status] ? { headers: HEADERS[status] } : {}),
      content: { 'application/problem+json': { schema: { allOf: [ref('Problem'), narrowed] } } },
    });
    return { $ref: `#/components/responses/${name}` };
  }

  sorted(): Record<string, JsonSchema> {
    return Object.fromEntries([...this.known].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}
