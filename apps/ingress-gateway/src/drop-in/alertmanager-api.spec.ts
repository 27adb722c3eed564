import { gzipSync } from 'node:zlib';
import { decodeFacts } from '@tocsin/contracts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SECRET, startGateway, type Gateway } from '../spec/gateway.ts';

const alert = (name: string) => ({
  labels: { alertname: name, severity: 'critical' },
  annotations: { summary: name },
  startsAt: '2026-11-21T08:59:30.120Z',
  endsAt: '2026-11-21T09:03:30.120Z',
  generatorURL: 'http://prometheus.example:9090/graph',
});
const LIST = JSON.stringify([alert('A'), alert('B')]);

let gateway: Gateway;
let token: string;
let webhookId: string;
beforeEach(async () => {
  gateway = await startGateway();
  ({ token, id: webhookId } = gateway.addWebhook({ connector: 'prometheus' }));
});
afterEach(() => gateway.application.close());

const addressOf = (of: string) => `${gateway.url}/prometheus/${of}/api/v2/alerts`;
const post = (of: string, body: string | Buffer = LIST, headers: Record<string, string> = {}) =>
  fetch(addressOf(of), {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${SECRET}`, ...headers },
  });
const refused = async (response: Response, status: number, code: string) => {
  expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  const body = (await response.json()) as { code: string; detail: string };
  expect({ status: response.status, code: body.code }).toEqual({ status, code });
  return body;
};
async function until(fact: () => boolean): Promise<void> {
  const end = performance.now() + 10_000;
  while (!fact()) {
    if (performance.now() > end) throw new Error('did not come');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe('a list of alerts', () => {
  it('is answered with 200 at once, and its exact bytes are in the log', async () => {
    const response = await post(token);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      receipt_id: expect.stringMatching(/^rcv_/) as string,
      status: 'accepted',
      reason: null,
      incident_id: null,
      alerts: [],
      status_url: expect.stringMatching(/^\/api\/v1\/receipts\/rcv_/) as string,
    });
    await until(() => gateway.received.length === 1);
    expect(gateway.received[0]).toMatchObject({ key: webhookId });
    expect(gateway.received[0]?.value.toString()).toBe(LIST);
    const facts = gateway.received[0]?.headers.facts ?? '';
    expect(decodeFacts('webhook.received.v1', facts)).toMatchObject({ connector: 'prometheus', waiting: false });
    expect(facts).not.toContain(token);
  });

  it('does not wait, whatever the webhook or the sender prefers', async () => {
    const waiting = gateway.addWebhook({ connector: 'prometheus', respond: 'wait' });
    expect((await post(waiting.token, LIST, { prefer: 'wait=10' })).status).toBe(200);
    await until(() => gateway.received.length === 1);
    expect(decodeFacts('webhook.received.v1', gateway.received[0]?.headers.facts ?? '').waiting).toBe(false);
  });

  it.each([
    ['an empty one', '[]'],
    ['one after white space and a byte order mark', `\ufeff \n${LIST}`],
  ])('is taken: %s', async (_what, body) => expect((await post(token, body)).status).toBe(200));

  it('may come gzipped', async () =>
    expect((await post(token, gzipSync(LIST), { 'content-encoding': 'gzip' })).status).toBe(200));

  it('counts as many alerts as it has', async () => {
    const narrow = gateway.addWebhook({ connector: 'prometheus', rateLimitAlertsPerMinute: 3 });
    expect((await post(narrow.token)).status).toBe(200);
    const response = await post(narrow.token);
    expect(response.headers.has('retry-after')).toBe(true);
    await refused(response, 503, 'unavailable'); // Alertmanager drops what meets a 429
  });
});

describe('it is refused', () => {
  it('where it is no list, with a hint', async () => {
    const { detail } = await refused(await post(token, '{"alerts": []}'), 400, 'malformed-body');
    expect(detail).toContain('list');
  });

  it.each(['', '[', '[1,]', '['.repeat(1024 * 1024)])('where it is no JSON: %#', async (body) => {
    await refused(await post(token, body), 400, 'malformed-body');
    expect(gateway.received).toEqual([]);
  });

  it('above the caps', async () => {
    await refused(await post(token, `[${'1,'.repeat(10_000)}1]`), 413, 'body-too-large');
    await refused(await post(token, `["${'x'.repeat(1024 * 1024)}"]`), 413, 'body-too-large');
  });

  it('without the credential of the webhook: the token is none', async () => {
    await refused(await post(token, LIST, { authorization: '' }), 401, 'authentication-failed');
    await refused(await post(token, LIST, { authorization: `Bearer ${token}` }), 401, 'authentication-failed');
  });

  it("at an address that names nothing, or another platform's webhook", async () => {
    await refused(await post('a'.repeat(32)), 404, 'unknown-webhook');
    const other = gateway.addWebhook({ connector: 'grafana' });
    const { detail } = await refused(await post(other.token), 409, 'platform-mismatch');
    expect(detail).toContain('grafana');
  });

  it('over the hourly limit', async () => {
    const narrow = gateway.addWebhook({ connector: 'prometheus', rateLimitPerHour: 1 });
    expect((await post(narrow.token)).status).toBe(200);
    await refused(await post(narrow.token), 503, 'unavailable');
  });

  it('with another method, type or encoding', async () => {
    const got = await fetch(addressOf(token));
    expect(got.headers.get('allow')).toBe('POST');
    await refused(got, 405, 'method-not-allowed');
    await refused(await post(token, LIST, { 'content-type': 'image/png' }), 415, 'unsupported-media-type');
    await refused(await post(token, LIST, { 'content-encoding': 'br' }), 415, 'unsupported-media-type');
  });
});

it('Basic works as well: Prometheus sends both', async () => {
  const auth = { method: 'basic' as const, header: null, prefix: null, username: 'prometheus' };
  const own = gateway.addWebhook({ connector: 'prometheus', auth });
  const authorization = `Basic ${Buffer.from(`prometheus:${SECRET}`).toString('base64')}`;
  expect((await post(own.token, LIST, { authorization })).status).toBe(200);
});
