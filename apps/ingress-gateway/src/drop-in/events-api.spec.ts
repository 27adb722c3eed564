import { createHmac } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { connectorOf } from '@tocsin/connectors';
import { decodeFacts, type AuthMethod, type NormalizedAlert } from '@tocsin/contracts';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SECRET, startGateway, type Gateway } from '../spec/gateway.ts';
import { readEvent } from './events-api.ts';

const payload = { summary: 'Disk of db-4 at 97 %', source: 'db-4', severity: 'error' };
const trigger = { event_action: 'trigger', payload };

let gateway: Gateway;
let token: string;
let webhookId: string;
beforeEach(async () => {
  gateway = await startGateway();
  ({ token, id: webhookId } = gateway.addWebhook({ connector: 'pagerduty' }));
});
afterEach(() => gateway.application.close());

const credential = { authorization: `Bearer ${SECRET}` };
const send = (body: string | Buffer, headers: Record<string, string> = credential, method = 'POST') =>
  fetch(`${gateway.url}/v2/enqueue`, {
    method,
    body: body,
    headers: { 'content-type': 'application/json', ...headers },
  });
const enqueue = (event: object, headers?: Record<string, string>) =>
  send(JSON.stringify({ routing_key: token, ...event }), headers);
const said = async (response: Response) => {
  expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};
