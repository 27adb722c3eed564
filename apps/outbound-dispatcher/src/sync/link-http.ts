import type { SyncLinkBody } from '@tocsin/contracts';
import { checkUrl, retryAfterSeconds, type AllowList } from '@tocsin/domain/delivery';
import type { OutboundResponse, Sender } from '@tocsin/egress';
import { masking } from '../mask-secrets.ts';
import { SyncFailure } from './ticket-system.ts';

export interface LinkHttpParts {
  sender: Pick<Sender, 'send'>;
  allow: AllowList;
  clock: () => Date;
  userAgent: string;
  body: Pick<SyncLinkBody, 'baseUrl' | 'auth'>;
  /** The link's password, token or client secret, opened. */
  secret: string;
}

export interface Asked {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH';
  query?: Record<string, string>;
  body?: unknown;
}
type Method = NonNullable<Asked['method']>;

const TIMEOUT_MS = 20_000;
const ANSWER_MAX = 4 * 1024 * 1024;
/** A token is renewed this long before its end. */
const MARGIN_MS = 30_000;
const DEFAULT_LIFE_SECONDS = 300;

/** Requests to one system, signed in as the link's integration user, over the guarded sender only. */
export class LinkHttp {
  private token: { text: string; until: number } | undefined;
  private readonly mask: (text: string) => string;

  constructor(private readonly parts: LinkHttpParts) {
    const { secret, body } = parts;
    const basic = Buffer.from(`${body.auth.username ?? ''}:${secret}`).toString('base64');
    this.mask = masking([secret, basic]);
  }

  now = (): number => this.parts.clock().getTime();

  /** @throws SyncFailure */
  async json<Answer>(path: string, asked: Asked = {}): Promise<Answer> {
    const response = await this.request(path, asked);
    if (response.body.trim() === '') return undefined as Answer;
    if (response.truncated)
      throw new SyncFailure('rejected', `the answer to ${path} is larger than ${ANSWER_MAX} bytes`);
    try {
      return JSON.parse(response.body) as Answer;
    } catch {
      throw new SyncFailure('away', `the answer to ${path} is no JSON: is base_url the address of the system itself?`);
    }
  }

  private async request(path: string, asked: Asked) {
    const first = await this.send(path, asked);
    if (first.status !== 401 || this.parts.body.auth.method !== 'oauth2') return this.judged(path, asked, first);
    this.token = undefined; // revoked before its time
    return this.judged(path, asked, await this.send(path, asked));
  }

  private judged(path: string, { method = 'GET' }: Asked, response: Answered): Answered {
    const { status } = response;
    if (status >= 200 && status < 300) return response;
    const what = `${method} ${path} answered ${status}${this.said(response.body)}`;
    const asked = retryAfterSeconds(response.headers['retry-after'], this.parts.clock());
    if (status === 429 || status >= 500) throw new SyncFailure('away', what, asked);
    // A write that is forbidden can be about this one record (a data policy, an issue's security level): the others go on.
    if (status === 401 || (status === 403 && method === 'GET')) throw new SyncFailure('refused', what, asked);
    throw new SyncFailure(status === 404 || status === 410 ? 'gone' : 'rejected', what);
  }

  /** What the system says is wrong: Jira's lists, ServiceNow's error, or the beginning of whatever came. */
  private said(text: string): string {
    let said = text;
    try {
      const { errorMessages, errors, error } = JSON.parse(text) as Record<string, unknown>;
      const listed = [
        ...(Array.isArray(errorMessages) ? (errorMessages as string[]) : []),
        ...pairs(errors),
        ...pairs(error),
      ];
      if (listed.length > 0) said = listed.join('; ');
    } catch {
      // a page of a proxy, for example
    }
    const clean = this.mask(said).replaceAll(/\s+/g, ' ').trim().slice(0, 300).toWellFormed();
    return clean === '' ? '' : `: ${clean}`;
  }

  private async send(path: string, { method = 'GET', query, body }: Asked): Promise<Answered> {
    const url = new URL(`${this.parts.body.baseUrl.replace(/\/+$/, '')}${path}`);
    for (const [name, value] of Object.entries(query ?? {})) url.searchParams.set(name, value);
    const headers = {
      accept: 'application/json',
      authorization: await this.authorization(),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    };
    return this.dial(url, method, headers, body === undefined ? undefined : JSON.stringify(body));
  }

  private async authorization(): Promise<string> {
    const { auth } = this.parts.body;
    const { secret } = this.parts;
    if (auth.method === 'oauth2') return `Bearer ${await this.accessToken()}`;
    if (auth.method === 'token' && auth.username === null) return `Bearer ${secret}`;
    return `Basic ${Buffer.from(`${auth.username ?? ''}:${secret}`).toString('base64')}`;
  }

  /** Client credentials grant (RFC 6749 section 4.4). */
  private async accessToken(): Promise<string> {
    const now = this.parts.clock().getTime();
    if (this.token && this.token.until > now) return this.token.text;
    const { tokenUrl, clientId, scope } = this.parts.body.auth;
    const form = new URLSearchParams({
      ...{ grant_type: 'client_credentials', client_id: clientId ?? '', client_secret: this.parts.secret },
      ...(scope === null ? {} : { scope }),
    });
    const headers = { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' };
    const answer = await this.dial(new URL(tokenUrl ?? ''), 'POST', headers, form.toString());
    if (answer.status === 429 || answer.status >= 500)
      throw new SyncFailure('away', `the token endpoint answered ${answer.status}${this.said(answer.body)}`);
    const granted = readGrant(answer);
    if (!granted)
      throw new SyncFailure('refused', `the token endpoint answered ${answer.status}${this.said(answer.body)}`);
    this.token = { text: granted.token, until: now + granted.seconds * 1000 - MARGIN_MS };
    return granted.token;
  }

  private async dial(...[url, method, headers, body]: [URL, Method, Record<string, string>, string | undefined]) {
    const { sender, allow, userAgent } = this.parts;
    const verdict = checkUrl(url.href, allow);
    if (!verdict.ok) throw new SyncFailure('refused', `the address may not be dialled: ${verdict.message}`);
    const response: OutboundResponse = await sender.send({
      ...{ url: verdict.url, method, headers: { ...headers, 'user-agent': userAgent } },
      ...(body === undefined ? {} : { body }),
      ...{ timeoutMs: TIMEOUT_MS, responseBytesMax: ANSWER_MAX },
    });
    if (response.kind === 'given-back') throw new SyncFailure('given-back', 'this process is going down');
    if (response.kind === 'no-response') throw new SyncFailure('away', this.mask(response.error));
    return response;
  }
}

type Answered = Extract<OutboundResponse, { kind: 'response' }>;

function readGrant({ status, body }: Answered): { token: string; seconds: number } | undefined {
  if (status !== 200) return undefined;
  try {
    const { access_token: token, expires_in: seconds } = JSON.parse(body) as Record<string, unknown>;
    return typeof token === 'string' ? { token, seconds: Number(seconds) || DEFAULT_LIFE_SECONDS } : undefined;
  } catch {
    return undefined;
  }
}

const pairs = (errors: unknown): string[] =>
  typeof errors === 'object' && errors !== null
    ? Object.entries(errors).flatMap(([name, value]) => (typeof value === 'string' ? [`${name}: ${value}`] : []))
    : [];
