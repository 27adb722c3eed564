import { authenticate, credentialRuleOf, type ConnectorAuth, type LiveSecret } from '@tocsin/domain/authentication';
import type { WebhookBody } from '@tocsin/contracts';

/** The request of a test, as its sender would have sent it. */
export interface TrialRequest {
  /** Names and values in turn. */
  rawHeaders: readonly string[];
  body: Buffer;
  /** As it came over the wire, where that differs. */
  sent: Buffer;
  /** The address after `?`. */
  query: string;
}

/** `Authorization` is taken by the API key of whoever tests: this header stands for the sender's. */
export const STAND_IN = 'x-tocsin-test-authorization';

/** The headers of the sender: those of the API call itself are left out. */
export function senderHeaders(rawHeaders: readonly string[]): string[] {
  const kept: string[] = [];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string;
    const lower = name.toLowerCase();
    if (lower === 'authorization') continue;
    kept.push(lower === STAND_IN ? 'authorization' : name, rawHeaders[at + 1] as string);
  }
  return kept;
}

export interface TrialCredential {
  method: string;
  /** Null where only the gateway can tell: the key is the vendor's. */
  ok: boolean | null;
  reason: string | null;
  detail: string;
}

export interface Known {
  connector: ConnectorAuth;
  auth: WebhookBody['auth'];
  secrets: readonly LiveSecret[];
  now: number;
  /** Address of the webhook. */
  url: string;
}

/** How the gateway would judge the credential of a request. */
export function judged({ connector, auth, secrets, now, url }: Known, request: TrialRequest): TrialCredential {
  const rule = credentialRuleOf(connector, auth, secrets);
  const { method } = auth;
  if (rule.check.kind === 'vendor') {
    const detail = 'The key is the vendor’s; the gateway checks it when a request comes.';
    return { method, ok: null, reason: null, detail };
  }
  const { rawHeaders, body, sent, query } = request;
  const target = `${new URL(url).pathname}${query === '' ? '' : `?${query}`}`;
  const bodies = sent === body ? [body] : [sent, body];
  const address = query === '' ? url : `${url}?${query}`;
  const result = authenticate(rule, { rawHeaders, bodies, now, target, urls: () => [address] });
  if (result.ok) {
    const detail = rule.check.kind === 'open' ? 'No credential is asked for.' : 'The credential is accepted.';
    return { method, ok: true, reason: null, detail };
  }
  return { method, ok: false, reason: result.reason, detail: refusal(rule) };
}

function refusal({ headers, parameters }: { headers: readonly string[]; parameters: readonly string[] }): string {
  const places = [...headers, ...parameters.map((name) => `?${name}=`)].join(', ');
  const instead = headers.includes('authorization')
    ? ` In a test the header ${STAND_IN} stands for authorization, which holds your API key.`
    : '';
  return `The credential is looked for in ${places === '' ? 'no place' : places}.${instead}`;
}
