import { describe, expect, it } from 'vitest';
import { reasonOfErrorCode, reasonOfStatus, type AttemptReason } from './outcome.ts';
import { DEFAULT_RETRY_SCHEDULE, retryAfterSeconds, retryDelayMs } from './retry.ts';
import { settleAttempt, type Attempt } from './settle.ts';

const finishedAt = new Date('2026-03-01T10:00:00.000Z');
const anAttempt = (number: number, reason: AttemptReason, asked: number | null = null): Attempt => ({
  ...{ number, reason, responseStatus: null, retryAfterSeconds: asked, finishedAt },
});
const after = (ms: number): Date => new Date(finishedAt.getTime() + ms);

describe('the retry schedule', () => {
  it('is: at once, 1 min, 5 min, 30 min, 2 h, 8 h, then nothing', () => {
    const delays = [0, 1, 2, 3, 4, 5, 6].map((made) => retryDelayMs(DEFAULT_RETRY_SCHEDULE, made, 0.5));
    expect(delays).toEqual([0, 60_000, 300_000, 1_800_000, 7_200_000, 28_800_000, undefined]);
  });

  it('spreads by at most ten percent either way', () => {
    expect(retryDelayMs([0, 60], 1, 0)).toBe(54_000);
    expect(retryDelayMs([0, 60], 1, 0.999_999)).toBe(66_000);
  });

  it('is put off by Retry-After, never brought forward, and by a day at most', () => {
    expect(retryDelayMs([0, 60], 1, 0.5, 120)).toBe(120_000);
    expect(retryDelayMs([0, 60], 1, 0.5, 5)).toBe(60_000);
    expect(retryDelayMs([0, 60], 1, 0.5, 999_999_999)).toBe(86_400_000);
  });
});

describe('a Retry-After header', () => {
  it.each([
    ['120', 120],
    [' 7 ', 7],
    ['Sun, 01 Mar 2026 10:00:30 GMT', 30],
    ['Sun, 01 Mar 2026 09:00:00 GMT', null],
    ['-5', null],
    ['1.5', null],
    ['soon', null],
    ['', null],
    [undefined, null],
  ])('%j means %j seconds', (header, seconds) => expect(retryAfterSeconds(header, finishedAt)).toBe(seconds));
});

describe('what an attempt ended with', () => {
  it.each<[number, AttemptReason]>([
    [200, 'delivered'],
    [204, 'delivered'],
    [299, 'delivered'],
    [301, 'redirect'],
    [304, 'redirect'],
    [400, 'client-error'],
    [404, 'client-error'],
    [410, 'gone'],
    [429, 'rate-limited'],
    [500, 'server-error'],
    [503, 'server-error'],
    [999, 'unexpected-status'],
  ])('status %i is %s', (status, reason) => expect(reasonOfStatus(status)).toBe(reason));

  it.each<[string | undefined, AttemptReason]>([
    ['ECONNREFUSED', 'connection-refused'],
    ['ENOTFOUND', 'name-not-found'],
    ['UND_ERR_SOCKET', 'connection-reset'],
    ['UND_ERR_CONNECT_TIMEOUT', 'timeout'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'tls-failed'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'tls-failed'],
    ['CERT_HAS_EXPIRED', 'tls-failed'],
    ['HPE_INVALID_CONSTANT', 'protocol-error'],
    ['OUTBOUND_ADDRESS_REFUSED', 'address-not-allowed'],
    [undefined, 'connection-failed'],
  ])('error %s is %s', (code, reason) => expect(reasonOfErrorCode(code)).toBe(reason));
});

describe('a delivery after an attempt', () => {
  it('is delivered by a 2xx', () =>
    expect(settleAttempt(anAttempt(1, 'delivered'), [0, 60], 0.5)).toEqual({
      status: 'delivered',
      attempts: 1,
      finishedAt,
      reason: 'delivered',
    }));

  it.each<AttemptReason>([
    'redirect',
    'rate-limited',
    'client-error',
    'server-error',
    'timeout',
    'tls-failed',
    'address-not-allowed',
    'secret-unreadable',
  ])('waits for the next attempt after %s', (reason) =>
    expect(settleAttempt(anAttempt(1, reason), [0, 60], 0.5)).toEqual({
      status: 'retrying',
      attempts: 1,
      dueAt: after(60_000),
      reason,
    }),
  );

  it('is parked after its last attempt', () =>
    expect(settleAttempt(anAttempt(2, 'server-error', 30), [0, 60], 0.5)).toEqual({
      status: 'failed',
      attempts: 2,
      finishedAt,
      reason: 'schedule-exhausted',
    }));

  it.each<AttemptReason>(['gone', 'url-not-allowed', 'header-not-allowed'])('is never tried again after %s', (reason) =>
    expect(settleAttempt(anAttempt(1, reason), [0, 60], 0.5)).toMatchObject({ status: 'failed', reason }),
  );
});
