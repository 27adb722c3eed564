import { describe, expect, it } from 'vitest';
import { waitFor } from '@tocsin/testing';
import { takeProbes } from './endpoint-store.ts';
import { countRates, takeRates } from './endpoint-rates.ts';
import { aBatch, anIncidentEvent } from './spec/events.ts';
import { aConfig, aSubscription, SUBSCRIPTION, WORKSPACE, type Running } from './spec/harness.ts';
import { commandsOf, finished, installation, logOf, metaOf } from './spec/installation.ts';

const { receiver, dispatcher } = installation();
const OTHER = 'sub_bbbbbbbbbbbbbbbbbbbbbbbbbb';
const many = (count: number, from = 0) =>
  aBatch(...Array.from({ length: count }, (_, index) => anIncidentEvent(`incident ${from + index}`, 1)));
const circuitOf = async ({ pools }: Running) =>
  (
    await pools.pipeline.query<{ open_until: Date | null; failures: number; opened: number }>(
      'select open_until, failures, opened from outbound_dispatcher.endpoints where subscription_id = $1',
      [SUBSCRIPTION],
    )
  ).rows[0];

describe('a receiver that is down', () => {
  it('is left alone after some failures, probed with one request, and gets everything once it is back', async () => {
    let down = true;
    const { url, received } = await receiver((_request, response) => response.writeHead(down ? 503 : 204).end());
    const config = aConfig({ OUTBOUND_CIRCUIT_FAILURES: 3 });
    const documents = [aSubscription({ url, retrySchedule: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0] })];
    const [first, second] = [dispatcher(documents, { config }), dispatcher(documents, { config })];
    await first.dispatcher.plan(many(30));
    await waitFor(async () => ((await circuitOf(first))?.opened ?? 0) >= 2, { timeoutMs: 20_000, what: 'a probe' });
    const health = await commandsOf(first, documents).commands.health(WORKSPACE, SUBSCRIPTION);
    expect(health).toMatchObject({ state: 'failing', waiting: 30 });
    // Both replicas have their first few in flight when it opens; after that there are only probes.
    expect(received.length).toBeLessThan(30);
    down = false;
    await finished(second, 30);
    expect(await circuitOf(first)).toBeUndefined();
    expect(new Set(received.filter((_one, index) => index >= 0).map(({ headers }) => headers['webhook-id'])).size).toBe(
      30,
    );
    expect(await commandsOf(first, documents).commands.health(WORKSPACE, SUBSCRIPTION)).toMatchObject({
      ...{ state: 'healthy', circuit: 'closed', waiting: 0, failing_since: null },
    });
  });

  it('is left alone as soon, where it was quick before and much was held ready for it', async () => {
    let answered = 0;
    const { url, received } = await receiver((_request, response) =>
      response.writeHead((answered += 1) <= 200 ? 204 : 503).end(),
    );
    const config = aConfig({ OUTBOUND_CIRCUIT_FAILURES: 3, OUTBOUND_CIRCUIT_SECONDS: 60 });
    const running = dispatcher([aSubscription({ url, retrySchedule: [0, 3600] })], { config });
    await running.dispatcher.plan(many(150));
    await waitFor(() => received.length >= 150, { timeoutMs: 20_000, what: 'good answers' });
    await running.dispatcher.plan(many(600, 150));
    await waitFor(async () => ((await circuitOf(running))?.opened ?? 0) >= 1, { timeoutMs: 20_000, what: 'a circuit' });
    await waitFor(
      async () => {
        const { rows } = await running.pools.pipeline.query<{ held: number }>(
          'select count(*)::int as held from outbound_dispatcher.deliveries where lease_token is not null',
        );
        return rows[0]?.held === 0;
      },
      { timeoutMs: 20_000, what: 'nothing in hand' },
    );
    // What was in flight when it began to fail, and the few that the others left room for.
    expect(received.length).toBeLessThan(300);
  });

  it('is probed by one worker at a time', async () => {
    const { pools } = dispatcher([]);
    const now = new Date();
    await pools.pipeline.query(
      `insert into outbound_dispatcher.endpoints (subscription_id, workspace_id, failures, opened, open_until) values ($1, $2, 9, 1, $3)`,
      [SUBSCRIPTION, WORKSPACE, new Date(now.getTime() - 1)],
    );
    const until = new Date(now.getTime() + 60_000);
    const taken = await Promise.all(
      Array.from({ length: 16 }, () => takeProbes(pools.pipeline, [SUBSCRIPTION], now, until)),
    );
    expect(taken.flat()).toEqual([SUBSCRIPTION]);
    expect(await takeProbes(pools.pipeline, [SUBSCRIPTION], until, new Date(until.getTime() + 1))).toEqual([
      SUBSCRIPTION,
    ]);
  });

  it('costs others nothing: they get theirs while it hangs with a tenth of all traffic', async () => {
    const hanging = await receiver(() => undefined);
    const good = await receiver();
    const running = dispatcher(
      [
        aSubscription({ url: hanging.url, timeoutSeconds: 60, events: ['incident.acknowledged'] }),
        aSubscription({ url: good.url }, OTHER),
      ],
      { config: aConfig({ OUTBOUND_CONCURRENCY: 16, OUTBOUND_SHUTDOWN_SECONDS: 0 }) },
    );
    const other = (index: number) => anIncidentEvent(`other ${index}`, 1, 'IncidentOpened', 'incident.created');
    await running.dispatcher.plan(many(100));
    await running.dispatcher.plan(aBatch(...Array.from({ length: 900 }, (_, index) => other(index))));
    await waitFor(() => good.received.length === 1_000, { timeoutMs: 60_000, what: 'the deliveries of the good one' });
    expect(hanging.received.length).toBeLessThanOrEqual(4);
  });
});

