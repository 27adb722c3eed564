import { createHmac, createPublicKey, verify } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { defaultSignatures, legacySignature, signatureHeaders, standardSignature, type Signing } from './sign.ts';
import { publicKeyOf, signingKeyFrom } from './signing-key.ts';

const body = '{"id":"evt_x","type":"incident.created","data":{"title":"Größe ≥ 90 %"}}';
const now = Math.floor(Date.now() / 1000);
const whsec = `whsec_${Buffer.from('0123456789abcdef0123456789abcdef').toString('base64')}`;

const signed = (secrets: string[], how: Partial<Signing> = {}): Record<string, string> =>
  signatureHeaders(
    { id: 'evt_1', timestamp: now, body },
    { schemes: defaultSignatures, secrets, signingKeys: [], ...how },
  );

/** Verification by the text of Standard Webhooks 1.0, with the public key alone. */
function verifiesWith(publicKey: string, signature: string, text: string): boolean {
  const raw = Buffer.from(publicKey.slice('whpk_'.length), 'base64');
  const key = createPublicKey({
    key: { kty: 'OKP', crv: 'Ed25519', x: raw.toString('base64url') },
    format: 'jwk',
  });
  return verify(null, Buffer.from(text), key, Buffer.from(signature.slice('v1a,'.length), 'base64'));
}

describe('signatures of an attempt', () => {
  it('equal the published vector of Standard Webhooks', () => {
    const vector = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', timestamp: 1614265330, body: '{"test": 2432232314}' };
    expect(standardSignature('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', vector)).toBe(
      'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    );
  });

  it('equal an HMAC made by hand: the legacy ones with the bytes of the secret as shown, prefix included', () => {
    const headers = signed([whsec]);
    const byHand = `sha256=${createHmac('sha256', whsec).update(body).digest('hex')}`;
    expect(headers['x-cloudthinker-signature']).toBe(byHand);
    expect(headers['x-webhook-signature']).toBe(byHand);
    const key = Buffer.from(whsec.slice(6), 'base64');
    expect(headers['webhook-signature']).toBe(
      `v1,${createHmac('sha256', key).update(`evt_1.${now}.${body}`).digest('base64')}`,
    );
  });

  it.each([
    ['a whsec_ secret', whsec, new Webhook(whsec)],
    [
      'any other text',
      'correct horse battery staple',
      new Webhook(Buffer.from('correct horse battery staple'), { format: 'raw' }),
    ],
  ])('verify with the standardwebhooks package for %s', (_name, secret, webhook) => {
    const headers = signed([secret]);
    expect(webhook.verify(body, headers)).toEqual(JSON.parse(body));
    expect(() => webhook.verify(body.replace('evt_x', 'evt_y'), headers)).toThrow();
  });

  it('verify with the old and the new secret during a rotation; the legacy ones are of the current secret', () => {
    const old = `whsec_${Buffer.from('an older key of thirty-two bytes').toString('base64')}`;
    const headers = signed([whsec, old]);
    for (const secret of [whsec, old]) expect(new Webhook(secret).verify(body, headers)).toBeTruthy();
    expect(() =>
      new Webhook(`whsec_${Buffer.from('some other key').toString('base64')}`).verify(body, headers),
    ).toThrow();
    expect(headers['x-webhook-signature']).toBe(legacySignature(whsec, body));
  });

  it('are absent without a secret, the id and time are not', () => {
    expect(signed([])).toEqual({
      'webhook-id': 'evt_1',
      'webhook-timestamp': String(now),
    });
  });

  it('sign with ed25519 so that the public key alone verifies, for each live key', () => {
    const keys = [signingKeyFrom(Buffer.alloc(32, 1)), signingKeyFrom(Buffer.alloc(32, 2))];
    const headers = signed([whsec], { schemes: ['standard-v1', 'standard-v1a'], signingKeys: keys });
    const [symmetric, ...asymmetric] = headers['webhook-signature']?.split(' ') ?? [];
    expect(symmetric).toMatch(/^v1,/);
    expect(asymmetric).toHaveLength(2);
    const text = `evt_1.${now}.${body}`;
    asymmetric.forEach((signature, at) => {
      expect(verifiesWith(publicKeyOf(keys[at] ?? ''), signature, text)).toBe(true);
      expect(verifiesWith(publicKeyOf(keys[at] ?? ''), signature, `${text} `)).toBe(false);
      expect(verifiesWith(publicKeyOf(keys[1 - at] ?? ''), signature, text)).toBe(false);
    });
    expect(headers).not.toHaveProperty('x-webhook-signature');
  });

  it('equal the first test vector of RFC 8032 for ed25519', () => {
    const seed = Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex');
    expect(publicKeyOf(signingKeyFrom(seed))).toBe(
      `whpk_${Buffer.from('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a', 'hex').toString('base64')}`,
    );
  });

  it('come in the schemes that are asked for only', () => {
    expect(Object.keys(signed([whsec], { schemes: ['x-webhook'] })).sort()).toEqual([
      'webhook-id',
      'webhook-timestamp',
      'x-webhook-signature',
    ]);
  });

  it('refuse a text that is no signing key', () => {
    expect(() => publicKeyOf('whsk_short')).toThrow('not an ed25519 signing key');
    expect(() => publicKeyOf(whsec)).toThrow('not an ed25519 signing key');
  });
});
