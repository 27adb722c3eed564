import { describe, expect, it } from 'vitest';
import { waitFor } from '@tocsin/testing';
import { findDelivery } from './delivery-log.ts';
import { exportDeliveries } from './export-deliveries.ts';
import { OutboundLogKeeper } from './outbound-log-keeper.ts';
import { aBatch, anIncidentEvent, incidentId } from './spec/events.ts';
import { aConfig, aFeed, aSubscription, SUBSCRIPTION, WORKSPACE } from './spec/harness.ts';
import { commandsOf, finished, installation, logOf, sequences } from './spec/installation.ts';

const { receiver, dispatcher } = installation();
const events = (from: number, to: number) =>
  aBatch(...Array.from({ length: to - from + 1 }, (_, index) => anIncidentEvent('one', from + index)));

describe('a paused subscription', () => {
  it('has its events logged, and sent later when somebody asks for what was never attempted', async () => {
    const { url, received } = await receiver();
    const documents = [aSubscription({ url, active: false })];
    const running = dispatcher(documents);
    const { commands } = commandsOf(running, documents);
    await running.dispatcher.plan(events(1, 3));
    expect(
      (await finished(running, 3)).map(({ status, reason, attempt_count }) => [status, reason, attempt_count]),
    ).toEqual(Array.from({ length: 3 }, () => ['skipped-paused', 'subscription-paused', 0]));
    await expect(
      commands.redeliverMany(WORKSPACE, SUBSCRIPTION, { neverAttempted: true, limit: 10 }),
    ).rejects.toMatchObject({
      code: 'conflict',
    });
    documents[0] = { ...aSubscription({ url }), revision: 2 };
    await running.dispatcher.plan(events(4, 4));
    await finished(running, 4);
    expect(sequences(received)).toEqual(['4/1']);
    const asked = { neverAttempted: true, limit: 2 };
    expect(await commands.redeliverMany(WORKSPACE, SUBSCRIPTION, asked)).toMatchObject({ redelivered: 2, more: true });
    expect(await commands.redeliverMany(WORKSPACE, SUBSCRIPTION, { ...asked, limit: 10 })).toMatchObject({
      ...{ redelivered: 1, more: false },
    });
    await waitFor(() => received.length === 4, { timeoutMs: 20_000 });
    expect(sequences(received).sort()).toEqual(['1/1', '2/1', '3/1', '4/1']);
    expect((await logOf(running)).every(({ status }) => status === 'delivered' || status === 'pending')).toBe(true);
  });

  it('that is active again has its events sent again also where that has not been heard of yet', async () => {
    const { url, received } = await receiver();
    const documents = [aSubscription({ url, active: false })];
    const running = dispatcher(documents);
    await running.dispatcher.plan(events(1, 1));
    const [skipped] = await finished(running, 1);
    const refresh = () => Promise.resolve(void (documents[0] = { ...aSubscription({ url }), revision: 2 }));
    const { commands } = commandsOf(running, documents, { ...aFeed(documents), refresh });
    await commands.redeliverOne(WORKSPACE, SUBSCRIPTION, skipped?.id ?? '');
    await waitFor(() => received.length === 1, { timeoutMs: 20_000 });
  });

  it('that keeps its events sends them in order when it goes on, at a safe rate, also what was under way', async () => {
    let failing = true;
    const { url, received } = await receiver((_request, response) => response.writeHead(failing ? 500 : 204).end());
    const body = { url, retainWhilePaused: true, retrySchedule: [0, 1, 1] };
    const documents = [aSubscription(body)];
    const running = dispatcher(documents, { config: aConfig({ OUTBOUND_DRAIN_PER_SECOND: 20 }) });
    await running.dispatcher.plan(events(1, 1));
    await waitFor(async () => (await logOf(running))[0]?.status === 'retrying');
    documents[0] = { ...aSubscription({ ...body, active: false }), revision: 2 };
    await running.dispatcher.plan(events(2, 30));
    await waitFor(async () => (await logOf(running)).every(({ retained }) => retained), {
      timeoutMs: 20_000,
      what: 'all kept',
    });
    expect(await commandsOf(running, documents).commands.health(WORKSPACE, SUBSCRIPTION)).toMatchObject({
      ...{ state: 'paused', retained: 30, waiting: 0 },
    });
    failing = false;
    const before = received.length;
    documents[0] = { ...aSubscription(body), revision: 3 };
    const began = Date.now();
    await finished(running, 30);
    expect(sequences(received.slice(before)).map((one) => Number(one.split('/')[0]))).toEqual(
      Array.from({ length: 30 }, (_, index) => index + 1),
    );
    expect(Date.now() - began).toBeGreaterThan(1_300); // 30 at 20 a second
  });
});

