import { createHash, createHmac } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type { AuthMethod } from '@tocsin/contracts';
import {
  authenticate,
  credentialRuleOf,
  type AuthSettings,
  type ConnectorAuth,
  type SignatureScheme,
} from '@tocsin/domain/authentication';
import { describe, expect, it } from 'vitest';
import { samplesOf } from './kit/samples.ts';
import { connectors } from './registry.ts';

/**
 * Credentials of every platform, by every method that it declares: a good one is accepted, one that is tampered with, cut off, of
 * another length or stale is not. What a sender does is written here from what vendors say, with nothing of the verifier in it.
 */
const here = new URL('./', import.meta.url);
const NOW = Date.parse('2026-11-21T10:00:00.000Z');
const SECONDS = Math.floor(NOW / 1_000);
const SECRET = 'k3y-of-the-sender_8f2a';
const URL_SEEN = 'https://tocsin.example/webhook/abc/trigger';
/** Beside the tolerance of five minutes. */
const STALE_SECONDS = 301;

interface Shown {
  headers: Record<string, string>;
  query?: Record<string, string>;
  body: Buffer;
}
/** One way to show a credential: `credential` is what is changed by an attack, `show` dresses it. */
interface Way {
  name: string;
  method: AuthMethod;
  settings?: Partial<AuthSettings>;
  /** Makes the bare credential; `at` is the signed time. */
  make(secret: string, body: Buffer, at: number): string;
  show(credential: string, body: Buffer, at: number): Shown;
  signed: 'nothing' | 'body' | 'body-and-time';
}

const bodyOf = (id: string): Buffer => {
  const folder = new URL(`${id}/samples/`, here);
  const [first] = samplesOf(readdirSync(folder), (file) => readFileSync(new URL(file, folder)));
  return Buffer.from(first!.payload.bytes);
};

const bare = (name: string, method: AuthMethod, show: (credential: string) => Omit<Shown, 'body'>): Way => ({
  name,
  method,
  make: (secret) => secret,
  show: (credential, body) => ({ ...show(credential), body }),
  signed: 'nothing',
});

/** Where the secret itself is shown. */
function bareWays(auth: ConnectorAuth, method: AuthMethod): Way[] {
  const header = (name: string, prefix = '') =>
    bare(`${name}${prefix && `: ${prefix}`}`, method, (credential) => ({
      headers: { [name]: `${prefix}${credential}` },
    }));
  const own = (auth.secretHeaders ?? []).map((name) => header(name));
  if (method === 'bearer') return [header('authorization', 'Bearer '), ...own];
  if (method === 'api_key') {
    const { header: name, prefix } = auth.apiKey ?? { header: 'x-api-key' };
    return [header(name, prefix ? `${prefix} ` : ''), header('x-api-key'), ...own];
  }
  if (method === 'query_token')
    return (auth.queryParameters ?? ['token', 'auth_token']).map((name) =>
      bare(`?${name}=`, method, (credential) => ({ headers: {}, query: { [name]: credential } })),
    );
  if (method === 'vendor' && auth.secretHeaders) return own;
  return [];
}

const basicWay: Way = {
  name: 'name and password',
  method: 'basic',
  settings: { username: 'alice' },
  make: (secret) => Buffer.from(`alice:${secret}`).toString('base64'),
  show: (credential, body) => ({ headers: { authorization: `Basic ${credential}` }, body }),
  signed: 'nothing',
};

/** The text that a vendor signs. */
function signedText(scheme: SignatureScheme, body: Buffer, at: number | undefined): Buffer {
  if (scheme.signs === 'digest-timestamp')
    return Buffer.from(`${createHash('sha256').update(body).digest('base64')}:${at}:v1`);
  if (scheme.signs === 'url-form') {
    const fields = [...new URLSearchParams(body.toString('utf8'))].sort(([a], [b]) => (a < b ? -1 : 1));
    return Buffer.from(URL_SEEN + fields.flat().join(''));
  }
  return at === undefined ? body : Buffer.concat([Buffer.from(`${at}:`), body]);
}

const WRITTEN: Readonly<Record<string, string>> = { 'x-hub-signature': 'sha256=', 'x-hub-signature-256': 'sha256=' };

function signatureWays(auth: ConnectorAuth, method: AuthMethod): Way[] {
  const schemes: readonly SignatureScheme[] = auth.signatures ?? [
    { headers: auth.signatureHeaders ?? ['x-signature', 'x-webhook-signature'] },
  ];
  return schemes.flatMap((scheme) =>
    scheme.headers.flatMap((header) =>
      (scheme.algorithms ?? ['sha256']).flatMap((algorithm) => {
        const inValue = scheme.signs === 'digest-timestamp';
        const one = (timed: boolean): Way => ({
          name: `${header}, ${algorithm}${timed ? ' with its time' : ''}`,
          method,
          make: (secret, body, at) =>
            createHmac(algorithm, secret)
              .update(signedText(scheme, body, timed ? at : undefined))
              .digest(scheme.encoding ?? 'hex'),
          show: (credential, body, at) => {
            const dress = algorithm === 'sha1' && header in WRITTEN ? 'sha1=' : (WRITTEN[header] ?? '');
            const list = header === 'x-pagerduty-signature' ? `v1=${credential},v1=${'0'.repeat(64)}` : undefined;
            const value = inValue ? `t=${at},v1=${credential}` : (list ?? `${dress}${credential}`);
            const time = timed && scheme.timestampHeader ? { [scheme.timestampHeader]: String(at) } : {};
            return { headers: { [header]: value, ...time }, body };
          },
          signed: timed ? 'body-and-time' : 'body',
        });
        if (inValue) return [one(true)];
        return scheme.timestampHeader ? [one(false), one(true)] : [one(false)];
      }),
    ),
  );
}

