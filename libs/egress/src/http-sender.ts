import { readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';
import { Agent, type Dispatcher } from 'undici';
import { allowListOf, reasonOfErrorCode, type AllowList, type AttemptReason } from '@tocsin/domain/delivery';
import type { EgressEnvironment } from './config.ts';
import { guardedConnector, type ConnectorOptions } from './guarded-connector.ts';
import { readProxy } from './proxy-tunnel.ts';
import { nameServers } from './resolve.ts';

export interface OutboundRequest {
  url: URL;
  headers: Record<string, string>;
  /** Absent = none. */
  body?: string;
  /** Absent = POST. */
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** From connecting to the response headers. */
  timeoutMs: number;
  /** Bytes of the response body that are read at most; absent = 50 KB. */
  responseBytesMax?: number;
}

export type OutboundResponse =
  | { kind: 'response'; status: number; headers: Record<string, string>; body: string; truncated: boolean }
  | { kind: 'no-response'; reason: AttemptReason; error: string }
  /** This process is going down; the attempt counts for nothing. */
  | { kind: 'given-back' };

export interface Sender {
  send(request: OutboundRequest): Promise<OutboundResponse>;
  /** Ends what is still in flight: those requests are given back. */
  abort(): void;
  close(): Promise<void>;
}

/** Response bodies are kept for people who look for the cause: more than this is not read. */
export const RESPONSE_BODY_MAX = 50 * 1024;
/** A receiver that has answered may take this long for the body; what has come until then is kept. */
const BODY_TIMEOUT_MS = 5_000;
const CONNECT_TIMEOUT_MS = 10_000;
const SHUTDOWN = Symbol('shutdown');

export interface SenderOptions {
  allow: AllowList;
  caFile?: string | undefined;
  resolve?: ConnectorOptions['resolve'];
  proxy?: ConnectorOptions['proxy'];
  own?: ConnectorOptions['own'];
}

/** How an installation dials users' addresses: its settings, and loopback where development mode is on. */
export const egressOptions = (config: EgressEnvironment, development: boolean): SenderOptions => ({
  allow: allowListOf(config.OUTBOUND_ALLOW, development),
  caFile: config.OUTBOUND_CA_FILE,
  ...(config.OUTBOUND_PROXY ? { proxy: readProxy(config.OUTBOUND_PROXY) } : {}),
  ...(config.OUTBOUND_DNS ? { resolve: nameServers(config.OUTBOUND_DNS.split(',').map((one) => one.trim())) } : {}),
});

/** Sends over kept-alive HTTP/1.1 connections. Redirects are answers like any other: nothing here follows them. */
export function createSender(options: SenderOptions): Sender {
  const agent = new Agent({
    connect: guardedConnector({
      allow: options.allow,
      timeoutMs: CONNECT_TIMEOUT_MS,
      ...(options.caFile ? { ca: [...rootCertificates, readFileSync(options.caFile, 'utf8')] } : {}),
      ...(options.resolve ? { resolve: options.resolve } : {}),
      ...(options.proxy ? { proxy: options.proxy } : {}),
      ...(options.own ? { own: options.own } : {}),
    }),
    pipelining: 1,
    keepAliveTimeout: 4_000, // most servers close idle connections after 5 s; a request on its way then would fail
    maxHeaderSize: 64 * 1024,
    // Our own clock covers connect to headers as one; these two may never fire first.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  const shutdown = new AbortController();
  return {
    send: (request) => send(agent, request, shutdown.signal),
    abort: () => shutdown.abort(SHUTDOWN),
    close: () => agent.destroy(),
  };
}

const timeoutError = (): Error =>
  Object.assign(new Error('no response headers in time'), { code: 'OUTBOUND_RESPONSE_TIMEOUT' });

async function send(agent: Agent, request: OutboundRequest, shutdown: AbortSignal): Promise<OutboundResponse> {
  const headersInTime = new AbortController();
  const timer = setTimeout(() => headersInTime.abort(timeoutError()), request.timeoutMs);
  try {
    const { statusCode, headers, body } = await agent.request({
      origin: request.url.origin,
      path: `${request.url.pathname}${request.url.search}`,
      method: request.method ?? 'POST',
      headers: request.headers,
      body: request.body ?? null,
      signal: AbortSignal.any([headersInTime.signal, shutdown]),
    });
    clearTimeout(timer);
    return {
      kind: 'response',
      status: statusCode,
      headers: flat(headers),
      ...(await readCapped(body, request.responseBytesMax ?? RESPONSE_BODY_MAX)),
    };
  } catch (error) {
    if (shutdown.aborted) return { kind: 'given-back' };
    const cause = headersInTime.signal.aborted ? (headersInTime.signal.reason as Error) : (error as Error);
    return { kind: 'no-response', reason: reasonOfErrorCode(codeOf(cause)), error: describe(cause) };
  } finally {
    clearTimeout(timer);
  }
}

/** Several addresses of one name fail together as an AggregateError: the first error that has a code speaks for them. */
function codeOf(error: Error & { code?: string; errors?: (Error & { code?: string })[] }): string | undefined {
  return error.code ?? error.errors?.find(({ code }) => code !== undefined)?.code;
}

/** Messages of our own layers and of Node; neither holds a header or the path of the URL. */
const describe = (error: Error): string => `${codeOf(error) ?? error.name}: ${error.message}`.slice(0, 500);

const flat = (headers: Record<string, string | string[] | undefined>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')]),
  );

/** The first bytes, as text. What goes wrong from here on changes nothing: the status has been said. */
async function readCapped(
  body: Dispatcher.ResponseData['body'],
  max: number,
): Promise<{ body: string; truncated: boolean }> {
  const chunks: Buffer[] = [];
  let size = 0;
  let truncated = false;
  const timer = setTimeout(() => body.destroy(), BODY_TIMEOUT_MS);
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > max) break; // leaving the loop destroys the stream and its connection
    }
    truncated = size > max;
  } catch {
    truncated = true;
  } finally {
    clearTimeout(timer);
  }
  const text = Buffer.concat(chunks).subarray(0, max).toString('utf8');
  return { body: text.replaceAll('\u0000', '\ufffd'), truncated };
}
