import { decodeRecord, type RequestsAnswered } from '@tocsin/contracts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SECRET, startGateway, type Gateway } from '../spec/gateway.ts';

const ALERT = JSON.stringify({ title: 'Disk full on db-1' });

let gateway: Gateway;
let said: RequestsAnswered[];
beforeEach(async () => {
  gateway = await startGateway();
  said = [];
  await gateway.log.consume({ topic: 'webhook.outcomes', group: 'control-plane', mode: 'group' }, (batch) => {
    said.push(...batch.records.map(({ value }) => decodeRecord('requests.answered.v1', value)));
    return Promise.resolve({ kind: 'committed', next: (batch.records.at(-1)?.offset ?? 0n) + 1n });
  });
});
afterEach(async () => {
  gateway.log.back();
  await gateway.application.close();
});

const send = (path: string, headers: Record<string, string> = {}, body: string = ALERT) =>
  fetch(gateway.url + path, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${SECRET}`, ...headers },
  });
const rejected = () => said.flatMap((record) => record.rejected.map((entry) => ({ ...entry, of: record.webhookId })));
const answered = () => said.flatMap((record) => record.answered);
const arrive = (count: number, of: () => unknown[]) => expect.poll(() => of().length, { timeout: 10_000 }).toBe(count);

describe('the owner of a webhook learns', () => {
  it('with which code and how fast an accepted request was answered', async () => {
    const { token, id } = gateway.addWebhook();
    gateway.pipeline = ({ receiptId }) => [
      { receiptId, total: 0, alerts: [], outcome: 'dead-lettered', reason: 'unrecognised-payload' },
    ];
    const at202 = (await (await send(`/webhook/${token}/trigger`)).json()) as { receipt_id: string };
    const at422 = (await (await send(`/webhook/${token}/trigger`, { prefer: 'wait=10' })).json()) as typeof at202;
    await arrive(2, answered);
    const time: unknown = expect.stringMatching(/^\d{4}-.*Z$/);
    const latency: unknown = expect.any(Number);
    expect(answered()).toEqual([
      { receiptId: at202.receipt_id, receivedAt: time, responseCode: 202, latencyMs: latency },
      { receiptId: at422.receipt_id, receivedAt: time, responseCode: 422, latencyMs: latency },
    ]);
    expect(said[0]).toMatchObject({ webhookId: id, rejected: [] });
  });

  it('which check refused a request, and its headers without the credential', async () => {
    const { token, id } = gateway.addWebhook();
    const wrong = { authorization: 'Bearer wrong-but-secret', 'user-agent': 'spec/1', 'x-api-key': 'also-secret' };
    for (let n = 0; n < 4; n += 1) await send(`/webhook/${token}/trigger`, wrong);
    await send(`/webhook/${token}/trigger`, {}, '{"a":');
    await send(`/webhook/${token}/trigger`, { 'content-type': 'application/xml' });
    await expect.poll(() => new Set(rejected().map(({ reason }) => reason)).size, { timeout: 10_000 }).toBe(3);
    await expect.poll(() => rejected().reduce((sum, { count }) => sum + count, 0)).toBe(6);
    const first = rejected().find(({ reason }) => reason === 'credential-wrong')?.first;
    expect(first).toEqual({
      requestId: expect.stringMatching(/^req_[a-z2-7]{26}$/) as string,
      at: expect.stringMatching(/Z$/) as string,
      responseCode: 401,
      method: 'POST',
      sizeBytes: ALERT.length,
      clientNetwork: '127.0.0.1',
      headers: { 'user-agent': 'spec/1' },
      detail: 'The credential that this webhook asks for is missing or wrong.',
    });
    expect(JSON.stringify(said)).not.toMatch(/secret/);
    expect(rejected()).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ of: id, problem: 'authentication-failed', reason: 'credential-wrong' }),
        expect.objectContaining({ of: id, problem: 'malformed-body', reason: 'not-json', count: 1 }),
        expect.objectContaining({ of: id, problem: 'unsupported-media-type', reason: 'unsupported-media-type' }),
      ]),
    );
    expect(gateway.logged.filter((line) => line.includes('credential-wrong'))).toHaveLength(1);
  });

  it('of a sender at the wrong address, or with the wrong method', async () => {
    const { token, id } = gateway.addWebhook();
    await send(`/api/integrations/pagerduty?integrationId=${id}`);
    await send(`/prometheus/${token}/api/v2/alerts`);
    await fetch(`${gateway.url}/webhook/${token}/trigger`);
    const counts = () => rejected().map(({ problem, count, first }) => [problem, count, first?.method]);
    await expect.poll(() => counts().length, { timeout: 10_000 }).toBeGreaterThanOrEqual(2);
    await expect.poll(() => rejected().reduce((sum, { count }) => sum + count, 0)).toBe(3);
    expect(counts()).toEqual(
      expect.arrayContaining([
        ['platform-mismatch', expect.any(Number), 'POST'],
        ['method-not-allowed', 1, 'GET'],
      ]),
    );
  });

  it('of limits and of lock-outs', async () => {
    const limited = gateway.addWebhook({ rateLimitPerHour: 1 });
    for (let n = 0; n < 3; n += 1) await send(`/webhook/${limited.token}/trigger`);
    const locked = gateway.addWebhook();
    for (let n = 0; n < 12; n += 1) await send(`/webhook/${locked.token}/trigger`, { authorization: 'Bearer wrong' });
    const counted = (problem: string, reason: string) =>
      rejected()
        .filter((entry) => entry.problem === problem && entry.reason === reason)
        .reduce((sum, { count }) => sum + count, 0);
    await expect.poll(() => counted('rate-limited', 'rate_limit_per_hour'), { timeout: 10_000 }).toBe(2);
    await expect.poll(() => counted('authentication-failed', 'credential-wrong')).toBe(10);
    await expect.poll(() => counted('locked-out', 'locked-out')).toBe(2);
  });

  it('of all of it when the gateway shuts down at once', async () => {
    const { token } = gateway.addWebhook();
    const appended: string[] = [];
    gateway.log.confirmation = (records) => {
      appended.push(...records.map(({ headers }) => headers.type ?? ''));
      return Promise.resolve();
    };
    await send(`/webhook/${token}/trigger`);
    await gateway.application.close();
    expect(appended).toContain('requests.answered.v1');
    gateway = await startGateway();
  });

  it('later, and senders notice nothing, while the log is slow to take it', async () => {
    const { token } = gateway.addWebhook();
    const gate = Promise.withResolvers<void>();
    let held = false;
    gateway.log.confirmation = (records) => {
      if (records[0]?.topic !== 'webhook.outcomes') return Promise.resolve();
      held = true;
      return gate.promise;
    };
    expect((await send(`/webhook/${token}/trigger`)).status).toBe(202);
    await expect.poll(() => held, { timeout: 10_000 }).toBe(true);
    expect((await send(`/webhook/${token}/trigger`)).status).toBe(202);
    gate.resolve();
    await arrive(2, answered);
  });
});
