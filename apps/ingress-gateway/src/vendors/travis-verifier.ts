import { createPublicKey, createVerify, type KeyObject } from 'node:crypto';
import { valueOf, type Attempt, type Authentication } from '@tocsin/domain/authentication';
import { Fetched } from './fetched.ts';
import type { VendorFetch } from './vendor-fetch.ts';

/** Where Travis CI publishes the key that signs its webhooks. */
const CONFIGURATION = new URL('https://api.travis-ci.com/config');
const KEY_KEPT_MS = 24 * 3_600_000;
/** A signature that does not fit may be of a newer key: read it again, but not for every guess. */
const KEY_FRESH_MS = 5 * 60_000;

export interface TravisVerdict {
  authentication: Authentication;
  /** `owner/name` of a verified payload. */
  repository: string;
}

const refused = (reason: Extract<Authentication, { ok: false }>['reason']): TravisVerdict => ({
  authentication: { ok: false, reason },
  repository: '',
});

/** Verifies webhooks of Travis CI: `Signature` is RSA over SHA-1 of the decoded `payload` field. */
export class TravisVerifier {
  private readonly keys: Fetched<KeyObject>;

  constructor(fetch: VendorFetch, now: () => number) {
    this.keys = new Fetched(fetch, keyIn, KEY_KEPT_MS, now);
  }

  /** @throws VendorAway where the key cannot be read now */
  async verify({ rawHeaders, bodies }: Attempt): Promise<TravisVerdict> {
    const header = valueOf(rawHeaders, 'signature');
    if (header === undefined) return refused('credential-missing');
    if (header === null) return refused('credential-repeated');
    const signature = Buffer.from(header, 'base64');
    const payload = new URLSearchParams(Buffer.from(bodies.at(-1) ?? []).toString('utf8')).get('payload');
    if (payload === null || signature.length === 0) return refused('credential-malformed');
    for (const maxAgeMs of [KEY_KEPT_MS, KEY_FRESH_MS]) {
      const key = await this.keys.get(CONFIGURATION, maxAgeMs);
      if (!key) return refused('vendor-key-refused');
      if (createVerify('RSA-SHA1').update(payload, 'utf8').verify(key, signature)) {
        return { authentication: { ok: true }, repository: repositoryIn(payload) };
      }
    }
    return refused('credential-wrong');
  }
}

function keyIn(body: Buffer): KeyObject {
  const configuration = JSON.parse(body.toString('utf8')) as {
    config?: { notifications?: { webhook?: { public_key?: unknown } } };
  };
  const pem = configuration.config?.notifications?.webhook?.public_key;
  if (typeof pem !== 'string') throw new TypeError('no public key in the configuration');
  return createPublicKey(pem);
}

function repositoryIn(payload: string): string {
  try {
    const { repository } = JSON.parse(payload) as { repository?: { owner_name?: unknown; name?: unknown } };
    const { owner_name: owner, name } = repository ?? {};
    return typeof owner === 'string' && typeof name === 'string' ? `${owner}/${name}` : '';
  } catch {
    return '';
  }
}
