import { randomBytes } from 'node:crypto';
import { createServer, connect, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { topics } from '@tocsin/contracts';
import { partitionOf, type EventLog, type LogRecord } from '@tocsin/event-log';
import { openJournal } from '@tocsin/event-log/journal';
import type { Random } from '@tocsin/nest-shell';
import { createPools, type Pools } from '@tocsin/postgres';
import { testDatabase, waitFor } from '@tocsin/testing';
import { Client, type PoolClient, type QueryResultRow } from 'pg';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ReceiptLog } from '../receipt-log.ts';
import { createReceipts, type Receipts } from './spool.ts';

const MIB = 1024 * 1024;
const LONGER_THAN_A_RECEIPT_MAY_TAKE = 800;
const MOMENTS = 200;

/** A log that a test takes away and gives back: while away, appends and questions wait, or are refused at once. */
class Cluster {
  private gate: PromiseWithResolvers<void> | undefined;
  appends = 0;
  constructor(readonly journal: EventLog) {}
  away = (): void => void (this.gate ??= Promise.withResolvers());
  back = (): void => {
    this.gate?.resolve();
    this.gate = undefined;
  };
  /** As one gateway reaches it. */
  client(): EventLog {
    const { journal } = this;
    return {
      kind: 'kafka',
      append: async (records) => {
        await this.gate?.promise;
        this.appends += records.length;
        await journal.append(records);
      },
      offsets: async (topic) => {
        await this.gate?.promise;
        return journal.offsets(topic);
      },
      consume: (options, handler) => journal.consume(options, handler),
      ensureTopics: (table) => journal.ensureTopics(table),
      lag: (group, of) => journal.lag(group, of),
      close: () => Promise.resolve(),
    };
  }
}

