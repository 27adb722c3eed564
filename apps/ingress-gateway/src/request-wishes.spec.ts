import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { randomPool } from './random-pool.ts';
import { receptionClock } from './reception-clock.ts';
import { deliveryIdOf, traceparentOf, waitWishOf } from './request-wishes.ts';
import { deliveryHeadersOf } from './platforms.ts';

describe('how long a sender waits', () => {
  it.each([
    [undefined, 'wait', 2_000],
    [undefined, 'accept', 0],
    ['wait=5', 'accept', 5_000],
    ['wait=1', 'wait', 1_000],
    ['wait="3"', 'accept', 3_000],
    ['WAIT = 4', 'accept', 4_000],
    ['wait=60', 'accept', 10_000],
    ['wait=0', 'wait', 0],
    ['respond-async', 'wait', 0],
    ['wait=5, respond-async', 'accept', 0],
    ['respond-async; foo=1', 'wait', 0],
    ['handling=lenient, wait=2', 'accept', 2_000],
    ['wait=soon', 'wait', 2_000],
    ['wait=-1', 'accept', 0],
    ['wait=999999999999', 'accept', 0],
    ['', 'wait', 2_000],
  ] as const)('Prefer %j with respond: %s is %i ms', (prefer, respond, expected) =>
    expect(waitWishOf(prefer, respond, 2_000)).toBe(expected),
  );
});

describe('what makes a resend recognisable', () => {
  it('is Idempotency-Key before webhook-id before the vendor header', () => {
    const names = deliveryHeadersOf('pagerduty');
    expect(deliveryIdOf({ 'idempotency-key': 'a', 'webhook-id': 'b', 'x-webhook-id': 'c' }, names)).toBe('a');
    expect(deliveryIdOf({ 'webhook-id': 'b', 'x-webhook-id': 'c' }, names)).toBe('b');
    expect(deliveryIdOf({ 'x-webhook-id': 'c' }, names)).toBe('c');
    expect(deliveryIdOf({ 'x-webhook-id': 'c' }, deliveryHeadersOf('generic'))).toBeUndefined();
    expect(deliveryIdOf({ 'idempotency-key': '' }, names)).toBeUndefined();
  });
});

describe('the trace context', () => {
  const sent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  it("is the sender's where it is valid", () => expect(traceparentOf({ traceparent: sent }, randomBytes)).toBe(sent));
  it.each([
    undefined,
    '',
    'garbage',
    sent.replace('4bf9', '4BF9'),
    `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`,
    `00-4bf92f3577b34da6a3ce929d0e0e4736-${'0'.repeat(16)}-01`,
    `ff${sent.slice(2)}`,
    `${sent}-more`,
  ])('is a new one for %j', (traceparent) => {
    const made = traceparentOf({ traceparent }, randomBytes);
    expect(made).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    expect(made).not.toBe(sent);
  });
});

describe('times and randomness', () => {
  it('never run backwards when the clock is set back', () => {
    const clock = ['10:00:00.000', '09:00:00.000', '10:00:00.001'].map((time) => new Date(`2026-11-21T${time}Z`));
    const now = receptionClock(() => clock.shift() as Date);
    expect([now().text, now().text, now().text]).toEqual([
      '2026-11-21T10:00:00.000Z',
      '2026-11-21T10:00:00.000Z',
      '2026-11-21T10:00:00.001Z',
    ]);
  });

  it('use every byte of the pool at most once', () => {
    let next = 0;
    const counting = (bytes: number) => {
      const made = Buffer.alloc(bytes);
      for (let at = 0; at + 4 <= bytes; at += 4) made.writeUInt32BE((next += 1), at);
      return made;
    };
    const take = randomPool(counting);
    const words = Array.from({ length: 5_000 }, () => take(16)).flatMap((bytes) =>
      [0, 4, 8, 12].map((at) => bytes.readUInt32BE(at)),
    );
    expect(new Set(words).size).toBe(words.length);
    expect(take(8_192)).toHaveLength(8_192);
  });
});
