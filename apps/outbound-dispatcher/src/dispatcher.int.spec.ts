import { spawn } from 'node:child_process';
import { createHmac, createPublicKey, verify } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { Webhook } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SubscriptionBody, SubscriptionDocument } from '@tocsin/contracts';
import { publicKeyOf, signingKeyFrom } from '@tocsin/domain/delivery';
import { testDatabase, waitFor } from '@tocsin/testing';
import { aBatch, anIncidentEvent, incidentId } from './spec/events.ts';
import {
  aConfig,
  aSubscription,
  plainKeyRing,
  startDispatcher,
  SUBSCRIPTION,
  WORKSPACE,
  type Running,
} from './spec/harness.ts';
import { startReceiver, type Received, type Receiver } from './spec/receiver.ts';
import type { DispatcherParts } from './dispatcher.ts';
import { listDeliveries, type DeliveryView } from './delivery-log.ts';

const open: (() => Promise<void>)[] = [];
let database: Awaited<ReturnType<typeof testDatabase>>;
beforeEach(async () => {
  const directory = new URL('./migrations/', import.meta.url);
  database = await testDatabase({ migrations: [{ schema: 'outbound_dispatcher', directory }] });
});
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
  await database.drop();
});

async function receiver(answer?: Parameters<typeof startReceiver>[0]): Promise<Receiver> {
  const started = await startReceiver(answer);
  open.push(started.close);
  return started;
}
function dispatcher(documents: SubscriptionDocument[], changes: Partial<DispatcherParts> = {}): Running {
  const running = startDispatcher(database.url, documents, changes);
  open.push(running.close);
  return running;
}
const logOf = async ({ pools }: Running): Promise<DeliveryView[]> =>
  (await listDeliveries(pools.rest, { workspaceId: WORKSPACE, subscriptionId: SUBSCRIPTION, limit: 100 })).items;
const finished = (running: Running, count: number): Promise<DeliveryView[]> =>
  waitFor(
    async () => {
      const log = await logOf(running);
      return log.length === count && log.every((one) => one.finished_at !== null) && log;
    },
    { timeoutMs: 30_000, what: `${count} finished deliveries` },
  );
const metaOf = ({ outputs }: Running): string[] =>
  outputs
    .filter(({ topic }) => topic === 'platform.events')
    .map(({ headers }) => /^tocsin\.(.*)\.v1$/.exec(headers?.['ce_type'] ?? '')?.[1] ?? '');
const sequences = (received: Received[]): string[] =>
  received.map(({ headers }) => `${String(headers['x-tocsin-sequence'])}/${String(headers['x-tocsin-attempt'])}`);

