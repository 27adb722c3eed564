import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { JsonScanner, positionOf } from './json-scan.ts';
import { Problem, problemBody } from './problem.ts';

/** Largest body as it arrives (product P7); larger ones are refused before they are read to the end. */
export const BODY_LIMIT = 1024 * 1024;

/** Routes whose handler needs the untouched bytes: signatures are verified over them. */
const RAW = /^\/(webhook|api\/integrations|api\/v1\/webhooks\/[^/?]+\/test|v2\/enqueue|prometheus|sink)(\/|\?|$)/;

/** V8 tells the offset of an error only sometimes; the scanner always does. It agrees with JSON.parse, which its spec proves. */
const scanner = new JsonScanner({ depth: 1_000_000, keys: 1_000_000 });

function jsonProblem(body: Buffer): Problem {
  const scan = scanner.scan(body);
  const { line, column } = positionOf(body, scan.ok ? 0 : scan.offset);
  return new Problem('malformed-body', `Not JSON at line ${line}, column ${column}.`, {
    errors: [{ path: '$', code: 'not-json', message: `line ${line}, column ${column}` }],
  });
}

/** Whether a key of it may be `__proto__`, written as it is or with escapes. Looking at each key costs several times what parsing does. */
const NAMES_PROTOTYPE = /__proto__|\\u/;
const withoutPrototype = (key: string, value: unknown): unknown => (key === '__proto__' ? undefined : value);

function parseBody(request: FastifyRequest, body: Buffer): unknown {
  if (RAW.test(request.url)) return body;
  if (body.length === 0) return undefined;
  const type = request.headers['content-type'] ?? '';
  if (!/^application\/([\w.+-]+\+)?json\b/i.test(type)) {
    throw new Problem('unsupported-media-type', 'The body must be application/json.');
  }
  try {
    const text = body.toString('utf8');
    return NAMES_PROTOTYPE.test(text) ? JSON.parse(text, withoutPrototype) : JSON.parse(text);
  } catch {
    throw jsonProblem(body);
  }
}

/** Addresses that the router gives up on, before there is a route whose filter could tell. */
function refuseAddress({ code }: FastifyError, _request: FastifyRequest, reply: FastifyReply): void {
  const problem =
    code === 'FST_ERR_MAX_PARAM_LENGTH'
      ? new Problem('not-found', 'There is nothing at this address.')
      : new Problem('malformed-request', 'The address is not a valid one.');
  void reply
    .status(problem.status)
    .header('content-type', 'application/problem+json; charset=utf-8')
    .send(JSON.stringify(problemBody(problem)));
}

/** Fastify with one body parser for everything: raw bytes where signatures are checked, JSON elsewhere. */
export function fastifyAdapter(): { adapter: FastifyAdapter; beginShutdown: () => void } {
  const adapter = new FastifyAdapter({
    bodyLimit: BODY_LIMIT,
    requestTimeout: 60_000,
    keepAliveTimeout: 65_000,
    forceCloseConnections: 'idle',
    frameworkErrors: refuseAddress,
    routerOptions: { maxParamLength: 200, ignoreTrailingSlash: true },
  });
  const instance = adapter.getInstance<FastifyInstance>();
  instance.removeAllContentTypeParsers();
  instance.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: BODY_LIMIT }, (request, body, done) => {
    try {
      done(null, parseBody(request, body as Buffer));
    } catch (error) {
      done(error as Error, undefined);
    }
  });
  // A request in flight at shutdown would otherwise keep its connection, and with it the process, until the idle timeout.
  let closing = false;
  instance.addHook('onSend', (_request, reply, payload, done) => {
    if (closing) void reply.header('connection', 'close');
    done(null, payload);
  });
  return { adapter, beginShutdown: () => void (closing = true) };
}