describe('a delivery that is sent again', () => {
  it('has the same ids and body, the next attempt number, and a schedule of its own', async () => {
    const { url, received } = await receiver((_request, response, count) =>
      response.writeHead(count <= 2 ? 500 : 204).end(),
    );
    const documents = [aSubscription({ url, retrySchedule: [0, 0.1] })];
    const running = dispatcher(documents);
    const { commands } = commandsOf(running, documents);
    await running.dispatcher.plan(events(1, 2));
    const log = await finished(running, 2);
    const failed = log.find(({ sequence }) => sequence === 1)!;
    expect(failed).toMatchObject({ status: 'failed', attempt_count: 2 });
    expect(await commands.redeliverOne(WORKSPACE, SUBSCRIPTION, failed.id)).toMatchObject({
      redelivered_at: expect.any(String),
    });
    const again = await waitFor(async () => {
      const one = await findDelivery(running.pools.rest, WORKSPACE, failed.id);
      return one?.status === 'delivered' && one;
    });
    expect(again).toMatchObject({ attempt_count: 3, attempts: [{ attempt: 1 }, { attempt: 2 }, { attempt: 3 }] });
    const ofOne = received.filter(({ headers }) => headers['x-tocsin-sequence'] === '1');
    expect(new Set(ofOne.map(({ headers, body }) => `${String(headers['webhook-id'])} ${body}`)).size).toBe(1);
    expect(sequences(ofOne)).toEqual(['1/1', '1/2', '1/3']);
    await expect(commands.redeliverOne('ws_other', SUBSCRIPTION, failed.id)).rejects.toMatchObject({
      code: 'not-found',
    });
    await expect(commands.redeliverOne(WORKSPACE, SUBSCRIPTION, `dlv_${'a'.repeat(26)}`)).rejects.toMatchObject({
      code: 'not-found',
    });
  });

  it('is chosen by id, by time, by status', async () => {
    const { url, received } = await receiver();
    const documents = [aSubscription({ url })];
    const running = dispatcher(documents);
    const { commands } = commandsOf(running, documents);
    await running.dispatcher.plan(events(1, 4));
    const log = await finished(running, 4);
    const ask = (selection: object) => commands.redeliverMany(WORKSPACE, SUBSCRIPTION, { limit: 100, ...selection });
    expect(await ask({ status: ['failed'] })).toMatchObject({ redelivered: 0 });
    expect(await ask({ to: new Date(Date.now() - 60_000) })).toMatchObject({ redelivered: 0 });
    expect(await ask({ ids: [log[0]!.id, log[1]!.id] })).toMatchObject({ redelivered: 2, per_second: 50 });
    await waitFor(() => received.length === 6);
    await finished(running, 4);
    expect(await ask({ from: new Date(Date.now() - 60_000), incidentId: incidentId('one') })).toMatchObject({
      redelivered: 4,
    });
    await waitFor(() => received.length === 10);
  });
});