/** A way to the database that can be cut. */
async function cable(url: string) {
  const sockets = new Set<Socket>();
  const to = new URL(url);
  let cut = false;
  let full = false;
  const server = createServer((socket) => {
    if (cut || full) return void socket.destroy();
    const far = connect(Number(to.port), to.hostname);
    for (const end of [socket, far]) {
      sockets.add(end);
      end.on('error', () => undefined).on('close', () => (socket.destroy(), far.destroy()));
    }
    socket.pipe(far).pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const through = new URL(url);
  through.port = String((server.address() as AddressInfo).port);
  return {
    url: through.href,
    cut: () => {
      cut = true;
      for (const socket of sockets) socket.destroy();
    },
    /** No more connections than there are. */
    fill: () => (full = true),
    mend: () => (cut = full = false),
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

let database: Awaited<ReturnType<typeof testDatabase>>;
let wire: Awaited<ReturnType<typeof cable>>;
let pools: Pools;
let cluster: Cluster;
let received: LogRecord[];
let logged: string[];
let gateways: Receipts[];

beforeEach(async () => {
  database = await testDatabase({
    migrations: [{ schema: 'ingress_gateway', directory: new URL('../migrations/', import.meta.url) }],
  });
  wire = await cable(database.url);
  pools = createPools({ connectionString: wire.url, applicationName: 'spool-spec' });
  cluster = new Cluster(await openJournal());
  await cluster.journal.ensureTopics(topics);
  received = [];
  logged = [];
  gateways = [];
  await cluster.journal.consume({ topic: 'webhook.received', group: 'reader', mode: 'group' }, ({ records }) => {
    received.push(...records);
    return Promise.resolve({ kind: 'committed', next: (records.at(-1)?.offset ?? 0n) + 1n });
  });
});
afterEach(async () => {
  cluster.back();
  await Promise.all(gateways.map((gateway) => gateway.stop()));
  await cluster.journal.close();
  await pools.close();
  wire.close();
  await database.drop();
});

function gateway(over: { maxBytes?: number; random?: Random } = {}): ReceiptLog {
  const receipts = createReceipts({
    eventLog: cluster.client(),
    pool: pools.pipeline,
    random: over.random ?? randomBytes,
    log: pino({ level: 'info' }, { write: (line: string) => void logged.push(line) }),
    config: {
      INGRESS_APPEND_DEADLINE_MS: 2_000,
      INGRESS_SPOOL_AFTER_MS: 100,
      INGRESS_SPOOL_MAX_BYTES: over.maxBytes ?? 64 * MIB,
      INGRESS_IN_FLIGHT_BYTES: 16 * MIB,
    },
  });
  gateways.push(receipts);
  void receipts.start(Promise.resolve(true));
  return receipts.log;
}

const receipt = (webhook: string, body: string) => ({
  workspaceId: 'ws_1',
  record: {
    topic: 'webhook.received' as const,
    key: webhook,
    value: Buffer.from(body),
    headers: { type: 'webhook.received.v1', facts: JSON.stringify({ receiptId: `rcv_${body}`, text: 'ü\u0000"\\{}' }) },
  },
});

/** Bodies of a webhook, each at its first occurrence. */
const firsts = (webhook: string): string[] => [
  ...new Set(received.filter(({ key }) => key === webhook).map(({ value }) => value.toString())),
];
const spooled = async () =>
  Number((await pools.pipeline.query<{ n: string }>('select count(*) as n from ingress_gateway.spool')).rows[0]?.n);
/** The session of another gateway: connected, and it says of nothing that it has heard it. */
async function gatewayThatHearsNothing(name: string): Promise<PoolClient> {
  const session = await pools.pipeline.connect();
  await session.query('select pg_advisory_lock(60101, pg_backend_pid())');
  await session.query('insert into ingress_gateway.spool_gateways values ($1, pg_backend_pid())', [name]);
  return session;
}
const sessions = async () => (await pools.pipeline.query('select from ingress_gateway.spool_gateways')).rowCount;
const gate = async () =>
  (await pools.pipeline.query<{ spooling: boolean }>('select spooling from ingress_gateway.spool_gate')).rows[0]
    ?.spooling;
const numbers = (count: number, from = 0) => Array.from({ length: count }, (_, index) => String(from + index));
const said = (what: string) => logged.filter((line) => line.includes(what));
const within = { timeoutMs: 20_000 };

describe('while the log is away', () => {
  it('receipts go to the spool, and from there to the log in order; then to the log again', async () => {
    const log = gateway();
    await log.append(receipt('whk_a', '0'));
    expect(await gate()).toBe(false);
    cluster.away();
    const began = performance.now();
    await Promise.all(numbers(20, 1).map((body) => log.append(receipt('whk_a', body))));
    expect(performance.now() - began).toBeLessThan(10_000);
    const known = performance.now();
    for (const body of numbers(80, 21)) await log.append(receipt(Number(body) % 2 ? 'whk_a' : 'whk_b', body));
    // No request waits for the log once it is known to be away: each would have taken 100 ms.
    expect(performance.now() - known).toBeLessThan(80 * 100);
    expect(await spooled()).toBe(100);
    expect(log.canAccept()).toBe(true);
    cluster.back();
    await waitFor(async () => (await gate()) === false, within);
    await waitFor(() => firsts('whk_a').length + firsts('whk_b').length === 101, within);
    expect(firsts('whk_a')).toEqual(numbers(101).filter((body) => Number(body) <= 20 || Number(body) % 2));
    expect(firsts('whk_b')).toEqual(numbers(80, 21).filter((body) => Number(body) % 2 === 0));
    expect(await spooled()).toBe(0);
    const [sample] = received.filter(({ value }) => value.toString() === '50');
    expect(sample?.headers).toEqual(receipt('whk_b', '50').record.headers);

    await waitFor(() => said('receipts.log-back').length === 1, within);
    expect(said('receipts.log-away')).toHaveLength(1);
    expect(JSON.parse(said('receipts.log-back')[0] as string)).toMatchObject({
      spooled: 100,
      drained: 100,
      refused: 0,
    });
    const before = cluster.appends;
    await log.append(receipt('whk_a', 'direct'));
    expect(cluster.appends).toBe(before + 1);
    expect(await gate()).toBe(false);
  });

  it.each(['heard', 'gone'] as const)(
    'the first receipt is confirmed when every other gateway has heard of it, or is gone: %s',
    async (how) => {
      const log = gateway();
      await log.append(receipt('whk_a', '0'));
      const slow = await gatewayThatHearsNothing('slow');
      cluster.away();
      let confirmed = false;
      const first = log.append(receipt('whk_a', '1')).then(() => (confirmed = true));
      await waitFor(async () => (await spooled()) === 1, within);
      await expect
        .poll(() => confirmed, { timeout: 500 })
        .toBe(true)
        .catch(() => undefined);
      expect(confirmed).toBe(false);
      if (how === 'heard') await slow.query(`update ingress_gateway.spool_gateways set heard = 0 where name = 'slow'`);
      slow.release(true);
      await first;
      expect(said('spool.not-heard-by-all')).toEqual([]);
    },
  );

  it('what came while the others had not heard of it has its whole time afterwards', async () => {
    const log = gateway();
    await log.append(receipt('whk_a', '0'));
    const slow = await gatewayThatHearsNothing('slow');
    cluster.away();
    const first = log.append(receipt('whk_a', '1'));
    await waitFor(async () => (await spooled()) === 1, within);
    const second = log.append(receipt('whk_a', '2'));
    await pause(LONGER_THAN_A_RECEIPT_MAY_TAKE);
    // The database is slow: what waited is stored some moments after the first is confirmed.
    await slow.query('begin; lock table ingress_gateway.spool_accounts in exclusive mode');
    await pools.pipeline.query(`update ingress_gateway.spool_gateways set heard = 0 where name = 'slow'`);
    await first;
    await pause(MOMENTS);
    await slow.query('commit');
    slow.release(true);
    await second;
    expect(said('spool.not-heard-by-all')).toEqual([]);
  });

  it('the connection for it is there before, also after one that ended', async () => {
    const log = gateway();
    await log.append(receipt('whk_a', '0'));
    const writers = async () => {
      const text = `select pid from pg_stat_activity where datname = current_database() and query like '%spool_gate' and pid <> pg_backend_pid()`;
      return (await asAdministrator<{ pid: number }>(text)).map(({ pid }) => pid);
    };
    const before = await waitFor(async () => (await writers()).length === 2 && writers(), within);
    for (const pid of before) await terminate(pid);
    await waitFor(async () => (await writers()).filter((pid) => !before.includes(pid)).length === 2, within);
    wire.fill();
    cluster.away();
    await log.append(receipt('whk_a', '1'));
    expect(said('spool.away')).toEqual([]);
  });

  it('a gateway that has not noticed does not lock the spool while it waits for the log', async () => {
    const log = gateway();
    await log.append(receipt('whk_a', '0'));
    // It begins with slots in which nothing is, so that it believes to be nearly done.
    const firstSlots = (size: number) => (size === 1 ? Buffer.from([0]) : randomBytes(size));
    gateway({ random: firstSlots });
    await waitFor(async () => (await sessions()) === 2, within);
    const webhook = numbers(100).find((number) => partitionOf(number, 16) === 0) as string;
    cluster.away();
    for (const body of numbers(50)) await log.append(receipt(webhook, body));
    cluster.back();
    await waitFor(() => firsts(webhook).length === 50, within);
    expect(firsts(webhook)).toEqual(numbers(50));
  });

  it('a gateway that hangs holds up the first receipt for two seconds at most', async () => {
    const log = gateway();
    await log.append(receipt('whk_a', '0'));
    const hanging = await gatewayThatHearsNothing('hanging');
    cluster.away();
    await log.append(receipt('whk_a', '1'));
    expect(said('spool.not-heard-by-all')).toHaveLength(1);
    hanging.release(true);
  });

  it('a sender that uses every gateway in turn keeps its order through any number of outages, and loses nothing', async () => {
    const logs = [gateway(), gateway(), gateway()];
    const webhooks = numbers(6).map((number) => `whk_${number}`);
    let going = true;
    const sent = webhooks.map(() => 0);
    const senders = webhooks.map(async (webhook, sender) => {
      while (going) {
        const log = logs[(sent[sender] as number) % logs.length] as ReceiptLog;
        await log.append(receipt(webhook, String(sent[sender])));
        sent[sender] = (sent[sender] as number) + 1;
      }
    });
    for (let outage = 0; outage < 5; outage += 1) {
      const before = sent.map((count) => count);
      await waitFor(() => sent.every((count, at) => count > (before[at] as number) + 30), within);
      cluster.away();
      const during = sent.map((count) => count);
      await waitFor(() => sent.every((count, at) => count > (during[at] as number) + 30), within);
      cluster.back();
      // The senders never pause: the spool is emptied and closed under load.
      await waitFor(async () => (await gate()) === false, within);
    }
    going = false;
    await Promise.all(senders);
    await waitFor(() => webhooks.every((webhook, at) => firsts(webhook).length === sent[at]), within);
    for (const [at, webhook] of webhooks.entries()) expect(firsts(webhook)).toEqual(numbers(sent[at] as number));
  });

  it('what a drainer had in hand when its session ended is forwarded by another', async () => {
    const log = gateway();
    cluster.away();
    await Promise.all(numbers(50).map((body) => log.append(receipt('whk_a', body))));
    // It has read the rows and waits for the log, which answers questions again, but no append.
    const slots = `select pid from pg_locks where locktype = 'advisory' and classid = 60100 and granted
                     and database = (select oid from pg_database where datname = current_database())`;
    const stuck = gateways[0] as Receipts;
    stuck.log.watch.worked();
    const holder = await waitFor(async () => (await pools.pipeline.query<{ pid: number }>(slots)).rows[0]?.pid, within);
    await terminate(holder);
    await waitFor(async () => (await pools.pipeline.query(slots)).rowCount === 0, within);
    expect(await spooled()).toBe(50);
    gateway();
    cluster.back();
    await waitFor(() => firsts('whk_a').length === 50, within);
    await waitFor(async () => (await gate()) === false, within);
    expect(firsts('whk_a')).toEqual(numbers(50));
  });

  it('a full spool refuses with 503, and takes receipts again once it was emptied', async () => {
    const log = gateway({ maxBytes: 2 * MIB });
    cluster.away();
    const large = (body: string) => log.append(receipt('whk_a', body.padEnd(400_000, '.')));
    const answers = await Promise.allSettled(numbers(12).map(large));
    await waitFor(() => !log.canAccept(), within); // its size is read once a second
    await expect(large('later')).rejects.toMatchObject({
      code: 'unavailable',
      extra: { headers: { 'retry-after': '1' } },
    });
    const stored = answers.filter(({ status }) => status === 'fulfilled').length;
    expect(stored).toBeGreaterThan(0);
    cluster.back();
    await waitFor(() => log.canAccept(), within);
    await large('after');
    await waitFor(() => firsts('whk_a').some((body) => body.startsWith('after')), within);
    expect(firsts('whk_a').length).toBeGreaterThan(stored);
  });
});

describe('without the database', () => {
  it('receipts go to the log', async () => {
    const log = gateway();
    wire.cut();
    for (const body of numbers(10)) await log.append(receipt('whk_a', body));
    await waitFor(() => firsts('whk_a').length === 10, within);
    expect(log.canAccept()).toBe(true);
  });

  it('and without the log receipts are refused at once, until one of them is back', async () => {
    const log = gateway();
    await log.append(receipt('whk_a', '0'));
    cluster.away();
    wire.cut();
    await expect(log.append(receipt('whk_a', '1'))).rejects.toMatchObject({ code: 'unavailable' });
    expect(log.canAccept()).toBe(false);
    const began = performance.now();
    const refused = await Promise.allSettled(numbers(500).map((body) => log.append(receipt('whk_a', `x${body}`))));
    expect(refused.every(({ status }) => status === 'rejected')).toBe(true);
    expect(performance.now() - began).toBeLessThan(1_000);
    expect(log.inFlightBytes()).toBeLessThan(16 * MIB);
    wire.mend();
    await waitFor(() => log.canAccept(), within);
    await log.append(receipt('whk_a', '2'));
    expect(await spooled()).toBe(1);
    cluster.back();
    await waitFor(() => firsts('whk_a').includes('2'), within);
  });
});

it('takes thousands of receipts a second', async () => {
  const log = gateway();
  cluster.away();
  await log.append(receipt('whk_a', 'first'));
  const began = performance.now();
  await Promise.all(
    numbers(64).map(async (sender) => {
      for (const body of numbers(150)) await log.append(receipt(`whk_${sender}`, `${sender}/${body}`.padEnd(500, '.')));
    }),
  );
  const perSecond = (64 * 150 * 1_000) / (performance.now() - began);
  cluster.back();
  const draining = performance.now();
  await waitFor(async () => (await gate()) === false, { timeoutMs: 60_000 });
  const drainedPerSecond = (64 * 150 * 1_000) / (performance.now() - draining);
  console.log(`spool: ${Math.round(perSecond)} receipts/s in, ${Math.round(drainedPerSecond)}/s out`);
  expect(perSecond).toBeGreaterThan(500); // a guard: ten times slower than measured
  expect(drainedPerSecond).toBeGreaterThan(500);
  await waitFor(() => new Set(received.map(({ value }) => value.toString())).size === 64 * 150 + 1, within);
});

/** Ends a session of the server, as the death of its process does. */
const terminate = (pid: number) => asAdministrator('select pg_terminate_backend($1)', [pid]);

async function asAdministrator<T extends QueryResultRow>(text: string, values: unknown[] = []): Promise<T[]> {
  const administrator = new Client({ connectionString: database.url });
  await administrator.connect();
  const { rows } = await administrator.query<T>(text, values);
  await administrator.end();
  return rows;
}
