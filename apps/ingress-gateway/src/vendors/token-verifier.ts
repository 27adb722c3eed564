import type { WebhookBody } from '@tocsin/contracts';
import { valueOf, type Attempt, type Authentication } from '@tocsin/domain/authentication';
import { createLocalJWKSet, errors, jwtVerify, type JSONWebKeySet, type JWTPayload } from 'jose';
import { Fetched } from './fetched.ts';
import type { VendorFetch } from './vendor-fetch.ts';

const KEYS_KEPT_MS = 3_600_000;
/** A key that is not known may be a new one: read the set again, but not for every guess. */
const KEYS_FRESH_MS = 60_000;
const CLOCK_TOLERANCE_SECONDS = 300;

type KeySet = ReturnType<typeof createLocalJWKSet>;

interface Issuer {
  keys: URL;
  names: string[];
  /** Who the token is about; undefined where it does not say so as it must. */
  subjectOf(claims: JWTPayload): string | undefined;
}

const google: Issuer = {
  keys: new URL('https://www.googleapis.com/oauth2/v3/certs'),
  names: ['https://accounts.google.com', 'accounts.google.com'],
  subjectOf: ({ email, email_verified: verified }) =>
    typeof email === 'string' && verified === true ? email : undefined,
};

const entra = (tenant: string): Issuer => ({
  keys: new URL(`https://login.microsoftonline.com/${tenant}/discovery/v2.0/keys`),
  names: [`https://login.microsoftonline.com/${tenant}/v2.0`, `https://sts.windows.net/${tenant}/`],
  subjectOf: ({ tid, appid, azp }) => {
    const application = azp ?? appid;
    return tid === tenant && typeof application === 'string' ? application : undefined;
  },
});

export interface TokenVerdict {
  authentication: Authentication;
  /** Service account or application of a verified token. */
  subject: string;
}

const refused = (reason: Extract<Authentication, { ok: false }>['reason']): TokenVerdict => ({
  authentication: { ok: false, reason },
  subject: '',
});

/** Verifies the signed tokens with which Google and Microsoft call webhooks: issuer, audience, time, subject, signature. */
export class TokenVerifier {
  private readonly sets: Fetched<KeySet>;

  constructor(
    fetch: VendorFetch,
    private readonly now: () => number,
  ) {
    this.sets = new Fetched(
      fetch,
      (body) => createLocalJWKSet(JSON.parse(body.toString('utf8')) as JSONWebKeySet),
      KEYS_KEPT_MS,
      now,
    );
  }

  /**
   * @param audiences what `aud` may be
   * @throws VendorAway where the keys cannot be read now
   */
  async verify(
    provider: 'google' | 'entra',
    auth: WebhookBody['auth'],
    audiences: string[],
    { rawHeaders }: Attempt,
  ): Promise<TokenVerdict> {
    const header = valueOf(rawHeaders, 'authorization');
    if (header === undefined) return refused('credential-missing');
    if (header === null) return refused('credential-repeated');
    const token = /^bearer +([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(header.trim())?.[1];
    if (token === undefined) return refused('credential-malformed');
    const tenant = auth.tenant?.toLowerCase();
    if (provider === 'entra' && (!tenant || !auth.audience)) return refused('method-not-supported');
    const issuer = provider === 'google' ? google : entra(tenant ?? '');
    return this.check(token, issuer, audiences);
  }

  private async check(token: string, issuer: Issuer, audience: string[]): Promise<TokenVerdict> {
    for (const maxAgeMs of [KEYS_KEPT_MS, KEYS_FRESH_MS]) {
      const keys = await this.sets.get(issuer.keys, maxAgeMs);
      if (!keys) return refused('vendor-key-refused');
      try {
        const { payload } = await jwtVerify(token, keys, {
          issuer: issuer.names,
          audience,
          algorithms: ['RS256'],
          requiredClaims: ['exp', 'iat'],
          clockTolerance: CLOCK_TOLERANCE_SECONDS,
          currentDate: new Date(this.now()),
        });
        const subject = issuer.subjectOf(payload);
        return subject === undefined ? refused('subject-not-allowed') : { authentication: { ok: true }, subject };
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey)) return refused(reasonOf(error));
      }
    }
    return refused('vendor-key-refused');
  }
}

function reasonOf(error: unknown): Extract<Authentication, { ok: false }>['reason'] {
  if (error instanceof errors.JWTExpired) return 'credential-stale';
  if (error instanceof errors.JWTClaimValidationFailed)
    return error.claim === 'aud' ? 'subject-not-allowed' : 'credential-wrong';
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'credential-wrong';
  return 'credential-malformed';
}