const invalid = (...errors: string[]) => ({
  status: 400,
  body: { status: 'invalid event', message: 'Event object is invalid', errors },
});
async function until(fact: () => boolean): Promise<void> {
  const end = performance.now() + 10_000;
  while (!fact()) {
    if (performance.now() > end) throw new Error('did not come');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** What the normalizer makes of the receipts so far. */
async function alerts(count: number): Promise<NormalizedAlert[]> {
  await until(() => gateway.received.length === count);
  return gateway.received.flatMap(({ value, headers }) => {
    const { receiptId, workspaceId, receivedAt, contentType } = decodeFacts('webhook.received.v1', headers.facts ?? '');
    const context = { receiptId, workspaceId, webhookId, receivedAt, configRevision: 1, notes: [] };
    const result = connectorOf('pagerduty')?.normalize(
      { bytes: value, contentType },
      { ...context, defaultSeverity: 'medium', severityProfile: 'tocsin' },
    );
    return result?.kind === 'alerts' ? result.alerts : [];
  });
}

describe('an event', () => {
  it('is answered with 202 and its own key, and its exact bytes are in the log of the webhook', async () => {
    const body = ` {"event_action":"trigger", "dedup_key":"db-4/disk","payload":${JSON.stringify(payload)},"routing_key":"${token}"}`;
    expect(await said(await send(body))).toEqual({
      status: 202,
      body: { status: 'success', message: 'Event processed', dedup_key: 'db-4/disk' },
    });
    await until(() => gateway.received.length === 1);
    const [record] = gateway.received;
    expect(record?.key).toBe(webhookId);
    expect(record?.value.toString()).toBe(body);
    expect(decodeFacts('webhook.received.v1', record?.headers.facts ?? '')).toMatchObject({
      connector: 'pagerduty',
      waiting: false,
    });
  });

  it('is triggered, acknowledged and resolved under its key', async () => {
    for (const event_action of ['trigger', 'acknowledge', 'resolve']) {
      const event = { event_action, dedup_key: 'db-4/disk', ...(event_action === 'trigger' ? { payload } : {}) };
      expect((await said(await enqueue(event))).body.dedup_key).toBe('db-4/disk');
    }
    expect((await alerts(3)).map(({ status, dedupKey, resolveKey }) => [status, dedupKey, resolveKey])).toEqual(
      ['triggered', 'acknowledged', 'resolved'].map((status) => [status, 'db-4/disk', 'db-4/disk']),
    );
  });

  it.each([undefined, null, '', '  '])('without a key (%j) gets one under which it can be resolved', async (given) => {
    const first = await said(await enqueue({ ...trigger, dedup_key: given }));
    const other = await said(await enqueue({ ...trigger, dedup_key: given }));
    expect(first.body.dedup_key).toMatch(/^rcv_[a-z2-7]{26}$/);
    expect(other.body.dedup_key).not.toBe(first.body.dedup_key);
    await enqueue({ event_action: 'resolve', dedup_key: first.body.dedup_key });
    const [opened, second, resolved] = await alerts(3);
    expect(opened?.resolveKey).toBe(first.body.dedup_key);
    expect(resolved).toMatchObject({ status: 'resolved', resolveKey: opened?.resolveKey });
    expect(second?.resolveKey).toBe(other.body.dedup_key);
  });

  it('sent again by a careful sender has the same generated key', async () => {
    const headers = { ...credential, 'idempotency-key': 'try-1' };
    const [first, again] = [await said(await enqueue(trigger, headers)), await said(await enqueue(trigger, headers))];
    expect(again.body).toEqual(first.body);
  });

  it('does not wait, whatever the webhook or the sender prefers', async () => {
    const waiting = gateway.addWebhook({ connector: 'pagerduty', respond: 'wait' });
    const answer = await enqueue({ ...trigger, routing_key: waiting.token }, { ...credential, prefer: 'wait=10' });
    expect(answer.status).toBe(202);
    await until(() => gateway.received.length === 1);
    expect(decodeFacts('webhook.received.v1', gateway.received[0]?.headers.facts ?? '').waiting).toBe(false);
  });

  it('may come gzipped, with a byte order mark, and at the address with a slash behind it', async () => {
    const body = JSON.stringify({ routing_key: token, ...trigger });
    expect((await send(gzipSync(body), { ...credential, 'content-encoding': 'gzip' })).status).toBe(202);
    expect((await send(`\ufeff${body}`)).status).toBe(202);
    const slashed = { method: 'POST', body, headers: { 'content-type': 'application/json', ...credential } };
    expect((await fetch(`${gateway.url}/v2/enqueue/`, slashed)).status).toBe(202);
  });
});

describe('a broken event', () => {
  it.each([
    [{ event_action: 'trigger', payload, routing_key: undefined }, `'routing_key' is missing or blank`],
    [{ event_action: 'trigger', payload, routing_key: ' ' }, `'routing_key' is missing or blank`],
    [{ event_action: 'trigger', payload, routing_key: 7 }, `'routing_key' must be a string`],
    [{ payload }, `'event_action' is missing or blank`],
    [
      { payload, event_action: 'page' },
      `'event_action' is invalid (must be one of the following: 'trigger', 'acknowledge', 'resolve')`,
    ],
    [{ event_action: 'resolve' }, `'dedup_key' is missing or blank`],
    [{ event_action: 'acknowledge', dedup_key: '' }, `'dedup_key' is missing or blank`],
    [{ ...trigger, dedup_key: { a: 1 } }, `'dedup_key' must be a string`],
    [
      { ...trigger, dedup_key: 'k'.repeat(256) },
      `Length of 'dedup_key' is incorrect (should be at most 255 characters)`,
    ],
    [{ event_action: 'trigger' }, `'payload' is missing or blank`],
    [{ event_action: 'trigger', payload: [payload] }, `'payload' must be an object`],
    [{ event_action: 'trigger', payload: { ...payload, summary: null } }, `'payload.summary' is missing or blank`],
    [{ event_action: 'trigger', payload: { ...payload, source: 1 } }, `'payload.source' must be a string`],
    [
      { event_action: 'trigger', payload: { ...payload, severity: 'bad' } },
      `'payload.severity' is invalid (must be one of the following: 'critical', 'error', 'warning', 'info')`,
    ],
  ])('%j is refused as PagerDuty refuses it', async (event, error) =>
    expect(await said(await enqueue(event))).toEqual(invalid(error)),
  );

  it('is told all of its faults', async () =>
    expect(await said(await enqueue({ event_action: 'trigger', payload: {} }))).toEqual(
      invalid(
        `'payload.summary' is missing or blank`,
        `'payload.source' is missing or blank`,
        `'payload.severity' is missing or blank`,
      ),
    ));

  it('that is no JSON, no object or too deep is refused before a webhook is looked for', async () => {
    expect(await said(await send('{"routing_key": '))).toMatchObject(
      invalid(expect.stringMatching(/^Not JSON: line 1, column 17/) as string),
    );
    expect(await said(await send(''))).toMatchObject(invalid(expect.stringContaining('The body is empty') as string));
    for (const body of ['[]', '"text"', 'null'])
      expect(await said(await send(body))).toEqual(invalid('The event must be a JSON object'));
    const before = performance.now();
    expect((await send('['.repeat(1024 * 1024))).status).toBe(400);
    expect(performance.now() - before).toBeLessThan(1_000);
    expect(gateway.received).toEqual([]);
  });

  it('any JSON is a verdict and never a throw', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (root) => {
        const verdict = readEvent(root);
        if (verdict.ok) throw new Error('cannot be: it has no routing key');
        expect(verdict.errors.length).toBeGreaterThan(0);
      }),
    );
  });
});

