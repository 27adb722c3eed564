import { Catch, HttpException, Inject, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { throwError } from 'rxjs';
import { LOGGER, type Logger } from '../tokens.ts';
import { Problem, problemBody } from './problem.ts';

/** Error codes of a database or network that is away: the caller should come back, nothing is wrong with the request. */
const UNAVAILABLE = /^(08\w{3}|57P0\d|53\w{3}|ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN)$/;

const byFastifyCode: Record<string, (message: string) => Problem> = {
  FST_ERR_CTP_BODY_TOO_LARGE: () =>
    new Problem('body-too-large', 'The body is larger than 1 MiB.', { headers: { connection: 'close' } }),
  FST_ERR_CTP_INVALID_MEDIA_TYPE: (message) => new Problem('unsupported-media-type', message),
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: () => new Problem('malformed-request', 'Content-Length does not fit the body.'),
};

const byStatus: Record<number, ConstructorParameters<typeof Problem>[0]> = {
  400: 'malformed-request',
  401: 'authentication-failed',
  403: 'forbidden',
  404: 'not-found',
  405: 'method-not-allowed',
  409: 'conflict',
  413: 'body-too-large',
  415: 'unsupported-media-type',
  503: 'unavailable',
};

/** What the caller is told about an error. Unknown ones become `internal`: never a stack, never a secret. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof HttpException) {
    const code = byStatus[error.getStatus()];
    if (code) return new Problem(code, code === 'not-found' ? 'There is nothing at this address.' : error.message);
  }
  const { code, message, statusCode } = error as { code?: string; message?: string; statusCode?: number };
  if (code && byFastifyCode[code]) return byFastifyCode[code](message ?? code);
  if (code && UNAVAILABLE.test(code)) return unavailable();
  if (message && /timeout exceeded when trying to connect|Connection terminated/.test(message)) return unavailable();
  if (statusCode && statusCode < 500 && byStatus[statusCode])
    return new Problem(byStatus[statusCode], message ?? 'Bad request.');
  return new Problem('internal', 'Something unexpected happened; it is in the log of the service.');
}

const unavailable = () =>
  new Problem('unavailable', 'A component that this needs is away; try again.', { headers: { 'retry-after': '1' } });

/** Turns every error of an HTTP door into problem+json, and hands errors of log doors back to the strategy as they are. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(@Inject(LOGGER) private readonly log: Logger) {}

  catch(error: unknown, host: ArgumentsHost) {
    if (host.getType() === 'rpc') return throwError(() => error);
    const problem = problemOf(error);
    const http = host.switchToHttp();
    // An outage is told by health and by whoever noticed it; a line per refused request would bury both.
    if (problem.status >= 500 && problem.code !== 'unavailable') {
      const request = http.getRequest<{ method: string; routeOptions?: { url?: string } }>();
      this.log.error(
        { err: error, code: problem.code, method: request.method, route: request.routeOptions?.url },
        'request.failed',
      );
    }
    const reply = http.getResponse<FastifyReply>();
    if (reply.sent) return undefined;
    return reply
      .status(problem.status)
      .headers({ ...problem.extra.headers, 'content-type': 'application/problem+json; charset=utf-8' })
      .send(JSON.stringify(problemBody(problem)));
  }
}
