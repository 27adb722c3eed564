import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Problem } from './problem.ts';

/** Largest body as it arrives (product P7); larger ones are refused before they are read to the end. */
export const BODY_LIMIT = 1024 * 1024;

/** Routes whose handler needs the untouched bytes: signatures are verified over them. */
const RAW = /^\/(webhook|api\/integrations|v2\/enqueue|prometheus|sink)(\/|\?|$)/;

/** Human position of a JSON error, from the offset that V8 prints. */
function jsonProblem(text: string, error: Error): Problem {
  const offset = Number(/position (\d+)/.exec(error.message)?.[1] ?? text.length);
  const before = text.slice(0, offset).split('\n');
  const line = before.length;
  const column = (before.at(-1)?.length ?? 0) + 1;
  return new Problem('malformed-body', `Not JSON at line ${line}, column ${column}.`, {
    errors: [{ path: '$', code: 'not-json', message: `line ${line}, column ${column}` }],
  });
}

function parseBody(request: FastifyRequest, body: Buffer): unknown {
  if (RAW.test(request.url)) return body;
  if (body.length === 0) return undefined;
  const type = request.headers['content-type'] ?? '';
  if (!/^application\/([\w.+-]+\+)?json\b/i.test(type)) {
    throw new Problem('unsupported-media-type', 'The body must be application/json.');
  }
  const text = body.toString('utf8');
  try {
    return JSON.parse(text, (key, value: unknown) => (key === '__proto__' ? undefined : value));
  } catch (error) {
    throw jsonProblem(text, error as Error);
  }
}

/** Fastify with one body parser for everything: raw bytes where signatures are checked, JSON elsewhere. */
export function fastifyAdapter(): FastifyAdapter {
  const adapter = new FastifyAdapter({
    bodyLimit: BODY_LIMIT,
    requestTimeout: 60_000,
    keepAliveTimeout: 65_000,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 200 },
  });
  const instance = adapter.getInstance() as unknown as FastifyInstance;
  instance.removeAllContentTypeParsers();
  instance.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: BODY_LIMIT }, (request, body, done) => {
    try {
      done(null, parseBody(request, body as Buffer));
    } catch (error) {
      done(error as Error, undefined);
    }
  });
  return adapter;
}
