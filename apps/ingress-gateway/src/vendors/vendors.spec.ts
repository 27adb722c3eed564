import { createSign, generateKeyPairSync, X509Certificate, type KeyObject } from 'node:crypto';
import type { WebhookDocument } from '@tocsin/contracts';
import { credentialRuleOf, snsMessageOf, snsStringToSign, type ConnectorAuth } from '@tocsin/domain/authentication';
import { exportJWK, SignJWT, type JWTPayload } from 'jose';
import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import { certify, type Issued } from './spec/test-ca.ts';
import type { VendorAnswer } from './vendor-fetch.ts';
import { VendorVerifier } from './vendor-verifier.ts';

const NOW = Date.parse('2026-11-21T10:00:00.000Z');
const TOPIC = 'arn:aws:sns:eu-west-1:123456789012:alarms';
const ISSUER_URL = 'http://crt.r1.amazontrust.com/r1.cer';
const CERT_URL = 'https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem';
const TOKEN = 'ab12'.repeat(40);
const HOOK = 'https://tocsin.example/webhook/abc/trigger';

const root = certify({ name: 'Root', ca: true });
const between = certify({ name: 'Between', issuer: root, ca: true });
const leaf = certify({ name: 'SNS', issuer: between, dnsName: 'sns.amazonaws.com', issuerUrl: ISSUER_URL });

/** What the vendors answer; whatever is not here is a 404. Each request is noted. */
let answers: Map<string, VendorAnswer | Error>;
let asked: string[];
let pinned: Map<string, string>;
let now: number;
let verifier: VendorVerifier;
const ok = (body: string | Buffer): VendorAnswer => ({ status: 200, body: Buffer.from(body) });

beforeEach(() => {
  answers = new Map([
    [CERT_URL, ok(leaf.pem)],
    [ISSUER_URL, ok(between.der)],
  ]);
  asked = [];
  pinned = new Map();
  now = NOW;
  verifier = new VendorVerifier({
    fetch: async (url) => {
      asked.push(url.href);
      const answer = answers.get(url.href) ?? answers.get(url.origin) ?? { status: 404, body: Buffer.alloc(0) };
      if (answer instanceof Error) throw answer;
      return answer;
    },
    roots: () => [new X509Certificate(root.pem)],
    pin: async ({ id }, subject) => {
      if (!pinned.has(id)) pinned.set(id, subject);
      return pinned.get(id) ?? '';
    },
    now: () => now,
    log: pino({ level: 'silent' }),
  });
});

interface Wish {
  vendor: NonNullable<ConnectorAuth['vendor']>;
  auth?: Partial<WebhookDocument['body']['auth']>;
  secret?: string;
  headers?: string[];
}
async function outcome({ vendor, auth = {}, secret, headers = [] }: Wish, body: string): Promise<string> {
  const settings = { method: 'vendor' as const, header: null, prefix: null, username: null, ...auth };
  const secrets = secret === undefined ? [] : [{ bytes: Buffer.from(secret), notAfter: null }];
  const rule = credentialRuleOf({ default: 'vendor', also: [], vendor }, settings, secrets);
  if (rule.check.kind !== 'vendor') throw new Error('not a scheme of a vendor');
  const webhook = { id: 'whk_1', workspaceId: 'ws_1', body: { auth: settings } } as WebhookDocument;
  const attempt = {
    rawHeaders: headers,
    bodies: [Buffer.from(body)],
    now,
    target: '/webhook/abc/trigger',
    webhook,
    audiences: [HOOK],
  };
  const result = await verifier.verify(rule.check, rule, attempt);
  return result.ok ? 'accepted' : result.reason;
}