function waysOf(auth: ConnectorAuth): Way[] {
  return [auth.default, ...auth.also].flatMap((method): Way[] => {
    if (method === 'basic') return [basicWay];
    if (method === 'hmac') return signatureWays(auth, method);
    if (method === 'vendor' && !auth.vendor && (auth.signatures ?? auth.signatureHeaders))
      return signatureWays(auth, method);
    return bareWays(auth, method);
  });
}

const settingsOf = (method: AuthMethod, over: Partial<AuthSettings> = {}): AuthSettings => ({
  ...{ method, header: null, prefix: null, username: null },
  ...over,
});

function outcome(auth: ConnectorAuth, way: Pick<Way, 'method' | 'settings'>, shown: Shown, secrets = [SECRET]): string {
  const rule = credentialRuleOf(
    auth,
    settingsOf(way.method, way.settings),
    secrets.map((secret) => ({ bytes: Buffer.from(secret), notAfter: null })),
  );
  const query = new URLSearchParams(shown.query ?? {}).toString();
  const result = authenticate(rule, {
    rawHeaders: Object.entries(shown.headers).flat(),
    bodies: [shown.body],
    now: NOW,
    target: `/webhook/abc/trigger${query && `?${query}`}`,
    urls: () => [URL_SEEN],
  });
  return result.ok ? 'accepted' : result.reason;
}

/** The same text with the character at this place changed into another of its alphabet. */
const changedAt = (text: string, at: number): string =>
  `${text.slice(0, at)}${text[at] === 'a' ? 'b' : 'a'}${text.slice(at + 1)}`;

describe.each(connectors.map(({ source }) => [source.id, source.auth] as const))('%s', (id, auth) => {
  const body = bodyOf(id);
  const ways = waysOf(auth).map((way) => [`${way.method}, ${way.name}`, way] as const);

  it('has at least one credential that is checked here', () => expect(ways.length).toBeGreaterThan(0));

  it.each(ways)('accepts a good credential: %s', (_name, way) => {
    const shown = way.show(way.make(SECRET, body, SECONDS), body, SECONDS);
    expect(outcome(auth, way, shown)).toBe('accepted');
    expect(outcome(auth, way, shown, ['another-secret', SECRET])).toBe('accepted');
  });

  it.each(ways)('refuses it changed, cut off, too long, empty, missing, or of another secret: %s', (_name, way) => {
    const good = way.make(SECRET, body, SECONDS);
    const attacks = {
      ...Object.fromEntries(
        [0, 1, good.length >> 1, good.length - 1].map((at) => [`changed at ${at}`, changedAt(good, at)]),
      ),
      'cut by one': good.slice(0, -1),
      'cut by two': good.slice(0, -2),
      half: good.slice(0, good.length >> 1),
      'without its beginning': good.slice(1),
      'too long': `${good}a`,
      twice: `${good}${good}`,
      empty: '',
      other: way.make('another-secret', body, SECONDS),
    };
    for (const [attack, credential] of Object.entries(attacks))
      expect(outcome(auth, way, way.show(credential, body, SECONDS)), attack).not.toBe('accepted');
    expect(outcome(auth, way, { headers: {}, body })).toBe('credential-missing');
    expect(outcome(auth, way, way.show(good, body, SECONDS), [])).toBe('no-live-secret');
  });

  it.each(ways.filter(([, way]) => way.signed !== 'nothing'))('refuses it for another body: %s', (_name, way) => {
    const good = way.make(SECRET, body, SECONDS);
    const others = [Buffer.concat([body, Buffer.from('&x=1')]), body.subarray(0, -3), Buffer.from('{}')];
    for (const other of others) expect(outcome(auth, way, way.show(good, other, SECONDS))).toBe('credential-wrong');
  });

  it.each(ways.filter(([, way]) => way.signed === 'body-and-time'))('refuses it once it is stale: %s', (_name, way) => {
    for (const at of [SECONDS - STALE_SECONDS, SECONDS + STALE_SECONDS + 1])
      expect(outcome(auth, way, way.show(way.make(SECRET, body, at), body, at))).toBe('credential-stale');
    // A replay that says it is of now is signed for another time.
    const old = way.make(SECRET, body, SECONDS - STALE_SECONDS);
    expect(outcome(auth, way, way.show(old, body, SECONDS))).toBe('credential-wrong');
    const within = SECONDS - STALE_SECONDS + 2;
    expect(outcome(auth, way, way.show(way.make(SECRET, body, within), body, within))).toBe('accepted');
  });

  it.runIf([auth.default, ...auth.also].includes('none'))(
    'asks for nothing under none, and for a signature where a secret is set',
    () => {
      const way = { method: 'none' as const };
      // A signature of SNS is verified under none as well, by the vendor's verifier.
      const [bare, withSecret] =
        auth.vendor?.kind === 'sns'
          ? ['method-not-supported', 'method-not-supported']
          : ['accepted', 'credential-missing'];
      expect(outcome(auth, way, { headers: {}, body }, [])).toBe(bare);
      expect(outcome(auth, way, { headers: {}, body })).toBe(withSecret);
    },
  );

  it.runIf(auth.vendor)(
    'leaves what only its vendor can sign to the vendor’s verifier: nothing passes without it',
    () => {
      const way = { method: 'vendor' as const };
      const guesses: Record<string, string>[] = [
        {},
        { authorization: `Bearer ${SECRET}` },
        { 'x-api-key': SECRET },
        { signature: SECRET },
      ];
      for (const headers of guesses) expect(outcome(auth, way, { headers, body })).toBe('method-not-supported');
    },
  );
});
