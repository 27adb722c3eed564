import { readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';
import { Agent } from 'undici';
import { allowListOf, reasonOfErrorCode, type AllowList, type AttemptReason } from '@tocsin/domain/delivery';
import type { EgressEnvironment } from './config.ts';
import { Exchange } from './exchange.ts';
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
  const underWay = new Set<Exchange>();
  const shutdown = { begun: false };
  return {
    send: async (request) => {
      if (shutdown.begun) return { kind: 'given-back' };
      const exchange = new Exchange({
        ...{ headersMs: request.timeoutMs, bodyMs: BODY_TIMEOUT_MS },
        bodyMax: request.responseBytesMax ?? RESPONSE_BODY_MAX,
      });
      underWay.add(exchange);
      const response = await send(agent, request, exchange);
      underWay.delete(exchange);
      return response.kind === 'no-response' && shutdown.begun ? { kind: 'given-back' } : response;
    },
    abort: () => {
      shutdown.begun = true;
      for (const exchange of underWay) exchange.end(new Error('the process goes down'));
    },
    close: () => agent.destroy(),
  };
}

async function send(agent: Agent, request: OutboundRequest, exchange: Exchange): Promise<OutboundResponse> {
  try {
    agent.dispatch(
      {
        origin: request.url.origin,
        path: `${request.url.pathname}${request.url.search}`,
        method: request.method ?? 'POST',
        headers: request.headers,
        body: request.body ?? null,
      },
      exchange,
    );
    const { status, headers, body, truncated } = await exchange.answered;
    const text = body.toString('utf8');
    return { kind: 'response', status, headers: flat(headers), body: text.replaceAll('\u0000', '\ufffd'), truncated };
  } catch (error) {
    const cause = error as Error;
    return { kind: 'no-response', reason: reasonOfErrorCode(codeOf(cause)), error: describe(cause) };
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
