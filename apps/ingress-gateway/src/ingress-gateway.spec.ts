import { createHmac, createSign, generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import {
  alertIdOf,
  decodeFacts,
  receiptIdOf,
  type AlertAnswer,
  type AuthMethod,
  type WebhookBody,
  type WebhookDocument,
} from '@tocsin/contracts';
import { Module, type Type } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ingressControllers, ingressProviders } from './ingress-gateway.module.ts';
import { VENDOR_ACCESS, type VendorAccess } from './ingress.ts';
import { SECRET, startGateway, type Gateway } from './spec/gateway.ts';

const MIB = 1024 * 1024;
const ALERT = JSON.stringify({ title: 'Disk full on db-1', severity: 'critical' });

const created = (receiptId: string, index = 0): AlertAnswer => ({
  index,
  alertId: alertIdOf(receiptId, index),
  incidentId: 'inc_of_this_test',
  outcome: 'created',
  reason: 'new-alert',
  occurrenceCount: 1,
});
const sign = (body: string | Uint8Array) => createHmac('sha256', SECRET).update(body).digest('hex');

let gateway: Gateway;
const post = (path: string, body: string | Uint8Array = ALERT, headers: Record<string, string> = {}) =>
  fetch(`${gateway.url}${path}`, {
    method: 'POST',
    body: body,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${SECRET}`, ...headers },
  });
const trigger = (token: string, body?: string | Uint8Array, headers?: Record<string, string>) =>
  post(`/webhook/${token}/trigger`, body, headers);
const problemOf = async (response: Response) => {
  expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  return (await response.json()) as {
    status: number;
    code: string;
    detail: string;
    errors?: { path: string; code: string; message: string }[];
    receipt_id?: string;
  };
};
const refused = async (response: Response, status: number, code: string) => {
  const problem = await problemOf(response);
  expect({ status: response.status, said: problem.status, code: problem.code }).toEqual({ status, said: status, code });
  return problem;
};
async function until(fact: () => boolean): Promise<void> {
  const end = performance.now() + 10_000;
  while (!fact()) {
    if (performance.now() > end) throw new Error('did not come');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

beforeEach(async () => {
  gateway = await startGateway();
});
afterEach(async () => {
  gateway.log.back();
  await gateway.application.close();
});

describe('a sender that does not wait', () => {
  it('gets 202 when the receipt is durable, and the exact bytes are in the log', async () => {
    const { token, id } = gateway.addWebhook();
    const body = `  {"title": "Ünïcode",\n"n": 1.0} `;
    const response = await trigger(token, body, {
      'user-agent': 'spec/1',
      'x-api-key': 'never',
      cookie: 'never=1',
      'x-vendor-event': 'created',
      'content-type': 'application/json; charset=utf-8',
    });
    expect(response.status).toBe(202);
    const answer = (await response.json()) as { receipt_id: string };
    expect(answer).toEqual({
      receipt_id: expect.stringMatching(/^rcv_[a-z2-7]{26}$/) as string,
      status: 'accepted',
      reason: null,
      incident_id: null,
      alerts: [],
      status_url: `/api/v1/receipts/${answer.receipt_id}`,
    });
    await until(() => gateway.received.length === 1);
    const [record] = gateway.received;
    expect(record?.key).toBe(id);
    expect(record?.value.toString()).toBe(body);
    expect(record?.headers).toMatchObject({
      type: 'webhook.received.v1',
      traceparent: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/) as string,
    });
    expect(Object.keys(record?.headers ?? {}).sort()).toEqual(['facts', 'traceparent', 'type']);
    expect(decodeFacts('webhook.received.v1', record?.headers.facts ?? '')).toMatchObject({
      receiptId: answer.receipt_id,
      webhookId: id,
      connector: 'generic',
      configRevision: 2,
      method: 'POST',
      query: '',
      contentType: 'application/json; charset=utf-8',
      headers: { 'user-agent': 'spec/1', 'x-vendor-event': 'created' },
      waiting: false,
    });
    expect(record?.headers.facts).not.toMatch(/never|correct-horse/);
  });

  it("keeps the sender's trace", async () => {
    const { token } = gateway.addWebhook();
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    await trigger(token, ALERT, { traceparent });
    await until(() => gateway.received.length === 1);
    expect(gateway.received[0]?.headers.traceparent).toBe(traceparent);
  });

  it.each(['Idempotency-Key', 'webhook-id'])('makes a resend with the same %s the same receipt', async (header) => {
    const { token, id } = gateway.addWebhook();
    const answers = await Promise.all(
      [1, 2].map(
        async () => (await (await trigger(token, ALERT, { [header]: 'try-1' })).json()) as { receipt_id: string },
      ),
    );
    expect(answers.map((answer) => answer.receipt_id)).toEqual(
      Array(2).fill(receiptIdOf(id, 'try-1', Buffer.from(ALERT))),
    );
    const other = (await (await trigger(token, ALERT, { [header]: 'try-2' })).json()) as { receipt_id: string };
    expect(other.receipt_id).not.toBe(answers[0]?.receipt_id);
  });

  it('is told 202 although the webhook waits by default, when it prefers so', async () => {
    const { token } = gateway.addWebhook({ respond: 'wait' });
    expect((await trigger(token, ALERT, { prefer: 'respond-async' })).status).toBe(202);
  });
});

describe('a sender that waits', () => {
  it('gets 200 when the last alert has its outcome, whatever the order of the parts', async () => {
    const { token } = gateway.addWebhook({ respond: 'wait' });
    gateway.pipeline = ({ receiptId }) =>
      [2, 0, 1].map((index) => ({ receiptId, total: 3, alerts: [created(receiptId, index)] }));
    const response = await trigger(token, '[{"title":"a"},{"title":"b"},{"title":"c"}]', { prefer: 'wait=10' });
    const answer = (await response.json()) as { receipt_id: string };
    expect(response.status).toBe(200);
    const alerts = [0, 1, 2].map((index) => ({
      alert_id: alertIdOf(answer.receipt_id, index),
      incident_id: 'inc_of_this_test',
      outcome: 'created',
      reason: 'new-alert',
      occurrence_count: 1,
    }));
    expect(answer).toMatchObject({ status: 'created', incident_id: 'inc_of_this_test', alerts });
    await until(() => gateway.received.length === 1);
    expect(decodeFacts('webhook.received.v1', gateway.received[0]?.headers.facts ?? '').waiting).toBe(true);
  });

  it('hears a reply that is faster than the confirmation of its own append', async () => {
    const { token } = gateway.addWebhook();
    const replied = Promise.withResolvers<void>();
    let confirmed = false;
    gateway.log.confirmation = async () => {
      await replied.promise;
      confirmed = true;
    };
    gateway.pipeline = ({ receiptId }) => [{ receiptId, total: 1, alerts: [created(receiptId)] }];
    await gateway.log.consume({ topic: 'webhook.replies', group: 'spec', mode: 'group' }, (batch) => {
      expect(confirmed).toBe(false);
      setImmediate(replied.resolve); // the gateway's own consumer has been handed the same record by now
      return Promise.resolve({ kind: 'committed', next: (batch.records.at(-1)?.offset ?? 0n) + 1n });
    });
    const response = await trigger(token, ALERT, { prefer: 'wait=10' });
    expect(response.status).toBe(200);
  });

  it('gets 200 ignored with the reason for a receipt without alerts', async () => {
    const { token } = gateway.addWebhook();
    gateway.pipeline = ({ receiptId }) => [
      { receiptId, total: 0, alerts: [], outcome: 'ignored', reason: 'test-notification' },
    ];
    const response = await trigger(token, ALERT, { prefer: 'wait=10' });
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      status: 'ignored',
      reason: 'test-notification',
      incident_id: null,
      alerts: [],
    });
  });

  it('gets 422 for a payload that the connector does not recognise', async () => {
    const { token } = gateway.addWebhook();
    gateway.pipeline = ({ receiptId }) => [
      {
        receiptId,
        total: 0,
        alerts: [],
        outcome: 'dead-lettered',
        reason: 'unrecognised-payload',
        detail: 'No event in it.',
      },
    ];
    const problem = await refused(await trigger(token, ALERT, { prefer: 'wait=10' }), 422, 'unrecognised-payload');
    expect(problem).toMatchObject({ detail: 'No event in it.', receipt_id: expect.stringMatching(/^rcv_/) as string });
  });

  it('gets 202 when its time runs out, and when only a part came', async () => {
    const { token } = gateway.addWebhook();
    gateway.pipeline = ({ receiptId }) => [{ receiptId, total: 2, alerts: [created(receiptId)] }];
    const response = await trigger(token, ALERT, { prefer: 'wait=1' });
    expect(response.status).toBe(202);
    expect(await response.json()).toMatchObject({ status: 'accepted', incident_id: null, alerts: [] });
  });

  it('gets the first outcome for a repeated receipt', async () => {
    const { token } = gateway.addWebhook({ respond: 'wait' });
    gateway.pipeline = ({ receiptId }) => [{ receiptId, total: 1, alerts: [created(receiptId)] }];
    const answers = [];
    for (let turn = 0; turn < 2; turn += 1)
      answers.push(await (await trigger(token, ALERT, { 'idempotency-key': 'k', prefer: 'wait=10' })).json());
    expect(answers[1]).toEqual(answers[0]);
  });

  it('gets its 202 at once when the gateway shuts down', async () => {
    const { token } = gateway.addWebhook();
    const answer = trigger(token, ALERT, { prefer: 'wait=10' });
    await until(() => gateway.received.length === 1);
    const before = performance.now();
    const [response] = await Promise.all([answer, gateway.application.close()]);
    expect(response.status).toBe(202);
    expect(response.headers.get('connection')).toBe('close');
    expect(performance.now() - before).toBeLessThan(9_000); // it would have waited ten seconds
    gateway = await startGateway();
  });
});

describe('authentication', () => {
  it('answers every kind of failure with one body', async () => {
    const bearer = gateway.addWebhook();
    const hmac = gateway.addWebhook({ auth: { method: 'hmac', header: null, prefix: null, username: null } });
    const pagerduty = gateway.addWebhook({
      connector: 'pagerduty',
      auth: { method: 'hmac', header: null, prefix: null, username: null },
    });
    const none = { authorization: '' };
    const responses = await Promise.all([
      trigger(bearer.token, ALERT, none),
      trigger(bearer.token, ALERT, { authorization: 'Bearer wrong' }),
      trigger(bearer.token, ALERT, { authorization: `Basic ${SECRET}` }),
      trigger(hmac.token, ALERT, none),
      trigger(hmac.token, ALERT, { 'x-signature': sign('another body') }),
      trigger(hmac.token, ALERT, { 'x-signature': sign(ALERT).slice(1) }),
      trigger(hmac.token, ALERT, { 'x-signature': 'sha256=not-hex' }),
      trigger(hmac.token, `${ALERT} `, { 'x-signature': sign(ALERT) }),
      trigger(pagerduty.token, ALERT, { 'x-pagerduty-signature': `v2=${sign(ALERT)}` }),
      trigger(hmac.token, '{broken', { 'x-signature': sign('else') }),
      post(`/api/integrations/pagerduty?integrationId=${pagerduty.id}`, ALERT),
    ]);
    const texts = await Promise.all(responses.map((response) => response.text()));
    expect(responses.map((response) => response.status)).toEqual(Array(responses.length).fill(401));
    expect(new Set(texts).size).toBe(1);
    expect(new Set(responses.map((response) => response.headers.get('www-authenticate'))).size).toBe(1);
    expect(JSON.parse(texts[0] ?? '')).toMatchObject({ code: 'authentication-failed', status: 401 });
    expect(gateway.log.appended).toBe(0);
    expect(gateway.logged.join('')).not.toContain(SECRET);
  });

  it('refuses a header that came twice', async () => {
    const { token } = gateway.addWebhook();
    const authorization = `Authorization: Bearer ${SECRET}\r\n`;
    const head = `POST /webhook/${token}/trigger HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${ALERT.length}\r\n`;
    expect(await raw(`${head}${authorization}${authorization}\r\n${ALERT}`)).toMatch(/^HTTP\/1\.1 401 /);
    expect(await raw(`${head}${authorization}\r\n${ALERT}`)).toMatch(/^HTTP\/1\.1 202 /);
  });

  it.each([
    ['bare hex', 'generic', 'x-signature', sign(ALERT)],
    ['sha256=', 'generic', 'x-webhook-signature', `sha256=${sign(ALERT)}`],
    ['a v1= list', 'pagerduty', 'x-pagerduty-signature', `v1=${sign('else')},v1=${sign(ALERT)}`],
  ])('accepts a signature as %s', async (_name, connector, header, value) => {
    const { token } = gateway.addWebhook({
      connector,
      auth: { method: 'hmac', header: null, prefix: null, username: null },
    });
    expect((await trigger(token, ALERT, { authorization: '', [header]: value })).status).toBe(202);
  });

  it('asks for nothing where `none` was chosen', async () => {
    const { token } = gateway.addWebhook({
      secret: null,
      auth: { method: 'none', header: null, prefix: null, username: null },
    });
    expect((await trigger(token, ALERT, { authorization: '' })).status).toBe(202);
  });

  it('answers 503 and logs where no secret can be opened', async () => {
    const { token } = gateway.addWebhook({ secrets: [{ id: 'sec_x', sealed: 'v1.dk.AAAA.AAAA', notAfter: null }] });
    const response = await trigger(token);
    expect(response.headers.get('retry-after')).toBe('5');
    await refused(response, 503, 'unavailable');
    expect(gateway.logged.join('')).toContain('secret.unreadable');
  });
});

describe('an address', () => {
  it('of an unknown or disabled webhook is a 404 with one body', async () => {
    const disabled = gateway.addWebhook({ enabled: false });
    const responses = await Promise.all([
      trigger('nobody'),
      trigger(disabled.token),
      trigger('x'.repeat(190)),
      post(`/api/integrations/webhook?integrationId=${disabled.id}`),
      post('/api/integrations/webhook?integrationId=whk_none'),
    ]);
    const problems = await Promise.all(responses.map((response) => refused(response, 404, 'unknown-webhook')));
    expect(new Set(problems.map((problem) => JSON.stringify(problem))).size).toBe(1);
  });

  it('of a webhook that the feed has not seen yet waits for the feed', async () => {
    const byToken = gateway.addWebhook({ announced: true });
    expect((await trigger(byToken.token)).status).toBe(202);
    const byId = gateway.addWebhook({ announced: true });
    expect((await post(`/api/integrations/generic?integrationId=${byId.id}`)).status).toBe(202);
  });

  it('is a 503, never a 404, before the first configuration', async () => {
    gateway.feed.isLoaded = false;
    const response = await trigger('nobody');
    expect(response.headers.get('retry-after')).toBe('1');
    await refused(response, 503, 'unavailable');
  });

  it('holds for the token that was rotated away until its overlap ends', async () => {
    const old = gateway.addWebhook();
    const document = gateway.feed.webhook(old.id) as WebhookDocument;
    const rotated = (notAfter: string): WebhookDocument => {
      const { tokenHmac } = document.body;
      return {
        ...document,
        revision: document.revision + 1,
        body: { ...document.body, tokenHmac: 'the new one', previousTokens: [{ tokenHmac, notAfter }] },
      };
    };
    let current = document;
    gateway.feed.webhookByTokenHmac = () => current;
    current = rotated(new Date(Date.now() + 60_000).toISOString());
    expect((await trigger(old.token)).status).toBe(202);
    current = rotated(new Date(Date.now() - 1).toISOString());
    await refused(await trigger(old.token), 404, 'unknown-webhook');
  });

  it.each([
    ['webhook', 'generic'],
    ['generic', 'generic'],
    ['prometheus', 'prometheus'],
    ['pagerduty', 'pagerduty'],
  ])('/api/integrations/%s takes a webhook of %s', async (slug, connector) => {
    const { id } = gateway.addWebhook({ connector });
    expect((await post(`/api/integrations/${slug}?integrationId=${id}`)).status).toBe(202);
    await until(() => gateway.received.length === 1);
    expect(decodeFacts('webhook.received.v1', gateway.received[0]?.headers.facts ?? '')).toMatchObject({
      connector,
      query: `integrationId=${id}`,
    });
  });

  it('of an unknown platform, of another platform, or without a webhook is refused', async () => {
    const { id } = gateway.addWebhook();
    await refused(await post(`/api/integrations/nagiosaurus?integrationId=${id}`), 404, 'unknown-platform');
    await refused(await post(`/api/integrations/pagerduty?integrationId=${id}`), 409, 'platform-mismatch');
    await refused(await post('/api/integrations/webhook'), 400, 'malformed-request');
    await refused(
      await post(`/api/integrations/webhook?integrationId=${id}&integrationId=${id}`),
      400,
      'malformed-request',
    );
  });

  it.each(['GET', 'PUT', 'PATCH', 'DELETE'])('answers %s with 405 and what is allowed', async (method) => {
    const { token, id } = gateway.addWebhook();
    for (const path of [`/webhook/${token}/trigger`, `/api/integrations/webhook?integrationId=${id}`]) {
      const response = await fetch(`${gateway.url}${path}`, { method });
      expect(response.headers.get('allow')).toBe('POST');
      await refused(response, 405, 'method-not-allowed');
    }
  });
});

describe('a body', () => {
  it.each([
    ['is not JSON', '{"title": oops}', 'not-json', 'line 1, column 11'],
    ['breaks off', '{\n "title": "x"', 'not-json', 'line 2, column 14'],
    ['is empty', '', 'not-json', 'line 1, column 1'],
    ['is a form', 'title=x&severity=high', 'not-json', 'line 1, column 2'],
    ['is a depth bomb', '['.repeat(MIB), 'too-deep', 'line 1, column 65'],
    ['is a depth bomb of objects', '{"a":'.repeat(200_000), 'too-deep', 'line 1, column 321'],
    [
      'is a key bomb',
      `{${Array.from({ length: 60_000 }, (_, n) => `"k${n}":0`).join(',')}}`,
      'too-many-keys',
      'line 1, column ',
    ],
  ])('that %s is a 400 with the position', async (_name, body, code, where) => {
    const { token } = gateway.addWebhook();
    const problem = await refused(await trigger(token, body), 400, 'malformed-body');
    expect(problem.errors).toEqual([{ path: '$', code, message: expect.stringContaining(where) as string }]);
    expect(problem.detail).toContain(where);
    expect(gateway.log.appended).toBe(0);
  });

  it('of garbage without the credential is a 401: nothing is read before the sender is known', async () => {
    const { token } = gateway.addWebhook();
    await refused(await trigger(token, '['.repeat(MIB), { authorization: '' }), 401, 'authentication-failed');
  });

  it('of exactly 1 MiB is taken, one byte more is a 413', async () => {
    const { token } = gateway.addWebhook();
    const sized = (bytes: number) => `{"title":"${'x'.repeat(bytes - 12)}"}`;
    expect((await trigger(token, sized(MIB))).status).toBe(202);
    await refused(await trigger(token, sized(MIB + 1)), 413, 'body-too-large');
  });

  it('that comes slowly in chunks gets its 413 before it is read to the end', async () => {
    const { token } = gateway.addWebhook();
    const socket = connect(gateway.port, '127.0.0.1');
    let answer = '';
    socket.on('data', (data) => (answer += data.toString())).on('error', () => undefined);
    await once(socket, 'connect');
    socket.write(
      `POST /webhook/${token}/trigger HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${SECRET}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`,
    );
    const chunk = Buffer.from(`10000\r\n${'['.repeat(0x10000)}\r\n`);
    let sent = 0;
    // The last chunk is never sent: an answer can only come before the end of the body.
    while (answer === '' && sent < 64) {
      if (!socket.destroyed) socket.write(chunk);
      sent += 1;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await until(() => answer !== '');
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer).toContain('"code":"body-too-large"');
    socket.destroy();
  });

  it('of 10,000 alerts is taken, of one more is a 413, under the key of the connector too', async () => {
    const generic = gateway.addWebhook();
    const prometheus = gateway.addWebhook({ connector: 'prometheus' });
    const alerts = (count: number) => `[${Array.from({ length: count }, () => '{"a":1}').join(',')}]`;
    expect((await trigger(generic.token, alerts(10_000))).status).toBe(202);
    await refused(await trigger(generic.token, alerts(10_001)), 413, 'body-too-large');
    expect((await trigger(prometheus.token, `{"alerts":${alerts(10_000)}}`)).status).toBe(202);
    await refused(await trigger(prometheus.token, `{"alerts":${alerts(10_001)}}`), 413, 'body-too-large');
    expect((await trigger(generic.token, `{"title":"x","alerts":${alerts(10_001)}}`)).status).toBe(202);
  });

  it('in gzip is inflated, whichever bytes were signed', async () => {
    const { token } = gateway.addWebhook({ auth: { method: 'hmac', header: null, prefix: null, username: null } });
    const packed = gzipSync(ALERT);
    for (const signature of [sign(packed), sign(ALERT)]) {
      expect((await trigger(token, packed, { 'content-encoding': 'gzip', 'x-signature': signature })).status).toBe(202);
    }
    await until(() => gateway.received.length === 2);
    expect(gateway.received.map((record) => record.value.toString())).toEqual([ALERT, ALERT]);
  });

  it('in gzip may not inflate beyond 1 MiB, and must be gzip', async () => {
    const { token } = gateway.addWebhook();
    await refused(
      await trigger(token, gzipSync(Buffer.alloc(50 * MIB, ' ')), { 'content-encoding': 'gzip' }),
      413,
      'body-too-large',
    );
    await refused(await trigger(token, 'no gzip', { 'content-encoding': 'gzip' }), 400, 'malformed-body');
  });

  it('in another encoding or media type is a 415', async () => {
    const { token } = gateway.addWebhook();
    const response = await trigger(token, ALERT, { 'content-encoding': 'br' });
    expect(response.headers.get('accept-encoding')).toBe('gzip');
    await refused(response, 415, 'unsupported-media-type');
    for (const type of ['application/xml', 'multipart/form-data; boundary=x', 'application/json; charset=utf-16']) {
      await refused(await trigger(token, ALERT, { 'content-type': type }), 415, 'unsupported-media-type');
    }
    for (const type of [
      'application/x-www-form-urlencoded',
      'text/plain',
      'application/cloudevents+json',
      'application/json;charset="UTF-8"',
    ]) {
      expect((await trigger(token, ALERT, { 'content-type': type })).status).toBe(202);
    }
  });
});

describe('an event log that does not answer', () => {
  const restart = async (environment: Record<string, string>) => {
    await gateway.application.close();
    gateway = await startGateway(environment);
  };

  it('is a 503 with Retry-After within the deadline, and a 202 again when it is back', async () => {
    await restart({ INGRESS_APPEND_DEADLINE_MS: '200' });
    const { token } = gateway.addWebhook();
    gateway.log.away();
    const response = await trigger(token, ALERT, { prefer: 'wait=10' });
    expect(response.headers.get('retry-after')).toBe('1');
    await refused(response, 503, 'unavailable');
    gateway.log.back();
    expect((await trigger(token)).status).toBe(202);
    expect(gateway.logged.filter((line) => line.includes('receipts.log-away'))).toHaveLength(1);
    expect(gateway.logged.filter((line) => line.includes('receipts.log-back'))).toHaveLength(1);
  });

  it('holds bounded memory: beyond it senders are told 503 at once, until the log has settled what it holds', async () => {
    await restart({ INGRESS_APPEND_DEADLINE_MS: '60000', INGRESS_IN_FLIGHT_BYTES: String(4 * MIB) });
    const { token } = gateway.addWebhook();
    gateway.log.away();
    const big = `{"title":"${'x'.repeat(MIB - 12)}"}`;
    const turnedAway: Promise<unknown>[] = [];
    const statuses = Array.from({ length: 6 }, async () => {
      const response = await trigger(token, big);
      if (response.status === 503) turnedAway.push(refused(response, 503, 'unavailable'));
      return response.status;
    });
    // Three bodies of 1 MiB fit beside their overhead; the others do not wait for the deadline of a minute.
    await until(() => turnedAway.length === 3);
    await Promise.all(turnedAway);
    gateway.log.back();
    expect((await Promise.all(statuses)).sort()).toEqual([202, 202, 202, 503, 503, 503]);
    expect((await trigger(token, big)).status).toBe(202);
  });
});

const authOf = (method: AuthMethod, over: Partial<WebhookBody['auth']> = {}) => ({
  method,
  header: null,
  prefix: null,
  username: null,
  ...over,
});
const restarted = async (environment: Record<string, string>, module?: Type) => {
  await gateway.application.close();
  gateway = await startGateway(environment, module);
};

describe('a webhook of another method', () => {
  const plain = { authorization: '' };
  it.each<[AuthMethod, string, Record<string, string>]>([
    ['api_key', '', { 'x-api-key': SECRET }],
    ['basic', '', { authorization: `Basic ${Buffer.from(`u:${SECRET}`).toString('base64')}` }],
    ['query_token', `?token=${SECRET}&keep=1`, {}],
    ['query_token', `?auth_token=${SECRET}`, {}],
  ])(
    '%s takes its credential (%#), stores nothing of it, and answers everything else alike',
    async (method, query, headers) => {
      const { token } = gateway.addWebhook({ auth: authOf(method) });
      const at = `/webhook/${token}/trigger`;
      expect((await post(at + query, ALERT, { ...plain, ...headers })).status).toBe(202);
      await until(() => gateway.received.length === 1);
      const facts = gateway.received[0]?.headers.facts ?? '';
      expect(facts).not.toContain(SECRET);
      expect(facts).not.toContain(Buffer.from(SECRET).toString('base64').slice(0, 20));
      const wrong = await Promise.all([
        post(at, ALERT, plain),
        post(`${at}?token=wrong`, ALERT, plain),
        post(at, ALERT, { ...plain, 'x-api-key': 'wrong' }),
        trigger(token, '[', plain),
      ]);
      const texts = await Promise.all(wrong.map((response) => response.text()));
      expect(wrong.map(({ status }) => status)).toEqual([401, 401, 401, 401]);
      expect(new Set(texts).size).toBe(1);
      expect(gateway.logged.join('')).not.toContain(SECRET);
    },
  );

  it('goes on with the old one until the overlap ends', async () => {
    const old = (notAfter: string) => {
      const { id, token } = gateway.addWebhook({ auth: authOf('bearer') });
      const document = gateway.feed.webhook(id) as WebhookDocument;
      const previousAuth = { auth: document.body.auth, secrets: document.body.secrets, notAfter };
      gateway.feed.apply({
        ...document,
        revision: document.revision + 1_000,
        body: { ...document.body, auth: authOf('hmac'), previousAuth },
      });
      return token;
    };
    const running = old(new Date(Date.now() + 60_000).toISOString());
    expect((await trigger(running)).status).toBe(202);
    expect((await trigger(running, ALERT, { ...plain, 'x-signature': sign(ALERT) })).status).toBe(202);
    await refused(await trigger(running, ALERT, { authorization: 'Bearer wrong' }), 401, 'authentication-failed');
    const ended = old(new Date(Date.now() - 1).toISOString());
    await refused(await trigger(ended), 401, 'authentication-failed');
  });

  it("of a vendor is verified against the vendor's key", async () => {
    const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const config = {
      config: { notifications: { webhook: { public_key: pair.publicKey.export({ type: 'spki', format: 'pem' }) } } },
    };
    const access: VendorAccess = {
      fetch: async ({ href }) => ({
        status: href === 'https://api.travis-ci.com/config' ? 200 : 404,
        body: Buffer.from(JSON.stringify(config)),
      }),
      roots: () => [],
      close: async () => undefined,
    };
    @Module({
      controllers: ingressControllers,
      providers: [...ingressProviders, { provide: VENDOR_ACCESS, useValue: access }],
    })
    class WithOwnVendors {}
    await restarted({}, WithOwnVendors);
    const { token } = gateway.addWebhook({
      connector: 'travis',
      secret: null,
      auth: authOf('vendor', { subjects: ['acme/shop'] }),
    });
    const payload = JSON.stringify({ id: 1, repository: { owner_name: 'acme', name: 'shop' } });
    const form = new URLSearchParams({ payload }).toString();
    const headers = { ...plain, 'content-type': 'application/x-www-form-urlencoded' };
    const signature = createSign('RSA-SHA1').update(payload).sign(pair.privateKey, 'base64');
    expect((await trigger(token, form, { ...headers, signature })).status).toBe(202);
    await refused(
      await trigger(token, form, {
        ...headers,
        signature: `${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`,
      }),
      401,
      'authentication-failed',
    );
    await refused(await trigger(token, form, headers), 401, 'authentication-failed');
  });
});

describe('a sender that has only a query string', () => {
  const connector = 'uptimerobot';
  const query = '?monitorID=7&alertType=1&monitorFriendlyName=Shop&token=' + SECRET;
  it('is taken by GET and by POST without a body, and its token is not stored', async () => {
    const { token } = gateway.addWebhook({ connector, auth: authOf('query_token') });
    expect((await fetch(`${gateway.url}/webhook/${token}/trigger${query}`)).status).toBe(202);
    expect((await fetch(`${gateway.url}/webhook/${token}/trigger${query}`, { method: 'POST' })).status).toBe(202);
    await until(() => gateway.received.length === 2);
    for (const record of gateway.received) {
      expect(record.value).toHaveLength(0);
      expect(decodeFacts('webhook.received.v1', record.headers.facts ?? '')).toMatchObject({
        query: 'monitorID=7&alertType=1&monitorFriendlyName=Shop',
      });
    }
    await refused(await fetch(`${gateway.url}/webhook/${token}/trigger?monitorID=7`), 401, 'authentication-failed');
    await refused(await fetch(`${gateway.url}/webhook/nobody/trigger${query}`), 404, 'unknown-webhook');
  });
  it('and sends nothing at all is told so', async () => {
    const { token } = gateway.addWebhook({ connector, auth: authOf('bearer') });
    await refused(await trigger(token, ''), 400, 'malformed-body');
  });
});

describe('a body beside JSON', () => {
  it('is taken where the connector declares it', async () => {
    const { token } = gateway.addWebhook({ connector: 'uptime-kuma' });
    const multipart = { 'content-type': 'multipart/form-data; boundary=x' };
    expect(
      (
        await trigger(
          token,
          '--x\r\ncontent-disposition: form-data; name="data"\r\n\r\n{"msg":"up"}\r\n--x--\r\n',
          multipart,
        )
      ).status,
    ).toBe(202);
    const { token: generic } = gateway.addWebhook();
    await refused(await trigger(generic, 'x', multipart), 415, 'unsupported-media-type');
  });
  it('may start with a byte order mark', async () => {
    const { token } = gateway.addWebhook();
    expect((await trigger(token, Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(ALERT)]))).status).toBe(
      202,
    );
  });
});

describe('a limit, while there is no database', () => {
  it('of requests is a 429 that says when to come again', async () => {
    const { token } = gateway.addWebhook({ rateLimitPerHour: 3 });
    const responses = [await trigger(token), await trigger(token), await trigger(token)];
    expect(responses.map(({ status }) => status)).toEqual([202, 202, 202]);
    const over = await trigger(token);
    expect(Number(over.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(over.headers.get('ratelimit-limit')).toBe('3');
    expect(over.headers.get('ratelimit-remaining')).toBe('0');
    expect(over.headers.get('ratelimit-reset')).toBe(over.headers.get('retry-after'));
    await refused(over, 429, 'rate-limited');
    expect(gateway.log.appended).toBe(3);
    expect(gateway.logged.filter((line) => line.includes('rate-limited'))).toHaveLength(1);
  });

  it('is a 503 for a platform that would drop what meets a 429', async () => {
    const { token } = gateway.addWebhook({ connector: 'prometheus', rateLimitPerHour: 1 });
    expect((await trigger(token, '{"alerts":[]}')).status).toBe(202);
    const over = await trigger(token, '{"alerts":[]}');
    expect(Number(over.headers.get('retry-after'))).toBeGreaterThan(0);
    await refused(over, 503, 'unavailable');
  });

  it('is not used up by strangers', async () => {
    const { token } = gateway.addWebhook({ rateLimitPerHour: 1 });
    for (let n = 0; n < 5; n += 1)
      await refused(await trigger(token, ALERT, { authorization: 'Bearer wrong' }), 401, 'authentication-failed');
    expect((await trigger(token)).status).toBe(202);
  });

  it('of alerts counts what one request carries', async () => {
    const { token } = gateway.addWebhook({ rateLimitAlertsPerMinute: 10 });
    const batch = (count: number) => JSON.stringify(Array.from({ length: count }, () => ({ title: 'x' })));
    expect((await trigger(token, batch(8))).status).toBe(202);
    await refused(await trigger(token, batch(3)), 429, 'rate-limited');
    expect((await trigger(token, batch(2))).status).toBe(202);
  });
});

describe('ten wrong credentials', () => {
  const wrong = (token: string, headers: Record<string, string> = {}) =>
    trigger(token, ALERT, { authorization: 'Bearer wrong', ...headers });

  it('lock their sender out of this webhook, before anything is verified', async () => {
    const { token } = gateway.addWebhook();
    const other = gateway.addWebhook();
    for (let n = 0; n < 10; n += 1) await refused(await wrong(token), 401, 'authentication-failed');
    const response = await trigger(token);
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(800);
    await refused(response, 429, 'locked-out');
    expect((await trigger(other.token)).status).toBe(202);
    expect(gateway.logged.filter((line) => line.includes('webhook.locked-out'))).toHaveLength(1);
  });

  it('count for the client behind a trusted proxy, and for nobody else', async () => {
    await restarted({ TRUSTED_PROXIES: '127.0.0.0/8' });
    const { token } = gateway.addWebhook();
    for (let n = 0; n < 10; n += 1) await wrong(token, { 'x-forwarded-for': '2001:db8::1' });
    await refused(await trigger(token, ALERT, { 'x-forwarded-for': '2001:db8::2' }), 429, 'locked-out');
    expect((await trigger(token, ALERT, { 'x-forwarded-for': '192.0.2.7' })).status).toBe(202);
  });

  it('cannot be spread over addresses that a header makes up', async () => {
    const { token } = gateway.addWebhook();
    for (let n = 0; n < 10; n += 1) await wrong(token, { 'x-forwarded-for': `192.0.2.${n}` });
    await refused(await trigger(token), 429, 'locked-out');
  });
});

it('refuses to boot with a proxy that is none, and names it', async () => {
  await expect(startGateway({ TRUSTED_PROXIES: 'proxy.example' })).rejects.toThrow(/TRUSTED_PROXIES.*proxy\.example/);
});

it('refuses to boot with a setting out of range, and names it', async () => {
  await expect(startGateway({ INGRESS_REPLY_WAIT_MS: 'soon' })).rejects.toThrow(/INGRESS_REPLY_WAIT_MS/);
});

/** Sends bytes as they are and returns the whole answer; for requests that no HTTP client would make. */
async function raw(text: string): Promise<string> {
  const socket = connect(gateway.port, '127.0.0.1');
  let answer = '';
  socket.on('data', (data) => (answer += data.toString()));
  socket.write(text);
  await once(socket, 'close');
  return answer;
}