type Fields = Record<string, string>;
/** A message as SNS would send it; `over` changes it before it is signed. */
function message(over: Fields = {}, by: { key?: KeyObject; algorithm?: string } = {}): Fields {
  const fields: Fields = {
    Type: 'Notification',
    MessageId: 'a1b2c3',
    TopicArn: TOPIC,
    Message: '{"AlarmName":"queue depth","NewStateValue":"ALARM"}',
    Timestamp: new Date(NOW - 1_000).toISOString(),
    SignatureVersion: '2',
    SigningCertURL: CERT_URL,
    Signature: 'AAAA',
    ...over,
  };
  const read = snsMessageOf(fields);
  const text = read ? snsStringToSign(read) : '';
  const algorithm = by.algorithm ?? (fields.SignatureVersion === '1' ? 'RSA-SHA1' : 'RSA-SHA256');
  return {
    ...fields,
    Signature: createSign(algorithm)
      .update(text)
      .sign(by.key ?? leaf.key, 'base64'),
  };
}
const confirmation = (over: Fields = {}) =>
  message({
    Type: 'SubscriptionConfirmation',
    Token: TOKEN,
    SubscribeURL: 'https://evil.example/?follow=me',
    Message: 'You have chosen',
    ...over,
  });
const sns = (body: unknown, auth: Wish['auth'] = { subjects: [TOPIC] }) =>
  outcome({ vendor: { kind: 'sns' }, auth }, JSON.stringify(body));

