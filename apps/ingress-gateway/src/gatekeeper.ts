import type { WebhookDocument } from '@tocsin/contracts';
import { authenticate, type Authentication, type CredentialRule } from '@tocsin/domain/authentication';
import { Problem } from '@tocsin/nest-shell';
import type { Arrival } from './accept-receipt.ts';
import { Refused } from './answers-log/refused.ts';
import type { IntakeRule } from './intake-rule.ts';
import { clientNetwork, type parseNetworks } from './limits/client-network.ts';
import type { LockOut } from './limits/lock-out.ts';
import type { LimitVerdict, Refusal, WindowLimiter } from './limits/window-limiter.ts';
import type { VendorVerifier } from './vendors/vendor-verifier.ts';

export interface GatekeeperParts {
  requests: WindowLimiter;
  alerts: WindowLimiter;
  lockOut: LockOut;
  vendors: VendorVerifier;
  trustedProxies: ReturnType<typeof parseNetworks>;
  /** How senders reach this installation; known once the server listens. */
  publicUrl: () => string;
}

/** A request for a known webhook, before anything of it is believed. `body` is inflated. */
export interface Caller {
  webhook: WebhookDocument;
  rule: IntakeRule;
  arrival: Arrival;
  body: Buffer;
  now: number;
}

/** Undefined = within every limit; else over one, and the sender is told with these headers. */
export type Admission = { headers: Record<string, string> } | undefined;

type LimitName = 'rate_limit_per_hour' | 'rate_limit_alerts_per_minute';

/**
 * Who may come in: lock-out, full window, credential, and only then the request is counted (architecture §7), so that strangers cannot use
 * up a limit. Everything answers at once unless a vendor or the store of limits has to be asked.
 */
export class Gatekeeper {
  constructor(private readonly parts: GatekeeperParts) {}

  /** @throws Problem 401, 429, 503 */
  admit(caller: Caller): Admission | Promise<Admission> {
    const { webhook, now } = caller;
    const client = this.lockedClient(caller);
    const limit = webhook.body.rateLimitPerHour;
    // What is taken in over its limit shows its credential first.
    if (limit > 0 && !rollsUp(webhook))
      admissionOf(caller, this.parts.requests.full(webhook.id, limit), 'rate_limit_per_hour');
    const result = this.authenticated(caller, now);
    return result instanceof Promise
      ? result.then((later) => this.enter(caller, later, client))
      : this.enter(caller, result, client);
  }

  /** Counts the alerts of an admitted request. @throws Problem 429, 503 */
  admitAlerts(caller: Caller, count: number): Admission | Promise<Admission> {
    const limit = caller.webhook.body.rateLimitAlertsPerMinute ?? 0;
    if (limit === 0) return undefined;
    return counted(caller, this.parts.alerts.take(caller.webhook, limit, count), 'rate_limit_alerts_per_minute');
  }

  private enter(caller: Caller, result: Authentication, client: string | undefined): Admission | Promise<Admission> {
    const { webhook, arrival, now } = caller;
    if (!result.ok) {
      this.parts.lockOut.failed(suspectOf(webhook, client ?? this.clientOf(arrival)), now);
      const detail = 'The credential that this webhook asks for is missing or wrong.';
      throw new Refused(result.reason, 'authentication-failed', detail, {
        headers: { 'www-authenticate': 'Bearer realm="tocsin"' },
      });
    }
    const limit = webhook.body.rateLimitPerHour;
    if (limit === 0) return undefined;
    return counted(caller, this.parts.requests.take(webhook, limit, 1), 'rate_limit_per_hour');
  }

  /** The client where it had to be worked out. @throws Problem 429 where it is locked out */
  private lockedClient({ webhook, arrival, now }: Caller): string | undefined {
    const { lockOut } = this.parts;
    if (lockOut.isQuiet()) return undefined;
    const client = this.clientOf(arrival);
    const leftMs = lockOut.leftMs(suspectOf(webhook, client), now);
    if (leftMs === 0) return client;
    throw new Problem('locked-out', 'Too many requests with a wrong credential came from this address.', {
      headers: { 'retry-after': secondsOf(leftMs) },
    });
  }

  private clientOf = ({ peer, headers }: Arrival): string =>
    clientNetwork(peer, headers['x-forwarded-for'], this.parts.trustedProxies);

  private authenticated(caller: Caller, now: number): Authentication | Promise<Authentication> {
    const { credential, previous } = caller.rule;
    const first = this.verified(credential, caller);
    if (!previous || previous.notAfter <= now) return first;
    // The method was changed a while ago and senders of the old one are still to be heard.
    if (first instanceof Promise)
      return first.then((result) => (result.ok ? result : this.verified(previous.credential, caller)));
    return first.ok ? first : this.verified(previous.credential, caller);
  }

  private verified(
    credential: CredentialRule,
    { webhook, arrival, body, now }: Caller,
  ): Authentication | Promise<Authentication> {
    const { rawHeaders, target, headers } = arrival;
    const bodies = body === arrival.body ? [body] : [arrival.body, body];
    const ours = () => this.parts.publicUrl().replace(/\/$/, '');
    const host = headers.host ?? '';
    const urls = () => [ours() + target, `https://${host}${target}`, `http://${host}${target}`];
    const attempt = { rawHeaders, bodies, now, target, urls };
    if (credential.check.kind !== 'vendor') return authenticate(credential, attempt);
    // The Host header is the sender's word: a token meant for another site must not pass here.
    const audiences = [ours() + target, ours() + (target.split('?', 1)[0] ?? target)];
    return this.parts.vendors.verify(credential.check, credential, { ...attempt, webhook, audiences });
  }
}

const suspectOf = (webhook: WebhookDocument, client: string) => ({
  webhook,
  client,
  unlockedAt: webhook.body.unlockedAt,
});

const rollsUp = ({ body }: WebhookDocument): boolean => body.overLimit === 'rollup';

function counted(
  caller: Caller,
  verdict: LimitVerdict | Promise<LimitVerdict>,
  name: LimitName,
): Admission | Promise<Admission> {
  if (verdict instanceof Promise) return verdict.then((later) => admissionOf(caller, later, name));
  return admissionOf(caller, verdict, name);
}

/** @throws Problem 429 or 503 over a limit, unless the webhook has what is over it rolled up */
function admissionOf({ webhook, rule }: Caller, verdict: LimitVerdict, name: LimitName): Admission {
  if (!verdict) return undefined;
  if (rollsUp(webhook)) return { headers: rateHeaders(verdict) };
  throw overLimit(verdict, name, rule.retriesOn429);
}

/** 503 where the platform would drop what a 429 meets (payload facts 0.3). */
function overLimit(refusal: Refusal, name: LimitName, retriesOn429: boolean): Problem {
  const what = name === 'rate_limit_per_hour' ? 'requests per hour' : 'alerts per minute';
  const code = retriesOn429 ? 'rate-limited' : 'unavailable';
  return new Refused(name, code, `This webhook takes ${refusal.limit} ${what} (${name}).`, {
    headers: { 'retry-after': secondsOf(refusal.retryMs), ...rateHeaders(refusal) },
  });
}

const rateHeaders = ({ limit, retryMs, windowSeconds }: Refusal): Record<string, string> => ({
  'ratelimit-limit': String(limit),
  'ratelimit-remaining': '0',
  'ratelimit-reset': secondsOf(retryMs),
  'ratelimit-policy': `${limit};w=${windowSeconds}`,
});

const secondsOf = (milliseconds: number): string => String(Math.max(1, Math.ceil(milliseconds / 1_000)));
