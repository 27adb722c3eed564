import { createHmac } from 'node:crypto';
import type { authMethods } from '@tocsin/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { authenticate, credentialRuleOf, type Attempt, type CredentialRule } from './index.ts';

const NOW = Date.parse('2026-11-21T10:00:00.000Z');
const BODY = Buffer.from('{"title":"Disk full on db-1"}');
/** printf '{"title":"Disk full on db-1"}' | openssl dgst -sha256 -hmac correct-horse */
const KNOWN = '53b6af808d319677fb2cee094961db32257fed653e05e926a2cb8c7124570619';
const secret = (text: string, notAfter: number | null = null) => ({ bytes: Buffer.from(text), notAfter });
const sign = (key: string, body: Uint8Array = BODY) => createHmac('sha256', key).update(body).digest('hex');
const attempt = (rawHeaders: string[], over: Partial<Attempt> = {}): Attempt => ({
  rawHeaders,
  bodies: [BODY],
  now: NOW,
  ...over,
});
const auth = (method: (typeof authMethods)[number], header: string | null = null, prefix: string | null = null) => ({
  method,
  header,
  prefix,
  username: null,
});

const bearer = credentialRuleOf(undefined, auth('bearer'), [secret('s3cret-token')]);
const hmac = credentialRuleOf(undefined, auth('hmac'), [secret('correct-horse')]);
const pagerduty = credentialRuleOf(
  { default: 'hmac', also: [], signatureHeaders: ['x-pagerduty-signature'] },
  auth('hmac'),
  [secret('correct-horse')],
);
const outcome = (rule: CredentialRule, rawHeaders: string[], over: Partial<Attempt> = {}) => {
  const result = authenticate(rule, attempt(rawHeaders, over));
  return result.ok ? 'accepted' : result.reason;
};

describe('a webhook with a bearer secret', () => {
  it.each([
    ['the secret', ['Authorization', 'Bearer s3cret-token'], 'accepted'],
    ['another case of the scheme', ['authorization', 'bearer s3cret-token'], 'accepted'],
    ['no header', ['User-Agent', 'curl'], 'credential-missing'],
    ['another secret of the same length', ['Authorization', 'Bearer s3cret-tokeN'], 'credential-wrong'],
    ['a prefix of the secret', ['Authorization', 'Bearer s3cret-toke'], 'credential-wrong'],
    ['a longer text', ['Authorization', 'Bearer s3cret-token2'], 'credential-wrong'],
    ['an empty secret', ['Authorization', 'Bearer '], 'credential-malformed'],
    ['no scheme', ['Authorization', 's3cret-token'], 'credential-malformed'],
    ['another scheme', ['Authorization', 'Basic s3cret-token'], 'credential-malformed'],
    [
      'the right header after a wrong one',
      ['Authorization', 'Bearer x', 'authorization', 'Bearer s3cret-token'],
      'credential-repeated',
    ],
    [
      'the right header twice',
      ['Authorization', 'Bearer s3cret-token', 'Authorization', 'Bearer s3cret-token'],
      'credential-repeated',
    ],
  ])('meets %s', (_name, headers, expected) => expect(outcome(bearer, headers)).toBe(expected));

  it('reads the header that its settings name, without a scheme', () => {
    const rule = credentialRuleOf(undefined, auth('bearer', 'X-Tocsin-Token'), [secret('s3cret-token')]);
    expect(outcome(rule, ['x-tocsin-token', 's3cret-token'])).toBe('accepted');
    expect(outcome(rule, ['Authorization', 'Bearer s3cret-token'])).toBe('credential-missing');
  });
});