describe('a message of SNS', () => {
  it.each(['1', '2'])('is accepted with signature version %s', async (SignatureVersion) => {
    expect(await sns(message({ SignatureVersion }))).toBe('accepted');
    expect(await sns(message({ SignatureVersion, Subject: 'ALARM' }))).toBe('accepted');
  });

  it.each<[string, () => Fields, string]>([
    ['another text', () => ({ ...message(), Message: '{}' }), 'credential-wrong'],
    ['a subject that was put in', () => ({ ...message(), Subject: 'x' }), 'credential-wrong'],
    ['the other version', () => ({ ...message(), SignatureVersion: '1' }), 'credential-wrong'],
    ['a version that there is not', () => ({ ...message(), SignatureVersion: '3' }), 'credential-malformed'],
    [
      'a truncated signature',
      () => ({ ...message(), Signature: message().Signature?.slice(0, 40) ?? '' }),
      'credential-wrong',
    ],
    ['no signature', () => ({ ...message(), Signature: '' }), 'credential-malformed'],
    ['another key', () => message({}, { key: root.key }), 'credential-wrong'],
    ['an old time', () => message({ Timestamp: new Date(NOW - 66 * 60_000).toISOString() }), 'credential-stale'],
    ['a time to come', () => message({ Timestamp: new Date(NOW + 6 * 60_000).toISOString() }), 'credential-stale'],
    ['no time', () => message({ Timestamp: 'now' }), 'credential-malformed'],
    ['another topic', () => message({ TopicArn: TOPIC.replace('alarms', 'others') }), 'subject-not-allowed'],
    ['a topic that is none', () => message({ TopicArn: 'alarms' }), 'credential-malformed'],
  ])('is refused with %s', async (_name, make, reason) => expect(await sns(make())).toBe(reason));

  it.each([
    ['a bucket', 'https://sns.eu-west-1.amazonaws.com.s3.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem'],
    ['a bucket with a good name', 'https://sns.s3.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem'],
    ['another region', CERT_URL.replace('eu-west-1', 'us-east-1')],
    ['http', CERT_URL.replace('https', 'http')],
    ['a port', CERT_URL.replace('.com/', '.com:8443/')],
    ['a user', CERT_URL.replace('https://', 'https://u:p@')],
    ['a query', `${CERT_URL}?x`],
    ['a fragment', `${CERT_URL}#x`],
    ['an empty query', `${CERT_URL}?`],
    ['another path', 'https://sns.eu-west-1.amazonaws.com/other.pem'],
    ['a path that climbs', 'https://sns.eu-west-1.amazonaws.com/x/../SimpleNotificationService-0123456789abcdef.pem'],
    ['a host with a trailing dot', CERT_URL.replace('.com/', '.com./')],
    ['a file', 'file:///etc/passwd'],
    ['an address of the cloud', 'https://169.254.169.254/SimpleNotificationService-0123456789abcdef.pem'],
  ])('never makes us read its certificate from %s', async (_name, SigningCertURL) => {
    expect(await sns({ ...message(), SigningCertURL })).toBe('credential-malformed');
    expect(asked).toEqual([]);
  });

  it.each<[string, (chain: { between: Issued }) => Issued]>([
    [
      'of another root',
      () => certify({ name: 'SNS', issuer: certify({ name: 'Root', ca: true }), dnsName: 'sns.amazonaws.com' }),
    ],
    ['of nobody', () => certify({ name: 'SNS', dnsName: 'sns.amazonaws.com' })],
    [
      'that has ended',
      () => certify({ name: 'SNS', issuer: root, dnsName: 'sns.amazonaws.com', to: new Date(NOW - 1_000) }),
    ],
    [
      'that has not begun',
      () => certify({ name: 'SNS', issuer: root, dnsName: 'sns.amazonaws.com', from: new Date(NOW + 60_000) }),
    ],
    ['for another host', () => certify({ name: 'SNS', issuer: root, dnsName: 'sqs.amazonaws.com' })],
    ['whose issuer may issue none', () => certify({ name: 'SNS', issuer: leaf, dnsName: 'sns.amazonaws.com' })],
    [
      'with a forged signature',
      () => certify({ name: 'SNS', issuer: root, dnsName: 'sns.amazonaws.com', forgedBy: leaf.key }),
    ],
    [
      'whose issuer is somewhere else',
      ({ between: issuer }) =>
        certify({ name: 'SNS', issuer, dnsName: 'sns.amazonaws.com', issuerUrl: 'http://169.254.169.254/ca.cer' }),
    ],
    [
      'whose issuer is behind a host of a stranger',
      ({ between: issuer }) =>
        certify({
          name: 'SNS',
          issuer,
          dnsName: 'sns.amazonaws.com',
          issuerUrl: 'http://crt.r1.amazontrust.com.evil.example/r1.cer',
        }),
    ],
  ])('is refused with a certificate %s', async (_name, make) => {
    const issued = make({ between });
    answers.set(CERT_URL, ok(issued.pem));
    expect(await sns(message({}, { key: issued.key }))).toBe('vendor-key-refused');
    expect(asked.filter((url) => url !== ISSUER_URL)).toEqual([CERT_URL]);
  });

  it('takes the links of the chain from the file itself where they are in it', async () => {
    const alone = certify({ name: 'SNS', issuer: between, dnsName: 'sns.eu-west-1.amazonaws.com' });
    answers.set(CERT_URL, ok(alone.pem + between.pem));
    expect(await sns(message({}, { key: alone.key }))).toBe('accepted');
    expect(asked).toEqual([CERT_URL]);
  });

  it('stops being accepted when its certificate ends, though it is kept', async () => {
    now = Date.parse('2027-01-01T00:00:01Z');
    expect(await sns(message({ Timestamp: new Date(now).toISOString() }))).toBe('vendor-key-refused');
  });

  it('costs one read of the certificate, however many come', async () => {
    expect(await Promise.all(Array.from({ length: 20 }, () => sns(message())))).toEqual(Array(20).fill('accepted'));
    expect(asked).toEqual([CERT_URL, ISSUER_URL]);
  });

  it('is neither accepted nor refused while the certificate cannot be read', async () => {
    for (const answer of [new Error('unreachable'), { status: 503, body: Buffer.alloc(0) }]) {
      answers.set(CERT_URL, answer);
      await expect(sns(message())).rejects.toMatchObject({ code: 'unavailable' });
    }
    answers.set(CERT_URL, ok(leaf.pem));
    expect(await sns(message())).toBe('accepted');
  });

  it('of a certificate that is not there is refused, and not asked for again at once', async () => {
    answers.delete(CERT_URL);
    expect(await sns(message())).toBe('vendor-key-refused');
    expect(await sns(message())).toBe('vendor-key-refused');
    expect(asked).toHaveLength(1);
    answers.set(CERT_URL, ok('no certificate'));
    now += 61_000;
    expect(await sns(message())).toBe('vendor-key-refused');
  });

  it('pins the first verified topic where none is listed', async () => {
    expect(await sns(message({ TopicArn: `${TOPIC}-2` }, { key: root.key }), {})).toBe('credential-wrong');
    expect(await sns(message(), {})).toBe('accepted');
    expect(await sns(message({ TopicArn: `${TOPIC}-2` }), {})).toBe('subject-not-allowed');
    expect(await sns(message(), {})).toBe('accepted');
  });
});