describe('a receiver that answers', () => {
  it('gets the envelope of the event, signed so that it verifies by hand and with the standardwebhooks package', async () => {
    const { received, url } = await receiver();
    const secret = `whsec_${Buffer.from('0123456789abcdef0123456789abcdef').toString('base64')}`;
    const old = 'an old secret of the receiver';
    const secrets = [
      { id: 'old', sealed: `${SUBSCRIPTION}|${old}`, notAfter: '2999-01-01T00:00:00.000Z' },
      { id: 'gone', sealed: `${SUBSCRIPTION}|long gone`, notAfter: '2020-01-01T00:00:00.000Z' },
      { id: 'new', sealed: `${SUBSCRIPTION}|${secret}`, notAfter: null },
    ];
    const headers = [{ name: 'X-Team', sealed: plainKeyRing.seal({} as never, SUBSCRIPTION, 'blue-canary') }];
    const running = dispatcher([aSubscription({ url, secrets, headers })]);
    await running.dispatcher.plan(aBatch(anIncidentEvent('one', 1, 'IncidentOpened', 'incident.created')));
    const [delivery] = await finished(running, 1);
    const request = received[0]!;
    expect(JSON.parse(request.body)).toMatchObject({
      ...{
        id: request.headers['webhook-id'],
        type: 'incident.created',
        workspace_id: WORKSPACE,
        timestamp: '2026-03-01T10:00:00.000Z',
      },
      data: {
        id: incidentId('one'),
        title: 'Disk full',
        changed: ['status'],
        url: expect.stringContaining(incidentId('one')),
        source_url: 'https://source.example/1',
      },
    });
    const byHand = `sha256=${createHmac('sha256', secret).update(request.body).digest('hex')}`;
    expect(request.headers).toMatchObject({
      'x-cloudthinker-signature': byHand,
      'x-webhook-signature': byHand,
      'x-team': 'blue-canary',
    });
    expect(request.headers).toMatchObject({
      'user-agent': 'Tocsin/0.1.0',
      'x-webhook-event': 'incident.created',
      'x-tocsin-delivery': delivery?.id,
    });
    const given = request.headers as Record<string, string>;
    expect(new Webhook(secret).verify(request.body, given)).toBeTruthy();
    expect(new Webhook(Buffer.from(old), { format: 'raw' }).verify(request.body, given)).toBeTruthy();
    expect(given['webhook-signature']?.split(' ')).toHaveLength(2);
    expect(delivery).toMatchObject({
      status: 'delivered',
      attempt_count: 1,
      next_attempt_at: null,
      attempts: [{ response_status: 204, reason: 'delivered' }],
    });
    expect(JSON.stringify(delivery)).not.toContain('blue-canary');
    expect(running.outputs.map(({ topic, key, type }) => [topic, key, type])).toEqual([
      ['delivery.events', incidentId('one'), 'delivery.event.v1'],
    ]);
  });

  it('gets the form and the signatures that its subscription asks for', async () => {
    const forms: { name: string; body: Partial<SubscriptionBody> }[] = [
      { name: 'a', body: { envelope: 'opsknight' } },
      { name: 'b', body: { envelope: 'cloudevents' } },
      { name: 'c', body: { envelope: 'cloudevents-binary' } },
      { name: 'd', body: { transform: { text: '{{type | dashed}}: {{incident.title}}' } } },
    ];
    const key = signingKeyFrom(Buffer.alloc(32, 7));
    const receivers = await Promise.all(forms.map(() => receiver()));
    const documents = forms.map(({ name, body }, at) => {
      const id = `sub_${name.repeat(26)}`;
      const signingKeys = [{ id: 'k', sealed: `${id}|${key}`, notAfter: null, publicKey: publicKeyOf(key) }];
      return aSubscription({ url: receivers[at]!.url, signatures: ['standard-v1a'], signingKeys, ...body }, id);
    });
    const running = dispatcher(documents);
    await running.dispatcher.plan(aBatch(anIncidentEvent('one', 1, 'IncidentOpened', 'incident.created')));
    await waitFor(() => receivers.every(({ received }) => received.length === 1), { timeoutMs: 10_000 });
    const [opsknight, structured, binary, transformed] = receivers.map(({ received }) => received[0]!);
    expect(JSON.parse(opsknight!.body)).toMatchObject({ event: 'incident.created', data: { status: 'OPEN' } });
    expect(structured!.headers['content-type']).toBe('application/cloudevents+json; charset=utf-8');
    expect(JSON.parse(structured!.body)).toMatchObject({ specversion: '1.0', data: { id: incidentId('one') } });
    expect(binary!.headers).toMatchObject({ 'ce-type': 'tocsin.incident.created.v1', 'ce-subject': incidentId('one') });
    expect(JSON.parse(binary!.body)).toMatchObject({ id: incidentId('one') });
    expect(transformed!.body).toBe('{"text":"incident-created: Disk full"}');
    for (const { headers, body } of [opsknight!, structured!, binary!, transformed!]) {
      expect(headers).not.toHaveProperty('x-webhook-signature');
      const signature = Buffer.from(String(headers['webhook-signature']).slice('v1a,'.length), 'base64');
      const text = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`;
      const x = Buffer.from(publicKeyOf(key).slice('whpk_'.length), 'base64').toString('base64url');
      const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
      expect(verify(null, Buffer.from(text), publicKey, signature)).toBe(true);
    }
  });

  it('gets each event once although the log repeats it', async () => {
    const { received, url } = await receiver();
    const running = dispatcher([aSubscription({ url })]);
    for (let round = 0; round < 3; round += 1)
      await running.dispatcher.plan(aBatch(anIncidentEvent('one', 1), anIncidentEvent('one', 2)));
    await finished(running, 2);
    expect(sequences(received)).toEqual(['1/1', '2/1']);
  });

  it('gets merged updates: one row while it waits, released by another event', async () => {
    const { received, url } = await receiver();
    const running = dispatcher([aSubscription({ url })]);
    const update = (version: number) => anIncidentEvent('one', version, 'AlertsAttached', 'incident.updated');
    await running.dispatcher.plan(aBatch(update(1)));
    await waitFor(() => received.length === 1);
    for (const version of [2, 3, 4]) await running.dispatcher.plan(aBatch(update(version)));
    const waiting = (await logOf(running)).filter(({ finished_at }) => finished_at === null);
    expect(waiting.map(({ sequence, attempt_count }) => [sequence, attempt_count])).toEqual([[4, 0]]);
    expect(Date.parse(waiting[0]!.next_attempt_at!)).toBeGreaterThan(Date.now() + 30_000);
    await running.dispatcher.plan(aBatch(anIncidentEvent('one', 5, 'IncidentResolved', 'incident.resolved')));
    await finished(running, 3);
    expect(sequences(received)).toEqual(['1/1', '4/1', '5/1']);
  });
});

describe('a receiver that fails', () => {
  it('is tried again until it works, and the incident keeps its order while others go on', async () => {
    const one = incidentId('one');
    const { received, url } = await receiver(({ body }, response, count) => {
      const failing = (JSON.parse(body) as { data: { id: string } }).data.id === one && count < 4;
      response.writeHead(failing ? 500 : 200).end('x');
    });
    const running = dispatcher([aSubscription({ url })]);
    await running.dispatcher.plan(
      aBatch(anIncidentEvent('one', 1), anIncidentEvent('one', 2), anIncidentEvent('two', 1)),
    );
    await finished(running, 3);
    const ofOne = received.filter(({ body }) => body.includes(one));
    expect(sequences(ofOne).at(-1)).toBe('2/1');
    expect(ofOne.slice(0, -1).every(({ headers }) => headers['x-tocsin-sequence'] === '1')).toBe(true);
    expect(ofOne.length).toBeGreaterThan(2);
    expect(
      new Set(ofOne.slice(0, -1).map(({ headers, body }) => `${String(headers['webhook-id'])} ${body}`)).size,
    ).toBe(1);
  });

  it('has a delivery parked after the last attempt, and gets the next one', async () => {
    const { received, url } = await receiver(({ headers }, response) =>
      response.writeHead(headers['x-tocsin-sequence'] === '1' ? 503 : 200).end(),
    );
    const running = dispatcher([aSubscription({ url })]);
    await running.dispatcher.plan(aBatch(anIncidentEvent('one', 1), anIncidentEvent('one', 2)));
    const [second, first] = await finished(running, 2);
    expect(sequences(received)).toEqual(['1/1', '1/2', '1/3', '2/1']);
    expect(first).toMatchObject({ status: 'failed', reason: 'schedule-exhausted', attempt_count: 3 });
    expect(first?.attempts.map(({ reason }) => reason)).toEqual(['server-error', 'server-error', 'server-error']);
    expect(second?.status).toBe('delivered');
    const facts = running.outputs
      .filter(({ topic }) => topic === 'delivery.events')
      .map(({ value }) => (JSON.parse(Buffer.from(value).toString()) as { type: string }).type);
    expect(facts).toEqual(['delivery.retrying', 'delivery.retrying', 'delivery.failed', 'delivery.delivered']);
  });

  it('is disabled after 410, and gets what comes after its subscription is changed', async () => {
    const { received, url } = await receiver((_request, response, count) =>
      response.writeHead(count === 1 ? 410 : 204).end(),
    );
    const documents = [aSubscription({ url })];
    const running = dispatcher(documents);
    await running.dispatcher.plan(aBatch(anIncidentEvent('one', 1), anIncidentEvent('one', 2)));
    const [second, first] = await finished(running, 2);
    expect(first).toMatchObject({ status: 'failed', reason: 'gone', attempt_count: 1 });
    expect(second).toMatchObject({ status: 'skipped-paused', reason: 'subscription-disabled', attempts: [] });
    await running.dispatcher.plan(aBatch(anIncidentEvent('one', 3)));
    expect((await finished(running, 3))[0]).toMatchObject({
      status: 'skipped-paused',
      reason: 'subscription-disabled',
    });
    expect(metaOf(running)).toEqual(['delivery.exhausted', 'subscription.disabled']);
    documents[0] = { ...aSubscription({ url }), revision: 2 };
    await running.dispatcher.plan(aBatch(anIncidentEvent('one', 4)));
    expect((await finished(running, 4))[0]).toMatchObject({ status: 'delivered', sequence: 4 });
    expect(metaOf(running).at(-1)).toBe('subscription.recovered');
    expect(received).toHaveLength(2);
  });

  it('may answer with a redirect, which is a failure that is not followed', async () => {
    const target = await receiver();
    const { received, url } = await receiver((_request, response) =>
      response.writeHead(302, { location: target.url }).end(),
    );
    const running = dispatcher([aSubscription({ url, retrySchedule: [0, 0.1] })]);
    await running.dispatcher.plan(aBatch(anIncidentEvent('one', 1)));
    expect((await finished(running, 1))[0]).toMatchObject({
      status: 'failed',
      reason: 'schedule-exhausted',
      attempts: [{ reason: 'redirect' }, { reason: 'redirect' }],
    });
    expect(received).toHaveLength(2);
    expect(target.received).toEqual([]);
  });

  it('may ask for a later attempt with Retry-After', async () => {
    const { url } = await receiver((_request, response) => response.writeHead(429, { 'retry-after': '3600' }).end());
    const running = dispatcher([aSubscription({ url })]);
    await running.dispatcher.plan(aBatch(anIncidentEvent('one', 1)));
    const waiting = await waitFor(async () => (await logOf(running)).find(({ status }) => status === 'retrying'));
    expect(Date.parse(waiting.next_attempt_at!)).toBeGreaterThan(Date.now() + 3_500_000);
  });

  it('cannot hold a worker: silence, a reset, an endless body, a body that stops', async () => {
    const answers: ((response: ServerResponse) => void)[] = [
      () => undefined,
      (response) => response.socket?.resetAndDestroy(),
      (response) => response.writeHead(200).end(Buffer.alloc(10 * 1024 * 1024, 'x')),
      (response) =>
        response.writeHead(200, { 'content-length': '100' }).write('half', () => response.socket?.destroy()),
    ];
    const { url } = await receiver(({ headers }, response) =>
      answers[Number(headers['x-tocsin-sequence']) - 1]?.(response),
    );
    const running = dispatcher([aSubscription({ url, retrySchedule: [0], timeoutSeconds: 1 })]);
    await running.dispatcher.plan(
      aBatch(...answers.map((_answer, index) => anIncidentEvent(`incident ${index}`, index + 1))),
    );
    const log = await finished(running, answers.length);
    const bySequence = new Map(log.map(({ sequence, attempts }) => [sequence, attempts[0]]));
    expect(bySequence.get(1)).toMatchObject({ reason: 'timeout', response_status: null });
    expect(bySequence.get(2)).toMatchObject({ reason: 'connection-reset', response_status: null });
    expect(bySequence.get(3)).toMatchObject({ reason: 'delivered', response_truncated: true });
    expect(bySequence.get(3)?.response_body).toHaveLength(50 * 1024);
    expect(bySequence.get(4)).toMatchObject({ reason: 'delivered', response_body: 'half', response_truncated: true });
  });

  it('that hangs leaves slots for the others', async () => {
    const hanging = await receiver(() => undefined);
    const good = await receiver();
    const other = 'sub_bbbbbbbbbbbbbbbbbbbbbbbbbb';
    const running = dispatcher(
      [aSubscription({ url: hanging.url, timeoutSeconds: 60 }), aSubscription({ url: good.url }, other)],
      {
        config: aConfig({
          OUTBOUND_CONCURRENCY: 20,
          OUTBOUND_CONCURRENCY_PER_SUBSCRIPTION: 4,
          OUTBOUND_SHUTDOWN_SECONDS: 0,
        }),
      },
    );
    await running.dispatcher.plan(
      aBatch(...Array.from({ length: 40 }, (_, index) => anIncidentEvent(`incident ${index}`, 1))),
    );
    await waitFor(() => good.received.length === 40, { timeoutMs: 20_000 });
    expect(hanging.received.length).toBeLessThanOrEqual(4);
  });
});

describe('an address that may not be reached', () => {
  it.each([
    'http://169.254.169.254/latest/meta-data/',
    'https://2130706433/',
    'https://[::ffff:10.0.0.1]/',
    'http://hooks.example.com/',
  ])('%s is refused before anything is dialled, and for good', async (url) => {
    const config = aConfig({ OUTBOUND_ALLOW: '' });
    const running = dispatcher([aSubscription({ url })], { config });
    await running.dispatcher.plan(aBatch(anIncidentEvent('one', 1)));
    expect((await finished(running, 1))[0]).toMatchObject({
      status: 'failed',
      reason: 'url-not-allowed',
      attempts: [{ reason: 'url-not-allowed' }],
    });
  });

  it('is refused when a name resolves to it, also beside a good one', async () => {
    const { received, url } = await receiver();
    const { port } = new URL(url);
    const resolve = () =>
      Promise.resolve([
        { address: '8.8.8.8', family: 4 },
        { address: '127.0.0.1', family: 4 },
      ]);
    const config = aConfig({ OUTBOUND_ALLOW: 'other.example' });
    const running = dispatcher([aSubscription({ url: `https://rebinding.example:${port}/`, retrySchedule: [0] })], {
      config,
      resolve,
    });
    await running.dispatcher.plan(aBatch(anIncidentEvent('one', 1)));
    const [delivery] = await finished(running, 1);
    expect(delivery?.attempts[0]).toMatchObject({
      reason: 'address-not-allowed',
      error: expect.stringContaining('OUTBOUND_ALLOW'),
    });
    expect(received).toEqual([]);
  });
});

