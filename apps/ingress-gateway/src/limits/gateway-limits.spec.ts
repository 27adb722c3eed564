import { gzipSync } from 'node:zlib';
import { decodeFacts, type WebhookDocument } from '@tocsin/contracts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SECRET, startGateway, type Gateway } from '../spec/gateway.ts';

const ALERT = JSON.stringify({ title: 'Disk full on db-1' });

let gateway: Gateway;
beforeEach(async () => {
  gateway = await startGateway();
});
afterEach(async () => {
  gateway.log.back();
  await gateway.application.close();
});

const send = (token: string, body: string | Uint8Array = ALERT, headers: Record<string, string> = {}) =>
  fetch(`${gateway.url}/webhook/${token}/trigger`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${SECRET}`, ...headers },
  });
const codeOf = async (response: Response) => ((await response.json()) as { code?: string }).code;
const batch = (count: number) => JSON.stringify(Array.from({ length: count }, () => ({ title: 'x' })));
const overLimits = () =>
  gateway.received.map(({ headers }) => decodeFacts('webhook.received.v1', headers.facts ?? '').overLimit);
const update = (id: string, body: Partial<WebhookDocument['body']>) => {
  const document = gateway.feed.webhook(id) as WebhookDocument;
  gateway.feed.apply({ ...document, revision: document.revision + 1_000, body: { ...document.body, ...body } });
};

describe('over_limit: rollup', () => {
  it('takes in what is above the hourly limit, marked so, and tells the sender of the limit', async () => {
    const { token } = gateway.addWebhook({ rateLimitPerHour: 2, overLimit: 'rollup' });
    const responses = [await send(token), await send(token), await send(token), await send(token)];
    expect(responses.map(({ status }) => status)).toEqual([202, 202, 202, 202]);
    expect(responses.map(({ headers }) => headers.get('ratelimit-remaining'))).toEqual([null, null, '0', '0']);
    const [, , third] = responses;
    expect(third?.headers.get('ratelimit-limit')).toBe('2');
    expect(third?.headers.get('ratelimit-policy')).toBe('2;w=3600');
    expect(Number(third?.headers.get('ratelimit-reset'))).toBeGreaterThan(0);
    expect(third?.headers.get('retry-after')).toBeNull();
    await expect.poll(overLimits).toEqual([undefined, undefined, true, true]);
  });

  it('takes in what is above the limit of alerts', async () => {
    const { token } = gateway.addWebhook({ rateLimitAlertsPerMinute: 10, overLimit: 'rollup' });
    const responses = [await send(token, batch(8)), await send(token, batch(3)), await send(token, batch(2))];
    expect(responses.map(({ status }) => status)).toEqual([202, 202, 202]);
    expect(responses[1]?.headers.get('ratelimit-policy')).toBe('10;w=60');
    await expect.poll(overLimits).toEqual([undefined, true, undefined]);
  });

  it('is no way round the credential', async () => {
    const { token } = gateway.addWebhook({ rateLimitPerHour: 1, overLimit: 'rollup' });
    await send(token);
    await send(token);
    const response = await send(token, ALERT, { authorization: 'Bearer wrong' });
    expect([response.status, await codeOf(response)]).toEqual([401, 'authentication-failed']);
  });

  it('is not the default', async () => {
    for (const over of [{}, { overLimit: 'reject' as const }]) {
      const { token } = gateway.addWebhook({ rateLimitPerHour: 1, ...over });
      expect((await send(token)).status).toBe(202);
      expect((await send(token)).status).toBe(429);
    }
  });
});

describe('limits.strict', () => {
  const sized = (bytes: number) => `{"title":"${'x'.repeat(bytes - 12)}"}`;
  it('refuses more than 100 KB, as they arrive or inflated, after the credential', async () => {
    const { token } = gateway.addWebhook({ limits: { strict: true } });
    expect((await send(token, sized(100 * 1024))).status).toBe(202);
    const refused = [
      await send(token, sized(100 * 1024 + 1)),
      await send(token, gzipSync(sized(100 * 1024 + 1)), { 'content-encoding': 'gzip' }),
    ];
    for (const response of refused) expect([response.status, await codeOf(response)]).toEqual([413, 'body-too-large']);
    expect((await send(token, sized(200 * 1024), { authorization: 'Bearer wrong' })).status).toBe(401);
    await expect.poll(() => gateway.received.length).toBe(1);
  });

  it('is not the default', async () => {
    const { token } = gateway.addWebhook({ limits: { strict: false } });
    expect((await send(token, sized(200 * 1024))).status).toBe(202);
  });
});

describe('a locked-out sender', () => {
  const wrong = { authorization: 'Bearer wrong' };
  it('comes in again as soon as an editor unlocks the webhook, and starts from zero', async () => {
    const { token, id } = gateway.addWebhook();
    for (let n = 0; n < 10; n += 1) expect((await send(token, ALERT, wrong)).status).toBe(401);
    expect((await send(token)).status).toBe(429);
    update(id, { unlockedAt: new Date().toISOString() });
    await expect.poll(async () => (await send(token)).status).toBe(202);
    for (let n = 0; n < 9; n += 1) expect((await send(token, ALERT, wrong)).status).toBe(401);
    expect((await send(token)).status).toBe(202);
    expect((await send(token, ALERT, wrong)).status).toBe(401);
    expect((await send(token)).status).toBe(429);
  });

  it('stays out where the unlock was before', async () => {
    const { token } = gateway.addWebhook({ unlockedAt: new Date(Date.now() - 1_000).toISOString() });
    for (let n = 0; n < 10; n += 1) await send(token, ALERT, wrong);
    expect((await send(token)).status).toBe(429);
  });
});