describe('a subscription to SNS', () => {
  const confirmed = () => asked.filter((url) => !url.endsWith('.pem') && !url.endsWith('.cer'));

  it('is confirmed from topic and token, never at an address of the body', async () => {
    answers.set('https://sns.eu-west-1.amazonaws.com', ok('<ConfirmSubscriptionResponse/>'));
    expect(await sns(confirmation())).toBe('accepted');
    expect(confirmed()).toEqual([
      `https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=${encodeURIComponent(TOPIC)}&Token=${TOKEN}`,
    ]);
  });

  it('is not confirmed where signature, topic or token is wrong, nor when it ends', async () => {
    expect(await sns({ ...confirmation(), Token: 'cd34'.repeat(40) })).toBe('credential-wrong');
    expect(await sns(confirmation({ TopicArn: `${TOPIC}-2` }))).toBe('subject-not-allowed');
    await expect(sns(confirmation({ Token: '&Action=Publish' }))).rejects.toMatchObject({ code: 'unavailable' });
    expect(await sns(confirmation({ Type: 'UnsubscribeConfirmation' }))).toBe('accepted');
    expect(confirmed()).toEqual([]);
  });

  it('is asked for again where SNS does not take the confirmation', async () => {
    answers.set('https://sns.eu-west-1.amazonaws.com', { status: 500, body: Buffer.alloc(0) });
    await expect(sns(confirmation())).rejects.toMatchObject({ code: 'unavailable' });
  });
});

describe('what is no message of SNS', () => {
  const event = JSON.stringify({ 'detail-type': 'CloudWatch Alarm State Change' });
  it('shows the API key of the webhook', async () => {
    const keyed = { vendor: { kind: 'sns' } as const, secret: 'a-key-of-eventbridge' };
    expect(await outcome({ ...keyed, headers: ['X-API-Key', 'a-key-of-eventbridge'] }, event)).toBe('accepted');
    expect(await outcome(keyed, event)).toBe('credential-missing');
    expect(
      await outcome(
        { ...keyed, headers: ['X-API-Key', 'a-key-of-eventbridge'] },
        JSON.stringify({ ...message(), Message: 'x' }),
      ),
    ).toBe('credential-wrong');
  });
  it('is refused where there is no key, and accepted where nothing is asked for', async () => {
    expect(await outcome({ vendor: { kind: 'sns' } }, event)).toBe('method-not-supported');
    expect(await outcome({ vendor: { kind: 'sns' }, auth: { method: 'none' } }, event)).toBe('accepted');
    expect(
      await outcome(
        { vendor: { kind: 'sns' }, auth: { method: 'none' } },
        JSON.stringify({ ...message(), Message: 'x' }),
      ),
    ).toBe('credential-wrong');
  });
  it.each(['', '['.repeat(1_000_000), '{', 'null', '"x"', '\ud800'])('never breaks it (%#)', async (body) =>
    expect(await outcome({ vendor: { kind: 'sns' } }, body)).toBe('method-not-supported'),
  );
});