describe('a receiver that fails for days', () => {
  it('is warned of, then disabled, and what comes then is logged only; others hear of it, it does not', async () => {
    const { url } = await receiver((_request, response) => response.writeHead(500).end());
    const documents = [aSubscription({ url, retrySchedule: [0] })];
    const running = dispatcher(documents);
    const fail = async (days: number, version: number) => {
      await running.pools.pipeline.query(
        `update outbound_dispatcher.endpoints set failing_since = now() - $1 * interval '1 day'`,
        [days],
      );
      await running.dispatcher.plan(aBatch(anIncidentEvent('one', version)));
      await finished(running, version);
    };
    await fail(0, 1);
    await fail(3, 2);
    expect(metaOf(running).filter((name) => name.startsWith('subscription.'))).toEqual(['subscription.failing']);
    await fail(6, 3);
    expect(metaOf(running).filter((name) => name.startsWith('subscription.'))).toEqual([
      'subscription.failing',
      'subscription.disabled',
    ]);
    await running.dispatcher.plan(aBatch(anIncidentEvent('one', 4)));
    expect((await finished(running, 4))[0]).toMatchObject({
      status: 'skipped-paused',
      reason: 'subscription-disabled',
    });
    const health = await commandsOf(running, documents).commands.health(WORKSPACE, SUBSCRIPTION);
    expect(health).toMatchObject({ state: 'disabled', disabled_reason: 'failing' });
    const about = running.outputs.filter(({ topic }) => topic === 'platform.events');
    for (const { value } of about)
      expect(JSON.parse(Buffer.from(value).toString())).toMatchObject({ subscription_id: SUBSCRIPTION });
  });
});

describe('a rate', () => {
  it('holds over all processes together', async () => {
    const { url, received } = await receiver();
    const documents = [aSubscription({ url, maxPerSecond: 10 })];
    const [first] = [dispatcher(documents), dispatcher(documents)];
    const started = Date.now();
    await first.dispatcher.plan(many(35));
    await finished(first, 35);
    const seconds = (Date.now() - started) / 1000;
    expect(received).toHaveLength(35);
    expect(seconds).toBeGreaterThan(2.2); // 10 at once, then 10 a second
    for (const { at } of received)
      expect(received.filter((other) => other.at >= at && other.at < at + 1_000).length).toBeLessThanOrEqual(21);
  });

  it('grants a second’s worth at once and no more, to whoever asks first', async () => {
    const { pools } = dispatcher([]);
    const asked = { subscriptionId: SUBSCRIPTION, workspaceId: WORKSPACE, slots: 16, perSecond: 10 };
    const now = new Date();
    expect(await takeRates(pools.pipeline, [asked], now)).toEqual(new Map([[SUBSCRIPTION, 10]]));
    await countRates(pools.pipeline, [{ subscriptionId: SUBSCRIPTION, seconds: 1 }]);
    expect(await takeRates(pools.pipeline, [asked], now)).toEqual(new Map([[SUBSCRIPTION, 0]]));
    expect(await takeRates(pools.pipeline, [asked], new Date(now.getTime() + 500))).toEqual(
      new Map([[SUBSCRIPTION, 5]]),
    );
  });
});

describe('a filter', () => {
  it('decides over what is planned, in whatever form the bodies are', async () => {
    const { url, received } = await receiver();
    const filter = { field: 'data.severity', operator: 'equals', value: 'high' } as const;
    const document = aSubscription({ url, filter, envelope: 'opsknight' });
    const running = dispatcher([document, aSubscription({ url, filter: { ...filter, value: 'low' } }, OTHER)]);
    await running.dispatcher.plan(many(3));
    await finished(running, 3);
    expect(received).toHaveLength(3);
    expect(await logOf(running, { subscriptionId: OTHER })).toEqual([]);
  });
});