describe('a sender', () => {
  it('with a routing key that names nothing is told so as PagerDuty tells it', async () => {
    expect(await said(await enqueue({ ...trigger, routing_key: 'a'.repeat(32) }))).toEqual(
      invalid('Invalid routing key'),
    );
    const disabled = gateway.addWebhook({ connector: 'pagerduty', enabled: false });
    expect(await said(await enqueue({ ...trigger, routing_key: disabled.token }))).toEqual(
      invalid('Invalid routing key'),
    );
  });

  it("with another platform's webhook is told which", async () => {
    const other = gateway.addWebhook({ connector: 'prometheus' });
    expect(await said(await enqueue({ ...trigger, routing_key: other.token }))).toEqual(
      invalid('This webhook belongs to the platform prometheus; this address is for pagerduty.'),
    );
  });

  it('needs the credential of the webhook: the routing key is none', async () => {
    const wrong: Record<string, string>[] = [
      {},
      { authorization: 'Bearer wrong' },
      { authorization: `Bearer ${token}` },
    ];
    for (const headers of wrong) {
      const response = await enqueue(trigger, headers);
      expect(response.headers.get('www-authenticate')).toBe('Bearer realm="tocsin"');
      expect(await said(response)).toMatchObject({
        status: 401,
        body: { status: 'unauthorized', errors: [expect.any(String)] },
      });
    }
    expect(gateway.received).toEqual([]);
  });

  it.each([
    ['none', {}, ''],
    ['basic', { authorization: `Basic ${Buffer.from(`tocsin:${SECRET}`).toString('base64')}` }, ''],
    ['api_key', { 'x-api-key': SECRET }, ''],
    ['query_token', {}, `?token=${SECRET}`],
  ] satisfies [AuthMethod, Record<string, string>, string][])(
    'can prove itself by %s',
    async (method, headers, query) => {
      const auth = { method, header: null, prefix: null, username: null };
      const own = gateway.addWebhook({ connector: 'pagerduty', auth, ...(method === 'none' ? { secret: null } : {}) });
      const body = JSON.stringify({ ...trigger, routing_key: own.token });
      const response = await fetch(`${gateway.url}/v2/enqueue${query}`, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json', ...headers },
      });
      expect(response.status).toBe(202);
    },
  );

  it('that can sign signs the event as PagerDuty signs its webhooks', async () => {
    const auth = { method: 'hmac' as const, header: null, prefix: null, username: null };
    const own = gateway.addWebhook({ connector: 'pagerduty', auth });
    const body = JSON.stringify({ ...trigger, routing_key: own.token });
    const signature = createHmac('sha256', SECRET).update(body).digest('hex');
    expect((await send(body, { 'x-pagerduty-signature': `v1=${signature}` })).status).toBe(202);
    expect((await send(`${body} `, { 'x-pagerduty-signature': `v1=${signature}` })).status).toBe(401);
  });

  it('over the limit gets 429 with the time to come back', async () => {
    const narrow = gateway.addWebhook({ connector: 'pagerduty', rateLimitPerHour: 1 });
    const event = { ...trigger, routing_key: narrow.token };
    expect((await enqueue(event)).status).toBe(202);
    const response = await enqueue(event);
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(response.headers.get('ratelimit-limit')).toBe('1');
    expect(await said(response)).toMatchObject({
      status: 429,
      body: { status: 'throttle exceeded', errors: [expect.stringContaining('1 requests per hour')] },
    });
  });

  it('who guesses credentials is locked out', async () => {
    for (let attempt = 0; attempt < 10; attempt += 1) await enqueue(trigger, { authorization: `Bearer ${attempt}` });
    const response = await enqueue(trigger);
    expect(response.headers.has('retry-after')).toBe(true);
    expect(await said(response)).toMatchObject({ status: 429, body: { status: 'throttle exceeded' } });
  });

  it('is told to come back while no configuration is loaded', async () => {
    gateway.feed.isLoaded = false;
    const response = await enqueue({ ...trigger, routing_key: 'b'.repeat(32) });
    expect(response.headers.has('retry-after')).toBe(true);
    expect(await said(response)).toMatchObject({ status: 503, body: { status: 'unavailable' } });
  });

  it('of another encoding or method is refused in the same form', async () => {
    const encoded = await send(JSON.stringify({ routing_key: token, ...trigger }), { 'content-encoding': 'br' });
    expect(await said(encoded)).toMatchObject({ status: 415, body: { message: 'Event object is invalid' } });
    const got = await fetch(`${gateway.url}/v2/enqueue`);
    expect(got.headers.get('allow')).toBe('POST');
    expect(await said(got)).toMatchObject({ status: 405, body: { status: 'method not allowed' } });
  });
});