describe('a test', () => {
  it('sends the example of an event, or given data, once, also while the subscription is paused', async () => {
    const { url, received } = await receiver((_request, response, count) =>
      response.writeHead(count === 2 ? 500 : 200).end('hello'),
    );
    const documents = [aSubscription({ url, active: false, events: ['incident.resolved'] })];
    const running = dispatcher(documents);
    const { commands } = commandsOf(running, documents);
    expect(await commands.test(WORKSPACE, SUBSCRIPTION, {})).toMatchObject({
      ...{ status: 'delivered', test: true, event_type: 'incident.resolved', attempt_count: 1 },
      attempts: [{ response_status: 200, response_body: 'hello' }],
    });
    const data = { id: 'r-1', type: 'bucket' };
    const failed = await commands.test(WORKSPACE, SUBSCRIPTION, {
      eventType: 'resource.deleted',
      data,
      idempotencyKey: 'k',
    });
    expect(failed).toMatchObject({ status: 'failed', attempt_count: 1, event_type: 'resource.deleted' });
    const same = await commands.test(WORKSPACE, SUBSCRIPTION, {
      eventType: 'resource.deleted',
      data,
      idempotencyKey: 'k',
    });
    expect(same.id).toBe(failed.id);
    expect(received.map(({ headers }) => headers['x-tocsin-test'])).toEqual(['true', 'true']);
    expect(JSON.parse(received[1]!.body)).toMatchObject({ type: 'resource.deleted', data });
    expect(running.outputs).toEqual([]);
  });

  it.each([
    [{ eventType: 'nothing.known' }, 'event_type'],
    [{ eventType: 'resource.deleted', data: { id: 7 } }, 'data'],
    [{ eventType: 'resource.deleted', data: null }, 'data'],
  ])('of %j is refused', async (asked, path) => {
    const documents = [aSubscription({ url: 'http://127.0.0.1:1/' })];
    const { commands } = commandsOf(dispatcher(documents), documents);
    await expect(commands.test(WORKSPACE, SUBSCRIPTION, asked)).rejects.toMatchObject({
      code: 'validation-failed',
      extra: { errors: expect.arrayContaining([expect.objectContaining({ path: expect.stringContaining(path) })]) },
    });
  });
});

describe('the log', () => {
  it('is a file of CSV or JSON, and a spreadsheet runs nothing of it', async () => {
    const { url } = await receiver();
    const documents = [aSubscription({ url, name: '=HYPERLINK("http://x")' })];
    const running = dispatcher(documents);
    await running.dispatcher.plan(events(1, 3));
    await finished(running, 3);
    const text = async (format: 'csv' | 'json') => {
      const parts: string[] = [];
      for await (const part of exportDeliveries(running.pools.rest, { workspaceId: WORKSPACE, limit: 2 }, format))
        parts.push(String(part));
      return parts.join('');
    };
    const lines = (await text('csv')).trimEnd().split('\r\n');
    expect(lines).toHaveLength(3);
    expect(lines[0]).toMatch(/^id,created_at,subscription_id/);
    expect(lines[1]).toContain(`"'=HYPERLINK(""http://x"")"`);
    const rows = JSON.parse(await text('json')) as { sequence: number; attempts: unknown[] }[];
    expect(rows.map(({ sequence, attempts }) => [sequence, attempts.length])).toEqual([
      [3, 1],
      [2, 1],
    ]);
  });

  it('loses what is past its time and nothing that still waits', async () => {
    const { url } = await receiver((_request, response, count) => response.writeHead(count <= 2 ? 204 : 500).end());
    const documents = [aSubscription({ url, retrySchedule: [0, 3600] })];
    const running = dispatcher(documents);
    await running.dispatcher.plan(aBatch(anIncidentEvent('one', 1), anIncidentEvent('two', 1)));
    await finished(running, 2);
    await running.dispatcher.plan(aBatch(anIncidentEvent('three', 1)));
    await waitFor(async () => (await logOf(running)).some(({ status }) => status === 'retrying'));
    const log = { warn: () => undefined } as never;
    const keeperAt = (days: number) =>
      new OutboundLogKeeper({
        ...{ pool: running.pools.pipeline, log, retentionDays: 30 },
        clock: () => new Date(Date.now() + days * 86_400_000),
      });
    await keeperAt(29).prune();
    expect(await logOf(running)).toHaveLength(3);
    await keeperAt(31).prune();
    expect((await logOf(running)).map(({ incident_id, status }) => [incident_id, status])).toEqual([
      [incidentId('three'), 'retrying'],
    ]);
    const count = (table: string) =>
      running.pools.pipeline.query<{ n: number }>(`select count(*)::int as n from outbound_dispatcher.${table}`);
    expect([(await count('lanes')).rows[0]?.n, (await count('delivery_attempts')).rows[0]?.n]).toEqual([1, 1]);
  });
});
