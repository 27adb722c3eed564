import { createHash, createHmac } from 'node:crypto';
import { authMethods } from '@tocsin/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  authenticate,
  credentialRuleOf,
  hasVendorScheme,
  needsSecret,
  presentCredential,
  type Attempt,
  type AuthSettings,
  type ConnectorAuth,
  type CredentialRule,
} from './index.ts';

const NOW = Date.parse('2026-11-21T10:00:00.000Z');
const SECONDS = NOW / 1_000;
const BODY = Buffer.from('{"title":"Disk full on db-1"}');
const KEY = 'correct-horse';
const URL_SEEN = 'https://tocsin.example/webhook/abc/trigger';
const connector = (over: Partial<ConnectorAuth>): ConnectorAuth => ({ default: 'bearer', also: [], ...over });
const settings = (over: Partial<AuthSettings>): AuthSettings => ({
  method: 'bearer',
  header: null,
  prefix: null,
  username: null,
  ...over,
});
const rule = (over: Partial<AuthSettings>, of: Partial<ConnectorAuth> = {}, keys: string[] = [KEY]) =>
  credentialRuleOf(
    connector(of),
    settings(over),
    keys.map((key) => ({ bytes: Buffer.from(key), notAfter: null })),
  );
const outcome = (what: CredentialRule, rawHeaders: string[], over: Partial<Attempt> = {}) => {
  const result = authenticate(what, {
    rawHeaders,
    bodies: [BODY],
    now: NOW,
    target: '/webhook/abc/trigger',
    urls: () => [URL_SEEN],
    ...over,
  });
  return result.ok ? 'accepted' : result.reason;
};
const basic = (pair: string) => `Basic ${Buffer.from(pair).toString('base64')}`;
const hmac = (algorithm: string, text: string | Uint8Array, encoding: 'hex' | 'base64' = 'hex') =>
  createHmac(algorithm, KEY).update(text).digest(encoding);

describe('a webhook with an API key', () => {
  const opsgenie = { apiKey: { header: 'authorization', prefix: 'GenieKey' } };
  it.each([
    ['X-API-Key', rule({ method: 'api_key' }), ['X-API-Key', KEY], 'accepted'],
    ['Api-Key', rule({ method: 'api_key' }), ['Api-Key', KEY], 'accepted'],
    ['GenieKey', rule({ method: 'api_key' }, opsgenie), ['Authorization', `GenieKey ${KEY}`], 'accepted'],
    ['X-API-Key beside GenieKey', rule({ method: 'api_key' }, opsgenie), ['X-API-Key', KEY], 'accepted'],
    [
      'X-API-Key beside a credential of something else',
      rule({ method: 'api_key' }, opsgenie),
      ['Authorization', 'Bearer x', 'X-API-Key', KEY],
      'accepted',
    ],
    ['another word', rule({ method: 'api_key' }, opsgenie), ['Authorization', `Bearer ${KEY}`], 'credential-malformed'],
    ['a header of its own', rule({ method: 'api_key', header: 'X-Ours' }), ['x-ours', KEY], 'accepted'],
    [
      'only the header of its own',
      rule({ method: 'api_key', header: 'X-Ours' }),
      ['X-API-Key', KEY],
      'credential-missing',
    ],
    [
      'a word of its own',
      rule({ method: 'api_key', prefix: 'Api-Token' }),
      ['Authorization', `api-token ${KEY}`],
      'accepted',
    ],
    [
      'header and word of its own',
      rule({ method: 'api_key', header: 'X-Ours', prefix: 'Key' }),
      ['X-Ours', `Key ${KEY}`],
      'accepted',
    ],
    [
      'the word that belongs to the header',
      rule({ method: 'api_key', header: 'Authorization' }, opsgenie),
      ['Authorization', `GenieKey ${KEY}`],
      'accepted',
    ],
    ['a key that starts right', rule({ method: 'api_key' }), ['X-API-Key', `${KEY}2`], 'credential-wrong'],
    ['an empty key', rule({ method: 'api_key' }), ['X-API-Key', ''], 'credential-malformed'],
    ['two keys', rule({ method: 'api_key' }), ['X-API-Key', KEY, 'x-api-key', KEY], 'credential-repeated'],
  ])('meets %s', (_name, what, headers, expected) => expect(outcome(what, headers)).toBe(expected));
});