describe('a webhook of Travis CI', () => {
  const CONFIG = 'https://api.travis-ci.com/config';
  const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const published = (key: KeyObject) =>
    ok(
      JSON.stringify({
        config: { notifications: { webhook: { public_key: key.export({ type: 'spki', format: 'pem' }) } } },
      }),
    );
  const payload = JSON.stringify({
    id: 1,
    state: 'failed',
    message: 'ä & b',
    repository: { owner_name: 'acme', name: 'shop' },
  });
  const form = (text: string) => new URLSearchParams({ payload: text }).toString();
  const signature = (text: string, key = pair.privateKey) => createSign('RSA-SHA1').update(text).sign(key, 'base64');
  const travis = (headers: string[], body: string, subjects = ['acme/shop']) =>
    outcome({ vendor: { kind: 'travis' }, auth: { subjects }, headers }, body);

  beforeEach(() => void answers.set(CONFIG, published(pair.publicKey)));

  it('is accepted for its own repository', async () => {
    expect(await travis(['Signature', signature(payload)], form(payload))).toBe('accepted');
    expect(await travis(['Signature', signature(payload)], form(payload), ['acme/other'])).toBe('subject-not-allowed');
  });
  it.each<[string, string[], string, string]>([
    ['no signature', [], form(payload), 'credential-missing'],
    ['two', ['Signature', 'QQ==', 'Signature', 'QQ=='], form(payload), 'credential-repeated'],
    ['another payload', ['Signature', signature(payload)], form(`${payload} `), 'credential-wrong'],
    ['a truncated one', ['Signature', signature(payload).slice(0, -4)], form(payload), 'credential-wrong'],
    ['no payload', ['Signature', signature(payload)], payload, 'credential-malformed'],
    ['nothing in it', ['Signature', ''], form(payload), 'credential-malformed'],
  ])('is refused with %s', async (_name, headers, body, reason) => expect(await travis(headers, body)).toBe(reason));

  it('follows a new key, without reading it for every guess', async () => {
    expect(await travis(['Signature', signature(payload)], form(payload))).toBe('accepted');
    const next = generateKeyPairSync('rsa', { modulusLength: 2048 });
    answers.set(CONFIG, published(next.publicKey));
    for (let n = 0; n < 5; n += 1)
      expect(await travis(['Signature', signature(payload, next.privateKey)], form(payload))).toBe('credential-wrong');
    expect(asked).toHaveLength(1);
    now += 6 * 60_000;
    expect(await travis(['Signature', signature(payload, next.privateKey)], form(payload))).toBe('accepted');
  });
  it('waits for a key that cannot be read', async () => {
    answers.set(CONFIG, new Error('unreachable'));
    await expect(travis(['Signature', signature(payload)], form(payload))).rejects.toMatchObject({
      code: 'unavailable',
    });
  });
});

