import { createPools } from '@tocsin/postgres';
import { testDatabase } from '@tocsin/testing';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pinInDatabase, SubjectPins } from '../vendors/subject-pins.ts';
import { failureStore, LockOut } from './lock-out.ts';
import { limitStore, type LimitStore } from './limit-store.ts';
import { WindowLimiter } from './window-limiter.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const START = Date.parse('2026-11-21T10:00:30.000Z');

let database: Awaited<ReturnType<typeof testDatabase>>;
let pools: ReturnType<typeof createPools>;
beforeAll(async () => {
  database = await testDatabase({
    migrations: [{ schema: 'ingress_gateway', directory: new URL('../migrations/', import.meta.url) }],
  });
  pools = createPools({ connectionString: database.url, applicationName: 'limits-spec' });
});
afterAll(async () => {
  await pools?.close();
  await database?.drop();
});

let webhooks = 0;
const newWebhook = () => ({ id: `whk_${(webhooks += 1)}`, workspaceId: 'ws_1' });
const log = pino({ level: 'silent' });

/** Gateways that share one database and one clock, which a test moves. */
function gateways(
  count: number,
  over: { store?: (store: LimitStore) => LimitStore; kind?: 'requests' | 'alerts'; replicas?: number } = {},
) {
  const at = { now: START };
  const store = limitStore(pools.pipeline, () => at.now);
  const kind = over.kind ?? 'requests';
  const options = {
    kind,
    sliceMs: kind === 'requests' ? MINUTE : 1_000,
    leaseMs: 5_000,
    replicas: over.replicas ?? 1,
    now: () => at.now,
    log,
  };
  return { at, all: Array.from({ length: count }, () => new WindowLimiter(over.store?.(store) ?? store, options)) };
}

