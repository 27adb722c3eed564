import { describe, expect, it } from 'vitest';
import {
  checkCustomHeaders,
  maskRequestHeaders,
  maskResponseHeaders,
  requestHeaders,
  type RequestFacts,
} from './request-headers.ts';
import { defaultSignatures } from './sign.ts';

const facts: RequestFacts = {
  ...{
    eventId: 'evt_1',
    eventType: 'incident.created',
    deliveryId: 'dlv_1',
    attempt: 2,
    sequence: 7,
    body: '{}',
    timestamp: 1_772_359_200,
  },
  contentType: 'application/json',
  contentHeaders: {},
  signing: { schemes: defaultSignatures, secrets: ['s'.repeat(20)], signingKeys: [] },
  ...{ customHeaders: [{ name: 'X-Team', value: 'blue' }], userAgent: 'Tocsin/0.1.0' },
};

describe('headers of an attempt', () => {
  it('name event, delivery, attempt and incident version', () =>
    expect(requestHeaders(facts)).toMatchObject({
      'content-type': 'application/json',
      'user-agent': 'Tocsin/0.1.0',
      'x-webhook-event': 'incident.created',
      'webhook-id': 'evt_1',
      'webhook-timestamp': '1772359200',
      'x-tocsin-delivery': 'dlv_1',
      'x-tocsin-attempt': '2',
      'x-tocsin-sequence': '7',
      'x-team': 'blue',
    }));

  it('say no incident version for an event without an incident', () =>
    expect(requestHeaders({ ...facts, sequence: null })).not.toHaveProperty('x-tocsin-sequence'));

  it('let a custom header replace the user agent, and nothing else', () => {
    const customHeaders = [
      { name: 'User-Agent', value: 'mine' },
      { name: 'Webhook-Id', value: 'forged' },
    ];
    expect(requestHeaders({ ...facts, customHeaders })).toMatchObject({ 'user-agent': 'mine', 'webhook-id': 'evt_1' });
  });

  it('are logged without the values of custom headers', () => {
    const masked = maskRequestHeaders(requestHeaders(facts), ['X-Team']);
    expect(masked).toMatchObject({ 'x-team': '***', 'x-tocsin-attempt': '2' });
    expect(maskResponseHeaders({ 'set-cookie': 'session=1', server: 'x' })).toEqual({
      'set-cookie': '***',
      server: 'x',
    });
  });
});

describe('a custom header', () => {
  const reasonOf = (name: string, value = 'v') => checkCustomHeaders([{ name, value }])?.reason;

  it.each(['X-Team', 'Authorization', 'User-Agent', 'x_y', 'X-Webhook-Source'])('%s is accepted', (name) =>
    expect(reasonOf(name)).toBeUndefined(),
  );

  it.each([
    'Host',
    'content-length',
    'Transfer-Encoding',
    'Connection',
    'webhook-id',
    'Webhook-Anything',
    'X-CloudThinker-Signature',
    'x-webhook-signature',
    'X-Tocsin-Attempt',
    'Content-Type',
  ])('%s is ours', (name) => expect(reasonOf(name)).toBe('header-reserved'));

  it.each(['', 'a b', 'a:b', 'é', 'a\r\nb'])('name %j cannot be sent', (name) =>
    expect(reasonOf(name)).toBe('header-name'),
  );
  it.each(['a\r\nX-Evil: 1', 'a\nb', 'a\u0000b', '日本', 'x'.repeat(5000)])(
    'a value with what a header cannot carry is refused (%#)',
    (value) => expect(reasonOf('X-Team', value)).toBe('header-value'),
  );

  it('may be given once, and twenty in all', () => {
    expect(
      checkCustomHeaders([
        { name: 'A', value: '' },
        { name: 'a', value: '' },
      ])?.reason,
    ).toBe('header-repeated');
    const many = Array.from({ length: 21 }, (_, index) => ({ name: `x-${index}`, value: '' }));
    expect(checkCustomHeaders(many)?.reason).toBe('too-many-headers');
    expect(checkCustomHeaders(many.slice(1))).toBeUndefined();
  });
});