describe('a signed token', () => {
  const TENANT = '11111111-2222-3333-4444-555555555555';
  const GOOGLE_KEYS = 'https://www.googleapis.com/oauth2/v3/certs';
  const ENTRA_KEYS = `https://login.microsoftonline.com/${TENANT}/discovery/v2.0/keys`;
  const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const keySet = async (kid: string, key = pair.publicKey) =>
    ok(JSON.stringify({ keys: [{ ...(await exportJWK(key)), kid, alg: 'RS256', use: 'sig' }] }));
  const seconds = () => Math.floor(now / 1_000);
  const token = (claims: JWTPayload, over: { kid?: string; key?: KeyObject } = {}) =>
    new SignJWT({ iat: seconds() - 10, exp: seconds() + 3_600, ...claims })
      .setProtectedHeader({ alg: 'RS256', kid: over.kid ?? 'k1' })
      .sign(over.key ?? pair.privateKey);
  const ofGoogle = { iss: 'https://accounts.google.com', aud: HOOK, email: 'push@acme.example', email_verified: true };
  const ofEntra = {
    iss: `https://sts.windows.net/${TENANT}/`,
    aud: 'api://tocsin',
    tid: TENANT,
    appid: 'the-application',
  };
  const entraAuth = { tenant: TENANT, audience: 'api://tocsin', subjects: ['the-application'] };
  const shown = async (provider: 'google' | 'entra', jwt: string | Promise<string>, auth: Wish['auth'] = {}) =>
    outcome({ vendor: { kind: 'jwt', provider }, auth, headers: ['Authorization', `Bearer ${await jwt}`] }, '{}');
  const google = (jwt: string | Promise<string>, auth: Wish['auth'] = { subjects: ['push@acme.example'] }) =>
    shown('google', jwt, auth);

  beforeEach(async () => {
    answers.set(GOOGLE_KEYS, await keySet('k1'));
    answers.set(ENTRA_KEYS, await keySet('k1'));
  });

  it('of Google is accepted for the address of the webhook, or for the audience that was set', async () => {
    expect(await google(token(ofGoogle))).toBe('accepted');
    expect(
      await google(token({ ...ofGoogle, aud: 'our-audience' }), {
        subjects: ['push@acme.example'],
        audience: 'our-audience',
      }),
    ).toBe('accepted');
    expect(asked).toEqual([GOOGLE_KEYS]);
  });
  it.each<[string, () => Promise<string> | string, string]>([
    ['for another audience', () => token({ ...ofGoogle, aud: 'https://elsewhere.example/' }), 'subject-not-allowed'],
    ['of another account', () => token({ ...ofGoogle, email: 'push@evil.example' }), 'subject-not-allowed'],
    ['of an account that is not verified', () => token({ ...ofGoogle, email_verified: false }), 'subject-not-allowed'],
    ['without an account', () => token({ ...ofGoogle, email: undefined }), 'subject-not-allowed'],
    ['of another issuer', () => token({ ...ofGoogle, iss: 'https://evil.example' }), 'credential-wrong'],
    ['that has ended', () => token({ ...ofGoogle, iat: seconds() - 7_200, exp: seconds() - 301 }), 'credential-stale'],
    ['without an end', () => token({ ...ofGoogle, exp: undefined }), 'credential-wrong'],
    [
      'of another key',
      () => token(ofGoogle, { key: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey }),
      'credential-wrong',
    ],
    ['of a key that is not there', () => token(ofGoogle, { kid: 'k9' }), 'vendor-key-refused'],
    ['truncated', async () => (await token(ofGoogle)).slice(0, -4), 'credential-wrong'],
    [
      'without a signature',
      () => `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from('{}').toString('base64url')}.x`,
      'credential-malformed',
    ],
    ['that is none', () => 'a-secret', 'credential-malformed'],
    [
      'signed with the public key as a secret',
      () =>
        new SignJWT(ofGoogle)
          .setProtectedHeader({ alg: 'HS256', kid: 'k1' })
          .sign(Buffer.from(pair.publicKey.export({ type: 'spki', format: 'pem' }))),
      'credential-malformed',
    ],
  ])('%s is refused', async (_name, make, reason) => expect(await google(make())).toBe(reason));

  it('of Entra is accepted for directory, audience and application together', async () => {
    expect(await shown('entra', token(ofEntra), entraAuth)).toBe('accepted');
    expect(
      await shown(
        'entra',
        token({
          ...ofEntra,
          iss: `https://login.microsoftonline.com/${TENANT}/v2.0`,
          appid: undefined,
          azp: 'the-application',
        }),
        entraAuth,
      ),
    ).toBe('accepted');
    expect(await shown('entra', token({ ...ofEntra, appid: 'another' }), entraAuth)).toBe('subject-not-allowed');
    expect(await shown('entra', token({ ...ofEntra, tid: 'another' }), entraAuth)).toBe('subject-not-allowed');
    expect(await shown('entra', token({ ...ofEntra, aud: HOOK }), entraAuth)).toBe('subject-not-allowed');
    expect(await shown('entra', token({ ...ofEntra, iss: 'https://sts.windows.net/another/' }), entraAuth)).toBe(
      'credential-wrong',
    );
    expect(await shown('entra', token(ofEntra), { ...entraAuth, tenant: null })).toBe('method-not-supported');
  });

  it('follows new keys, without reading them for every guess', async () => {
    expect(await google(token(ofGoogle))).toBe('accepted');
    const next = generateKeyPairSync('rsa', { modulusLength: 2048 });
    answers.set(GOOGLE_KEYS, await keySet('k2', next.publicKey));
    for (let n = 0; n < 5; n += 1)
      expect(await google(token(ofGoogle, { kid: 'k2', key: next.privateKey }))).toBe('vendor-key-refused');
    expect(asked).toHaveLength(1);
    now += 61_000;
    expect(await google(token(ofGoogle, { kid: 'k2', key: next.privateKey }))).toBe('accepted');
  });
  it('is neither accepted nor refused while the keys cannot be read', async () => {
    answers.set(GOOGLE_KEYS, new Error('unreachable'));
    await expect(google(token(ofGoogle))).rejects.toMatchObject({ code: 'unavailable' });
  });
});