describe('a limit of requests per hour', () => {
  it.each([
    [1, 1],
    [100, 3],
    [1_000, 4],
    [10_000, 4],
  ])('of %i is exact within 5 %% over %i gateways', async (limit, count) => {
    const webhook = newWebhook();
    const { all } = gateways(count);
    let accepted = 0;
    for (let round = 0; round < limit * 1.2 + 20; round += 1) {
      if ((await all[round % count]?.take(webhook, limit, 1)) === undefined) accepted += 1;
    }
    expect(accepted).toBeLessThanOrEqual(limit);
    expect(accepted).toBeGreaterThanOrEqual(Math.min(limit, Math.floor(limit * 0.95)));
  });

  it('holds for requests that come all at once', async () => {
    const webhook = newWebhook();
    const { all } = gateways(4);
    const verdicts = await Promise.all(Array.from({ length: 400 }, async (_, n) => all[n % 4]?.take(webhook, 100, 1)));
    const accepted = verdicts.filter((verdict) => verdict === undefined).length;
    expect(accepted).toBeLessThanOrEqual(100);
    expect(accepted).toBeGreaterThanOrEqual(95);
  });

  it('slides: what was used an hour ago comes back bit by bit, and not before', async () => {
    const webhook = newWebhook();
    const { at, all } = gateways(1);
    const [gateway] = all;
    const passes = async () => (await gateway?.take(webhook, 60, 1)) === undefined;
    for (let n = 0; n < 60; n += 1) expect(await passes()).toBe(true);
    expect(await passes()).toBe(false);
    at.now = START + HOUR - MINUTE;
    expect(await passes()).toBe(false);
    // Half of the slice in which all were used has left the window.
    at.now = START + HOUR;
    let back = 0;
    while (await passes()) back += 1;
    expect(back).toBe(30);
    at.now = START + HOUR + MINUTE;
    while (await passes()) back += 1;
    expect(back).toBe(60);
  });

  it('says when it is worth to come again, and is right', async () => {
    const webhook = newWebhook();
    const { at, all } = gateways(1);
    const [gateway] = all;
    for (let n = 0; n < 10; n += 1) await gateway?.take(webhook, 10, 1);
    const refusal = await gateway?.take(webhook, 10, 1);
    expect(refusal).toMatchObject({ limit: 10, windowSeconds: 3_600 });
    const { retryMs = 0 } = refusal ?? {};
    expect(retryMs).toBeGreaterThan(HOUR - MINUTE);
    at.now = START + retryMs - 10;
    expect(await gateway?.take(webhook, 10, 1)).toBeDefined();
    at.now = START + retryMs + 1_000;
    expect(await gateway?.take(webhook, 10, 1)).toBeUndefined();
  });

  it('is raised at once', async () => {
    const webhook = newWebhook();
    const { all } = gateways(1);
    expect(await all[0]?.take(webhook, 1, 1)).toBeUndefined();
    expect(await all[0]?.take(webhook, 1, 1)).toBeDefined();
    expect(await all[0]?.take(webhook, 2, 1)).toBeUndefined();
  });

  it('asks the database for far fewer than every request', async () => {
    let queries = 0;
    const counted = (store: LimitStore): LimitStore => ({ take: (...args) => ((queries += 1), store.take(...args)) });
    const webhook = newWebhook();
    const { all } = gateways(1, { store: counted });
    for (let n = 0; n < 8_000; n += 1) await all[0]?.take(webhook, 10_000, 1);
    expect(queries).toBeLessThanOrEqual(80);
  });

  it('gives back what a gateway was granted and did not use', async () => {
    const webhook = newWebhook();
    const { at, all } = gateways(2);
    await all[0]?.take(webhook, 1_000, 1);
    at.now += 6_000;
    await all[0]?.settle();
    let accepted = 1;
    while ((await all[1]?.take(webhook, 1_000, 1)) === undefined) accepted += 1;
    expect(accepted).toBe(1_000);
  });

  it('goes on in memory while the database is away, and counts it when it is back', async () => {
    let away = false;
    const failing = (store: LimitStore): LimitStore => ({
      take: (...args) => (away ? Promise.reject(new Error('away')) : store.take(...args)),
    });
    const webhook = newWebhook();
    const { at, all } = gateways(1, { store: failing });
    const { all: others } = gateways(1);
    const passes = async (gateway = all[0]) => (await gateway?.take(webhook, 50, 1)) === undefined;
    for (let n = 0; n < 10; n += 1) expect(await passes()).toBe(true);
    away = true;
    at.now += 6_000;
    for (let n = 0; n < 30; n += 1) expect(await passes()).toBe(true);
    away = false;
    at.now += 6_000;
    await all[0]?.settle();
    let rest = 0;
    while (await passes(others[0])) rest += 1;
    expect(rest).toBe(10);
  });

  it('is shared out among the replicas while the database is away', async () => {
    const nothing = (): LimitStore => ({ take: () => Promise.reject(new Error('away')) });
    const { all } = gateways(1, { store: nothing, replicas: 4 });
    const webhook = newWebhook();
    let accepted = 0;
    while ((await all[0]?.take(webhook, 100, 1)) === undefined) accepted += 1;
    expect(accepted).toBe(25);
  });
});

describe('a limit of alerts per minute', () => {
  it('counts the alerts of a request, whole or not at all', async () => {
    const webhook = newWebhook();
    const { at, all } = gateways(1, { kind: 'alerts' });
    expect(await all[0]?.take(webhook, 100, 60)).toBeUndefined();
    expect(await all[0]?.take(webhook, 100, 60)).toMatchObject({ windowSeconds: 60 });
    expect(await all[0]?.take(webhook, 100, 40)).toBeUndefined();
    at.now += 62_000;
    expect(await all[0]?.take(webhook, 100, 60)).toBeUndefined();
  });

  it('lets one request that is larger than the limit through an empty window', async () => {
    const webhook = newWebhook();
    const { all } = gateways(1, { kind: 'alerts' });
    expect(await all[0]?.take(webhook, 100, 5_000)).toBeUndefined();
    expect(await all[0]?.take(webhook, 100, 1)).toBeDefined();
  });
});