describe('a webhook with a signature', () => {
  const good = sign('correct-horse');

  it('accepts the digest that openssl makes', () => expect(outcome(hmac, ['X-Signature', KNOWN])).toBe('accepted'));

  it.each([
    ['bare hex', ['X-Signature', good], 'accepted'],
    ['upper-case hex', ['X-Signature', good.toUpperCase()], 'accepted'],
    ['sha256= hex', ['X-Webhook-Signature', `sha256=${good}`], 'accepted'],
    ['no header', [], 'credential-missing'],
    ['another digest', ['X-Signature', sign('battery-staple')], 'credential-wrong'],
    ['hex of odd length', ['X-Signature', good.slice(1)], 'credential-malformed'],
    ['two digits too many', ['X-Signature', `${good}ab`], 'credential-malformed'],
    ['a digit that is none', ['X-Signature', `${good.slice(0, 63)}g`], 'credential-malformed'],
    ['an empty header', ['X-Signature', ''], 'credential-malformed'],
    ['sha256= alone', ['X-Signature', 'sha256='], 'credential-malformed'],
    ['another algorithm', ['X-Signature', `sha1=${good.slice(0, 40)}`], 'credential-malformed'],
    ['the right header twice', ['X-Signature', good, 'x-signature', good], 'credential-repeated'],
    ['the header of another connector', ['X-PagerDuty-Signature', `v1=${good}`], 'credential-missing'],
  ])('meets %s', (_name, headers, expected) => expect(outcome(hmac, headers)).toBe(expected));

  it.each([
    ['one v1=', `v1=${good}`, 'accepted'],
    ['an old and a new one', `v1=${sign('old')},v1=${good}`, 'accepted'],
    ['spaces after the comma', `v1=${sign('old')}, v1=${good}`, 'accepted'],
    ['an unknown version beside it', `v2=abc,v1=${good}`, 'accepted'],
    ['only an unknown version', `v2=${good}`, 'credential-malformed'],
    ['only others', `v1=${sign('a')},v1=${sign('b')}`, 'credential-wrong'],
    ['a list without end', Array.from({ length: 200 }, () => `v1=${good}`).join(','), 'credential-malformed'],
  ])('reads a list as PagerDuty sends it: %s', (_name, value, expected) =>
    expect(outcome(pagerduty, ['X-PagerDuty-Signature', value])).toBe(expected),
  );

  it('takes a signature over the compressed bytes or over what they inflate to', () => {
    const compressed = Buffer.from('not the same bytes');
    const both = { bodies: [compressed, BODY] };
    expect(outcome(hmac, ['X-Signature', sign('correct-horse', compressed)], both)).toBe('accepted');
    expect(outcome(hmac, ['X-Signature', good], both)).toBe('accepted');
    expect(outcome(hmac, ['X-Signature', sign('correct-horse', Buffer.from('a third'))], both)).toBe(
      'credential-wrong',
    );
  });

  it('holds for its own bytes and for no other', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.uint8Array({ maxLength: 200 }),
        fc.string({ minLength: 1 }),
        (body, other, key) => {
          const rule = credentialRuleOf(undefined, auth('hmac'), [secret(key)]);
          const headers = ['X-Signature', sign(key, body)];
          expect(outcome(rule, headers, { bodies: [body] })).toBe('accepted');
          if (!Buffer.from(body).equals(Buffer.from(other)))
            expect(outcome(rule, headers, { bodies: [other] })).toBe('credential-wrong');
        },
      ),
    );
  });
});

describe('a webhook whose secret rotates', () => {
  const rule = credentialRuleOf(undefined, auth('bearer'), [secret('new'), secret('old', NOW + 1)]);
  it('accepts both until the old one ends', () => {
    expect(outcome(rule, ['Authorization', 'Bearer new'])).toBe('accepted');
    expect(outcome(rule, ['Authorization', 'Bearer old'])).toBe('accepted');
  });
  it('refuses the old one from then on', () => {
    expect(outcome(rule, ['Authorization', 'Bearer old'], { now: NOW + 1 })).toBe('credential-wrong');
    expect(outcome(rule, ['Authorization', 'Bearer new'], { now: NOW + 1 })).toBe('accepted');
  });
});

describe('a webhook without a usable credential', () => {
  it('accepts everybody where `none` was asked for', () =>
    expect(outcome(credentialRuleOf(undefined, auth('none'), []), [])).toBe('accepted'));

  it('checks the signature where `none` came with a secret', () => {
    const rule = credentialRuleOf(undefined, auth('none'), [secret('correct-horse')]);
    expect(outcome(rule, [])).toBe('credential-missing');
    expect(outcome(rule, ['X-Signature', sign('correct-horse')])).toBe('accepted');
  });

  it.each([
    ['no secret', []],
    ['only an ended one', [secret('s', NOW)]],
    ['an empty one', [secret('')]],
  ])('refuses everybody with %s', (_name, secrets) => {
    expect(outcome(credentialRuleOf(undefined, auth('bearer'), secrets), ['Authorization', 'Bearer s'])).toBe(
      'no-live-secret',
    );
    expect(outcome(credentialRuleOf(undefined, auth('hmac'), secrets), ['X-Signature', sign('s')])).toBe(
      'no-live-secret',
    );
  });

  it('refuses everybody under vendor, where the platform has no scheme of its own', () =>
    expect(outcome(credentialRuleOf(undefined, auth('vendor'), [secret('s')]), ['Authorization', 'Bearer s'])).toBe(
      'method-not-supported',
    ));

  it('refuses in this library what only a vendor can verify', () => {
    const rule = credentialRuleOf({ default: 'vendor', also: [], vendor: { kind: 'travis' } }, auth('vendor'), []);
    expect(outcome(rule, ['Signature', 'x'])).toBe('method-not-supported');
  });
});
