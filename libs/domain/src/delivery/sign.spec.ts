import { createHmac } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { legacySignature, signatureHeaders, standardSignature } from './sign.ts';

const body = '{"id":"evt_x","type":"incident.created","data":{"title":"Größe ≥ 90 %"}}';
const now = Math.floor(Date.now() / 1000);
const whsec = `whsec_${Buffer.from('0123456789abcdef0123456789abcdef').toString('base64')}`;

describe('signatures of an attempt', () => {
  it('equal the published vector of Standard Webhooks', () => {
    const vector = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', timestamp: 1614265330, body: '{"test": 2432232314}' };
    expect(standardSignature('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', vector)).toBe(
      'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    );
  });

  it('equal an HMAC made by hand: the legacy ones with the bytes of the secret as shown, prefix included', () => {
    const headers = signatureHeaders({ id: 'evt_1', timestamp: now, body, secrets: [whsec] });
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
    const headers = signatureHeaders({ id: 'evt_1', timestamp: now, body, secrets: [secret] });
    expect(webhook.verify(body, headers)).toEqual(JSON.parse(body));
    expect(() => webhook.verify(body.replace('evt_x', 'evt_y'), headers)).toThrow();
  });

  it('verify with the old and the new secret during a rotation; the legacy ones are of the current secret', () => {
    const old = `whsec_${Buffer.from('an older key of thirty-two bytes').toString('base64')}`;
    const headers = signatureHeaders({ id: 'evt_1', timestamp: now, body, secrets: [whsec, old] });
    for (const secret of [whsec, old]) expect(new Webhook(secret).verify(body, headers)).toBeTruthy();
    expect(() =>
      new Webhook(`whsec_${Buffer.from('some other key').toString('base64')}`).verify(body, headers),
    ).toThrow();
    expect(headers['x-webhook-signature']).toBe(legacySignature(whsec, body));
  });

  it('are absent without a secret, the id and time are not', () => {
    expect(signatureHeaders({ id: 'evt_1', timestamp: now, body, secrets: [] })).toEqual({
      'webhook-id': 'evt_1',
      'webhook-timestamp': String(now),
    });
  });
});