describe('a subscription that was changed after planning', () => {
  it('is skipped while paused and failed when deleted; its lane goes on', async () => {
    const { received, url } = await receiver((_request, response, count) =>
      response.writeHead(count === 1 ? 500 : 200).end(),
    );
    const documents = [aSubscription({ url })];
    const running = dispatcher(documents);
    await running.dispatcher.plan(aBatch(anIncidentEvent('one', 1)));
    await waitFor(async () => (await logOf(running))[0]?.status === 'retrying');
    documents[0] = aSubscription({ url, active: false });
    expect((await finished(running, 1))[0]).toMatchObject({ status: 'skipped-paused', reason: 'subscription-paused' });
    expect(received).toHaveLength(1);
    documents[0] = aSubscription({ url });
    await running.dispatcher.plan(aBatch(anIncidentEvent('one', 2)));
    expect((await finished(running, 2))[0]).toMatchObject({ status: 'delivered', sequence: 2 });
    const { dispatcher: planner } = running;
    documents[0] = aSubscription({ url, retrySchedule: [1] });
    await planner.plan(aBatch(anIncidentEvent('one', 3)));
    documents.length = 0;
    expect((await finished(running, 3))[0]).toMatchObject({
      status: 'failed',
      reason: 'subscription-deleted',
      sequence: 3,
      attempts: [],
    });
    expect(received).toHaveLength(2);
  });
});