describe('a lock-out', () => {
  it('is seen by another gateway with its next failure, and ends', async () => {
    const webhook = newWebhook();
    const store = failureStore(pools.pipeline);
    const client = { webhook, client: '192.0.2.7' };
    for (let n = 0; n < 10; n += 1) await store.failed(client, START);
    const other = new LockOut(store, log);
    expect(other.leftMs(client, START)).toBe(0);
    other.failed(client, START);
    await expect.poll(() => other.leftMs(client, START)).toBe(15 * MINUTE);
    expect(other.leftMs({ webhook, client: '192.0.2.8' }, START)).toBe(0);
    const later = START + 15 * MINUTE;
    expect(await store.failed(client, later)).toEqual({ failures: 1, since: later, lockedUntil: 0 });
    await store.forget(START + HOUR);
    expect(
      (await pools.pipeline.query('select 1 from ingress_gateway.lockouts where webhook_id = $1', [webhook.id]))
        .rowCount,
    ).toBe(0);
  });

  it('is lifted at every gateway by an unlock, with the failures that led to it', async () => {
    const webhook = newWebhook();
    const client = { webhook, client: '192.0.2.7' };
    const store = failureStore(pools.pipeline);
    const [one, other] = [new LockOut(store, log), new LockOut(store, log)];
    const failures = async () =>
      (await pools.pipeline.query('select failures from ingress_gateway.lockouts where webhook_id = $1', [webhook.id]))
        .rows[0]?.failures as number;
    for (let n = 1; n <= 10; n += 1) {
      (n % 2 ? one : other).failed(client, START + n);
      await expect.poll(failures).toBe(n);
    }
    await expect.poll(() => other.leftMs(client, START + MINUTE)).toBeGreaterThan(0);
    one.failed(client, START + 11);
    // It is locked at once; the report of it comes later, and would count for what follows.
    await expect.poll(failures).toBe(11);
    await expect.poll(() => one.leftMs(client, START + MINUTE)).toBeGreaterThan(0);
    const unlocked = { ...client, unlockedAt: new Date(START + MINUTE).toISOString() };
    for (const gateway of [one, other]) {
      expect(gateway.leftMs(unlocked, START + MINUTE + 1)).toBe(0);
      expect(gateway.isQuiet()).toBe(true);
    }
    one.failed(unlocked, START + MINUTE + 2);
    await expect.poll(failures).toBe(1);
    for (let n = 2; n <= 9; n += 1) other.failed(unlocked, START + MINUTE + n);
    await expect.poll(failures).toBe(9);
    expect([one, other].map((gateway) => gateway.leftMs(unlocked, START + 2 * MINUTE))).toEqual([0, 0]);
    other.failed(unlocked, START + 2 * MINUTE);
    await expect.poll(() => other.leftMs(unlocked, START + 2 * MINUTE)).toBe(15 * MINUTE);
  });

  it('is lifted by an unlock that one gateway learns of later than the others', async () => {
    const webhook = newWebhook();
    const client = { webhook, client: '192.0.2.7' };
    const store = failureStore(pools.pipeline);
    for (let n = 0; n < 10; n += 1) await store.failed(client, START);
    const late = new LockOut(store, log);
    late.failed(client, START + 500);
    await expect.poll(() => late.leftMs(client, START + 500)).toBeGreaterThan(0);
    expect(late.leftMs({ ...client, unlockedAt: new Date(START + 400).toISOString() }, START + 501)).toBe(0);
  });
});

describe('whom a vendor may speak for', () => {
  it('is the first one that was verified, at every gateway', async () => {
    const pin = pinInDatabase(pools.pipeline, () => new Date(START));
    const webhook = { ...newWebhook(), body: { auth: {} } } as never;
    expect(await new SubjectPins(pin).allows(webhook, 'arn:aws:sns:eu-west-1:123456789012:first')).toBe(true);
    expect(await new SubjectPins(pin).allows(webhook, 'arn:aws:sns:eu-west-1:123456789012:second')).toBe(false);
    expect(await new SubjectPins(pin).allows(webhook, 'arn:aws:sns:eu-west-1:123456789012:first')).toBe(true);
  });
});

it('a workspace sees its own rows only, and writes none', async () => {
  const client = await pools.rest.connect();
  try {
    await client.query(`begin; select set_config('tocsin.workspace_id', 'ws_of_somebody_else', true)`);
    expect((await client.query('select 1 from ingress_gateway.counters')).rowCount).toBe(0);
    await expect(client.query('delete from ingress_gateway.counters')).rejects.toThrow(/permission denied/);
  } finally {
    await client.query('rollback');
    client.release();
  }
});