describe('a platform that sends its secret as it is', () => {
  const gitlab = { secretHeaders: ['x-gitlab-token'] };
  it.each(['bearer', 'api_key', 'vendor'] as const)('is understood under %s', (method) => {
    expect(outcome(rule({ method }, gitlab), ['X-Gitlab-Token', KEY])).toBe('accepted');
    expect(outcome(rule({ method }, gitlab), ['X-Gitlab-Token', `${KEY} x`])).toBe('credential-wrong');
  });
  it('may show a bearer token all the same', () =>
    expect(outcome(rule({ method: 'bearer' }, gitlab), ['Authorization', `Bearer ${KEY}`])).toBe('accepted'));
});

describe('a webhook with basic authentication', () => {
  const named = rule({ method: 'basic', username: 'alice' });
  it.each([
    ['name and password', named, basic(`alice:${KEY}`), 'accepted'],
    ['another name', named, basic(`bob:${KEY}`), 'credential-wrong'],
    ['another password', named, basic('alice:nope'), 'credential-wrong'],
    ['no colon', named, basic('alice'), 'credential-malformed'],
    ['another scheme', named, `Bearer ${KEY}`, 'credential-malformed'],
    ['no base64', named, 'Basic ä', 'credential-malformed'],
    ['nothing', named, 'Basic ', 'credential-malformed'],
    ['any name where none is asked for', rule({ method: 'basic' }), basic(`whoever:${KEY}`), 'accepted'],
    ['a password with a colon', rule({ method: 'basic' }, {}, ['a:b']), basic('u:a:b'), 'accepted'],
  ])('meets %s', (_name, what, header, expected) => expect(outcome(what, ['Authorization', header])).toBe(expected));
  it('asks for the header', () => expect(outcome(named, [])).toBe('credential-missing'));
});

describe('a webhook with its secret in the query', () => {
  const query = rule({ method: 'query_token' }, {}, ['s3cret+/=ä']);
  const at = (target: string) => outcome(query, [], { target });
  it.each([
    [`/w?token=${encodeURIComponent('s3cret+/=ä')}`, 'accepted'],
    [`/w?a=1&auth_token=${encodeURIComponent('s3cret+/=ä')}&b=2`, 'accepted'],
    ['/w?token=other', 'credential-wrong'],
    ['/w?token=', 'credential-malformed'],
    ['/w?tokens=x', 'credential-missing'],
    ['/w', 'credential-missing'],
    [`/w?token=x&auth_token=${encodeURIComponent('s3cret+/=ä')}`, 'credential-repeated'],
  ])('meets %s', (target, expected) => expect(at(target)).toBe(expected));
});