describe('a worker that is killed', () => {
  it('has its deliveries resumed by another long before their lease ends', async () => {
    let stuck = true;
    const { received, url } = await receiver((_request, response) => void (stuck || response.writeHead(200).end()));
    const entry = new URL('./spec/worker-process.ts', import.meta.url).pathname;
    const child = spawn(
      process.execPath,
      ['--conditions=source', '--experimental-transform-types', '--no-warnings', entry, database.url, url],
      { stdio: 'inherit' },
    );
    open.push(() => Promise.resolve(void child.kill('SIGKILL')));
    const planner = startDispatcher(database.url, [aSubscription({ url, timeoutSeconds: 60 })]);
    await planner.dispatcher.stop(); // it plans, the child sends
    await planner.dispatcher.plan(aBatch(anIncidentEvent('one', 1), anIncidentEvent('two', 1)));
    await waitFor(() => received.length === 2, { timeoutMs: 30_000, what: 'both requests of the child' });
    stuck = false;
    const heir = dispatcher([aSubscription({ url, timeoutSeconds: 60 })]);
    const killedAt = performance.now();
    child.kill('SIGKILL');
    const log = await waitFor(
      async () => {
        const all = await logOf(heir);
        return all.every(({ status }) => status === 'delivered') && all;
      },
      { timeoutMs: 50_000, what: 'the work of the killed worker' },
    );
    expect(performance.now() - killedAt).toBeLessThan(50_000); // ten times the bound of 5 s; the lease would take 75 s
    expect(log).toHaveLength(2);
    expect(new Set(received.map(({ headers }) => headers['webhook-id'])).size).toBe(2);
    await planner.pools.close();
  });
});

