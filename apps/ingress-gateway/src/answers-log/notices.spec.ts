import { readPlatformEvent, type PlatformEvent } from '@tocsin/contracts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SECRET, startGateway, type Gateway } from '../spec/gateway.ts';

const ALERT = JSON.stringify({ title: 'Disk full on db-1' });

let gateway: Gateway;
let said: PlatformEvent[];
beforeEach(async () => {
  gateway = await startGateway();
  said = [];
  await gateway.log.consume({ topic: 'platform.events', group: 'outbound-dispatcher', mode: 'group' }, (batch) => {
    for (const { headers, value, timestamp } of batch.records) {
      const read = readPlatformEvent({ type: headers['type'] ?? '', headers, value, timestamp });
      if ('refused' in read) throw new Error(read.refused.detail);
      said.push(read.event);
    }
    return Promise.resolve({ kind: 'committed', next: (batch.records.at(-1)?.offset ?? 0n) + 1n });
  });
});
afterEach(async () => {
  gateway.log.back();
  await gateway.application.close();
});

const send = (token: string, secret = SECRET) =>
  fetch(`${gateway.url}/webhook/${token}/trigger`, {
    method: 'POST',
    body: ALERT,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${secret}` },
  });
const arrive = (count: number) => expect.poll(() => said.length, { timeout: 10_000 }).toBe(count);

describe('a meta event', () => {
  it('says that a client was locked out, once for all its further requests', async () => {
    const { token, id } = gateway.addWebhook();
    for (let n = 0; n < 14; n += 1) await send(token, 'wrong');
    await arrive(1);
    expect(said[0]).toMatchObject({
      ...{ name: 'webhook.locked_out', source: '/tocsin' },
      data: {
        webhook_id: id,
        webhook_name: gateway.feed.webhook(id)?.body.name,
        client_network: '127.0.0.1',
        count: 10,
      },
    });
    const other = gateway.addWebhook();
    for (let n = 0; n < 10; n += 1) await send(other.token, 'wrong');
    await arrive(2);
    expect(said.map(({ data }) => data['webhook_id'])).toEqual([id, other.id]);
  });

  it.each(['reject', 'rollup'] as const)(
    'says once an hour that a webhook is over its limit: %s',
    async (overLimit) => {
      const { token, id } = gateway.addWebhook({ rateLimitPerHour: 2, overLimit });
      for (let n = 0; n < 6; n += 1) await send(token);
      await arrive(1);
      expect(said[0]).toMatchObject({
        name: 'webhook.rate_limited',
        data: { webhook_id: id, count: expect.any(Number) as number },
      });
      for (let n = 0; n < 3; n += 1) await send(token);
      const other = gateway.addWebhook({ rateLimitPerHour: 1, overLimit });
      for (let n = 0; n < 3; n += 1) await send(other.token);
      await arrive(2);
      expect(said.map(({ data }) => data['webhook_id'])).toEqual([id, other.id]);
    },
  );

  it('waits for a log that is away, and delays nobody', async () => {
    const { token } = gateway.addWebhook();
    for (let n = 0; n < 9; n += 1) await send(token, 'wrong');
    gateway.log.away();
    expect((await send(token, 'wrong')).status).toBe(401);
    expect((await send(token, 'wrong')).status).toBe(429);
    gateway.log.back();
    await arrive(1);
  });
});