describe('a signature that covers a time', () => {
  const grafana = {
    signatures: [{ headers: ['x-grafana-alerting-signature'], timestampHeader: 'x-grafana-alerting-timestamp' }],
  };
  const signed = (time: number) => [
    'X-Grafana-Alerting-Signature',
    hmac('sha256', `${time}:${BODY.toString()}`),
    'X-Grafana-Alerting-Timestamp',
    String(time),
  ];
  const plain = rule({ method: 'hmac' }, grafana);

  it.each([
    ['now', SECONDS, 'accepted'],
    ['five minutes ago', SECONDS - 300, 'accepted'],
    ['longer ago', SECONDS - 301, 'credential-stale'],
    ['in five minutes', SECONDS + 300, 'accepted'],
    ['later', SECONDS + 301, 'credential-stale'],
  ])('of %s', (_name, time, expected) => expect(outcome(plain, signed(time))).toBe(expected));

  it('fits no other time', () => {
    const [header = '', digest = '', name = ''] = signed(SECONDS);
    expect(outcome(plain, [header, digest, name, String(SECONDS + 1)])).toBe('credential-wrong');
    expect(outcome(plain, [header, digest, name, 'soon'])).toBe('credential-malformed');
    expect(outcome(plain, [header, digest])).toBe('credential-wrong');
  });

  it('may be left out, unless the webhook names the header', () => {
    const bare = ['X-Grafana-Alerting-Signature', hmac('sha256', BODY)];
    expect(outcome(plain, bare)).toBe('accepted');
    const strict = rule({ method: 'hmac', timestampHeader: 'X-Our-Time' }, grafana);
    expect(outcome(strict, bare)).toBe('credential-missing');
    expect(
      outcome(strict, [
        'X-Grafana-Alerting-Signature',
        hmac('sha256', `${SECONDS}:${BODY.toString()}`),
        'x-our-time',
        String(SECONDS),
      ]),
    ).toBe('accepted');
  });

  it('stands in the signature header itself at Grafana Incident', () => {
    const what = rule({ method: 'hmac' }, { signatures: [{ headers: ['gi-signature'], signs: 'digest-timestamp' }] });
    const digest = createHash('sha256').update(BODY).digest('base64');
    const header = (time: number) => `t=${time},v1=${hmac('sha256', `${digest}:${time}:v1`)}`;
    expect(outcome(what, ['Gi-Signature', header(SECONDS)])).toBe('accepted');
    expect(outcome(what, ['Gi-Signature', header(SECONDS - 301)])).toBe('credential-stale');
    expect(outcome(what, ['Gi-Signature', header(SECONDS).replace(/^t=\d+/, `t=${SECONDS - 1}`)])).toBe(
      'credential-wrong',
    );
    expect(outcome(what, ['Gi-Signature', header(SECONDS).replace(/^t=\d+,/, '')])).toBe('credential-malformed');
  });
});

describe('a signature in base64', () => {
  const sfx = rule(
    { method: 'hmac' },
    { signatures: [{ headers: ['x-sfx-signature'], algorithms: ['sha1', 'sha256'], encoding: 'base64' }] },
  );
  it.each([
    ['SHA-1', hmac('sha1', BODY, 'base64'), 'accepted'],
    ['SHA-256', hmac('sha256', BODY, 'base64'), 'accepted'],
    ['another body', hmac('sha1', 'x', 'base64'), 'credential-wrong'],
    ['hex', hmac('sha1', BODY), 'credential-malformed'],
    ['a digit that is none', hmac('sha1', BODY, 'base64').replace(/^./, '!'), 'credential-malformed'],
    ['without its end', hmac('sha1', BODY, 'base64').slice(0, -1), 'credential-malformed'],
    ['nothing', '', 'credential-malformed'],
    ['10,000 characters', 'A'.repeat(10_000), 'credential-malformed'],
  ])('meets %s', (_name, value, expected) => expect(outcome(sfx, ['X-SFX-Signature', value])).toBe(expected));

  it('over address and sorted form fields', () => {
    const what = rule(
      { method: 'hmac' },
      {
        signatures: [
          { headers: ['x-victorops-signature'], algorithms: ['sha1'], encoding: 'base64', signs: 'url-form' },
        ],
      },
    );
    const body = Buffer.from('Summary=db+down&Incident=7&Message=a%26b');
    const header = ['X-VictorOps-Signature', hmac('sha1', `${URL_SEEN}Incident7Messagea&bSummarydb down`, 'base64')];
    expect(outcome(what, header, { bodies: [body] })).toBe('accepted');
    expect(outcome(what, header, { bodies: [body], urls: () => ['https://elsewhere.example/', URL_SEEN] })).toBe(
      'accepted',
    );
    expect(outcome(what, header, { bodies: [body], urls: () => ['https://elsewhere.example/'] })).toBe(
      'credential-wrong',
    );
  });
});