describe('the log of a subscription', () => {
  it('is filtered and paged, and another workspace sees nothing of it', async () => {
    const { url } = await receiver();
    const running = dispatcher([aSubscription({ url })]);
    await running.dispatcher.plan(
      aBatch(
        anIncidentEvent('one', 1, 'IncidentOpened', 'incident.created'),
        anIncidentEvent('one', 2),
        anIncidentEvent('two', 1),
      ),
    );
    await finished(running, 3);
    const filter = { workspaceId: WORKSPACE, subscriptionId: SUBSCRIPTION, limit: 2 };
    const first = await listDeliveries(running.pools.rest, filter);
    const second = await listDeliveries(running.pools.rest, { ...filter, before: first.next! });
    expect([first.items.length, second.items.length, second.next]).toEqual([2, 1, null]);
    expect((await listDeliveries(running.pools.rest, { ...filter, eventType: 'incident.created' })).items).toHaveLength(
      1,
    );
    expect((await listDeliveries(running.pools.rest, { ...filter, status: ['failed'] })).items).toEqual([]);
    expect((await listDeliveries(running.pools.rest, { ...filter, workspaceId: 'ws_other' })).items).toEqual([]);
    const { rows } = await running.pools.rest.query('select from outbound_dispatcher.deliveries');
    expect(rows).toEqual([]); // no workspace set: row level security hides everything
  });
});