describe('a platform whose key is its own', () => {
  const sns = { vendor: { kind: 'sns' } as const };
  it('leaves the check to its verifier and says what holds for everything else', () => {
    expect(rule({ method: 'vendor' }, sns).check).toMatchObject({ kind: 'vendor', otherwise: { kind: 'header' } });
    expect(rule({ method: 'vendor' }, sns, []).check).toMatchObject({ otherwise: { kind: 'refuse' } });
    expect(rule({ method: 'none' }, sns, []).check).toMatchObject({ kind: 'vendor', otherwise: { kind: 'open' } });
    expect(rule({ method: 'api_key' }, sns).check).toMatchObject({ kind: 'header' });
    expect(rule({ method: 'none' }, { vendor: { kind: 'travis' } }, []).check).toEqual({ kind: 'open' });
  });
  it('needs a secret only for what comes beside it', () => {
    expect(needsSecret('vendor', sns)).toBe(true);
    expect(needsSecret('vendor', { vendor: { kind: 'travis' } })).toBe(false);
    expect(needsSecret('vendor', { vendor: { kind: 'jwt', provider: 'google' } })).toBe(false);
    expect(needsSecret('vendor', {})).toBe(true);
    expect(needsSecret('none', sns)).toBe(false);
    expect(hasVendorScheme(connector({}))).toBe(false);
    expect(hasVendorScheme(connector(sns))).toBe(true);
  });
});

describe('whatever is shown', () => {
  const every: Partial<ConnectorAuth>[] = [
    {},
    { apiKey: { header: 'authorization', prefix: 'GenieKey' }, secretHeaders: ['x-plain'] },
    { signatures: [{ headers: ['a'], encoding: 'base64', algorithms: ['sha1', 'sha256'] }] },
    { signatures: [{ headers: ['a'], signs: 'digest-timestamp' }] },
    { signatures: [{ headers: ['a'], signs: 'url-form' }] },
    { signatures: [{ headers: ['a'], timestampHeader: 'b' }] },
    { signatureHeaders: ['x-hub-signature-256', 'x-hub-signature'] },
    { vendor: { kind: 'sns' } },
  ];

  it('by its own sender is accepted; tampered with, truncated, lengthened or stale it is not', () => {
    const now = NOW + 400_000;
    for (const of of every) {
      for (const method of authMethods) {
        const what = rule({ method }, of);
        const shown = presentCredential(what, { secret: KEY, body: BODY, now: NOW, url: URL_SEEN });
        if (!shown || what.check.kind === 'vendor' || what.check.kind === 'open') continue;
        const target = `/w?${new URLSearchParams(shown.query).toString()}`;
        const raw = (change: (value: string) => string) =>
          Object.entries(shown.headers).flatMap(([name, value], at) => [name, at === 0 ? change(value) : value]);
        expect([
          method,
          outcome(
            what,
            raw((value) => value),
            { target },
          ),
        ]).toEqual([method, 'accepted']);
        if (Object.keys(shown.query).length > 0) continue;
        for (const change of [
          (value: string) => value.slice(0, -1),
          (value: string) => `${value}0`,
          (value: string) => value.replace(/.(.{3})$/, '_$1'),
          () => '',
        ]) {
          expect([method, outcome(what, raw(change))]).not.toEqual([method, 'accepted']);
        }
        const timed = of.signatures?.some(
          ({ signs, timestampHeader }) => signs === 'digest-timestamp' || timestampHeader !== undefined,
        );
        if (timed && what.check.kind === 'signature')
          expect(
            outcome(
              what,
              raw((value) => value),
              { now },
            ),
          ).toBe('credential-stale');
      }
    }
  });

  it('in arbitrary bytes is refused and never throws', () => {
    const names = ['authorization', 'x-api-key', 'x-signature', 'a', 'b', 'x-plain', 'x-hub-signature'];
    fc.assert(
      fc.property(
        fc.constantFrom(...authMethods.filter((method) => method !== 'none')),
        fc.constantFrom(...every),
        fc.array(
          fc.tuple(fc.constantFrom(...names), fc.oneof(fc.string(), fc.base64String(), fc.string({ unit: 'binary' }))),
        ),
        fc.string(),
        (method, of, headers, query) => {
          expect(outcome(rule({ method }, of), headers.flat(), { target: `/w?${query}` })).not.toBe('accepted');
        },
      ),
      { numRuns: 500 },
    );
  });
});
