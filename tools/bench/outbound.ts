import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { base32, topics } from '@tocsin/contracts';
import type { AppendRecord, EventLog } from '@tocsin/event-log';
import { openKafka } from '@tocsin/event-log/kafka';
import { Split, testDatabase, testKafka, uniquePrefix } from '@tocsin/testing';
import pg from 'pg';
import { appendAtRate, incidentEvent, subscribe, unsubscribe } from './outbound-load.ts';
import type { PipelineOptions } from './pipeline.ts';
import { startRawReceiver, type RawReceiver } from './raw-receiver.ts';
import { nameOf, startServer } from './server.ts';
import { figure, hardware, median, quantile } from './statistics.ts';

interface Bench {
  options: PipelineOptions;
  log: EventLog;
  pool: pg.Pool;
  receiver: RawReceiver;
  workspaceId: string;
}

const GIVE_UP_MS = 180_000;
const APPENDED = 500;
/** Endpoints of the hanging measurement: one of a hundred hangs, and gets a tenth of all events. */
const ENDPOINTS = 100;
let serial = 0;

async function received({ receiver }: Bench, wanted: number): Promise<void> {
  for (const started = performance.now(); receiver.count() < wanted; await pause(5)) {
    if (performance.now() - started > GIVE_UP_MS)
      throw new Error(`${wanted - receiver.count()} deliveries did not come within ${GIVE_UP_MS} ms`);
  }
}

/** Deliveries a second, from the first event in the log until the last request is here. */
async function sustained(bench: Bench, events: number, each: number, service = 'any'): Promise<number> {
  const run = ++serial;
  const records = Array.from(
    { length: events },
    (_, index) => incidentEvent(bench.workspaceId, `${run} ${index}`, service).record,
  );
  const before = bench.receiver.count();
  const started = performance.now();
  for (let from = 0; from < events; from += APPENDED) await bench.log.append(records.slice(from, from + APPENDED));
  await received(bench, before + events * each);
  return (events * each) / ((performance.now() - started) / 1_000);
}

/** How long a run of the wanted length must be, after a warm-up that does not count. */
async function sized(bench: Bench, each: number): Promise<number> {
  await sustained(bench, Math.ceil(2_000 / each), each);
  const rate = await sustained(bench, Math.ceil(4_000 / each), each);
  return Math.ceil((rate * bench.options.seconds) / each);
}

/** Milliseconds from the moment an event is handed to the log to the first byte of its request. */
async function delaysAt(
  bench: Bench,
  perSecond: number,
  serviceOf: (index: number) => string | null,
): Promise<number[]> {
  const run = ++serial;
  const sentAt = new Map<string, number>();
  const delays: number[] = [];
  bench.receiver.onEvent((id, at) => {
    const sent = sentAt.get(id);
    if (sent === undefined) return;
    sentAt.delete(id);
    delays.push(at - sent);
  });
  const make = (index: number): AppendRecord => {
    const service = serviceOf(index);
    const { id, record } = incidentEvent(bench.workspaceId, `${run} ${index}`, service ?? 'hang');
    if (service !== null) sentAt.set(id, performance.now());
    return record;
  };
  await appendAtRate(bench.log, { perSecond, seconds: bench.options.seconds }, make);
  for (let waited = 0; sentAt.size > 0 && waited < GIVE_UP_MS; waited += 20) await pause(20);
  bench.receiver.onEvent(undefined);
  if (sentAt.size > 0) throw new Error(`${sentAt.size} events were not delivered`);
  return delays;
}

async function throughput(bench: Bench): Promise<number[]> {
  const { runs, say } = bench.options;
  const ids = await subscribe(
    bench.pool,
    bench.workspaceId,
    bench.receiver.port,
    [1, 2, 3, 4].map((n) => ({ path: `/t${n}` })),
  );
  const events = await sized(bench, ids.length);
  const rates: number[] = [];
  for (let run = 1; run <= runs; run += 1) {
    rates.push(await sustained(bench, events, ids.length));
    say(`deliveries ${run}/${runs}: ${rates.at(-1)?.toFixed(0)}/s`);
  }
  await unsubscribe(bench.pool, bench.workspaceId, ids);
  return rates;
}

async function latency(bench: Bench): Promise<{ p50: number[]; p99: number[] }> {
  const { runs, say } = bench.options;
  const ids = await subscribe(bench.pool, bench.workspaceId, bench.receiver.port, [{ path: '/l' }]);
  const figures = { p50: [] as number[], p99: [] as number[] };
  for (let run = 0; run <= runs; run += 1) {
    const delays = await delaysAt(bench, 200, () => 'any');
    if (run === 0) continue; // warms up
    figures.p50.push(quantile(delays, 0.5));
    figures.p99.push(quantile(delays, 0.99));
    say(
      `latency ${run}/${runs} at 200/s: p50 ${figures.p50.at(-1)?.toFixed(1)} ms, p99 ${figures.p99.at(-1)?.toFixed(1)} ms`,
    );
  }
  await unsubscribe(bench.pool, bench.workspaceId, ids);
  return figures;
}

/** p99 of 99 good endpoints with a hundredth that is good as well, and with one that hangs and gets a tenth of everything. */
async function hanging(bench: Bench): Promise<{ all: number[]; beside: number[] }> {
  const { runs, say } = bench.options;
  const good = Array.from({ length: ENDPOINTS - 1 }, (_, index) => ({ path: `/g${index}`, service: `s${index}` }));
  const others = await subscribe(bench.pool, bench.workspaceId, bench.receiver.port, good);
  const figures = { all: [] as number[], beside: [] as number[] };
  const serviceOf = (index: number) => (index % 10 === 0 ? null : `s${index % good.length}`);
  for (let run = 0; run <= runs; run += 1) {
    for (const kind of run % 2 === 0 ? (['all', 'beside'] as const) : (['beside', 'all'] as const)) {
      const path = kind === 'all' ? `/fine${run}` : `/hang${run}`;
      const own = await subscribe(bench.pool, bench.workspaceId, bench.receiver.port, [{ path, service: 'hang' }]);
      const delays = await delaysAt(bench, 200, serviceOf);
      await unsubscribe(bench.pool, bench.workspaceId, own);
      if (run > 0) figures[kind].push(quantile(delays, 0.99));
    }
    if (run > 0)
      say(
        `hanging ${run}/${runs}: p99 ${figures.all.at(-1)?.toFixed(1)} ms, beside a hanging one ${figures.beside.at(-1)?.toFixed(1)} ms`,
      );
  }
  await unsubscribe(bench.pool, bench.workspaceId, others);
  return figures;
}

/** Throughput to ten receivers among so many subscriptions of the workspace; the others want other events. */
async function growth(bench: Bench): Promise<Map<string, number[]>> {
  const { runs, say } = bench.options;
  const ten = await subscribe(
    bench.pool,
    bench.workspaceId,
    bench.receiver.port,
    Array.from({ length: 10 }, (_, n) => ({ path: `/n${n}` })),
  );
  const events = Math.ceil((await sized(bench, ten.length)) / 2);
  const figures = new Map<string, number[]>();
  let there = 10;
  for (const subscriptions of [10, 1_000, 10_000]) {
    const more = Array.from({ length: subscriptions - there }, (_, n) => ({
      path: `/o${there + n}`,
      events: ['finding.created'],
    }));
    if (more.length > 0) ten.push(...(await subscribe(bench.pool, bench.workspaceId, bench.receiver.port, more)));
    there = subscriptions;
    const rates: number[] = [];
    for (let run = 0; run <= runs; run += 1) {
      const rate = await sustained(bench, events, 10);
      if (run > 0) rates.push(rate);
    }
    say(`${subscriptions} subscriptions: ${median(rates).toFixed(0)}/s`);
    figures.set(`${subscriptions}`, rates);
  }
  await unsubscribe(bench.pool, bench.workspaceId, ten);
  return figures;
}

const HISTORY = 1_000_000;

async function withHistory(bench: Bench): Promise<number[]> {
  const { pool, workspaceId, options } = bench;
  options.say(`writing ${HISTORY.toLocaleString('en')} finished deliveries`);
  await pool.query(
    `insert into outbound_dispatcher.deliveries (id, workspace_id, subscription_id, subscription_name, config_revision, event_id, event_type,
            incident_id, sequence, body, status, reason, attempts, due_at, head, created_at, finished_at)
     select 'dlv_h' || n, $1, 'sub_h' || n % 100, 'history', 1, 'evt_h' || n, 'incident.created', 'inc_h' || n / 5, 1, repeat('x', 600), 'delivered',
            'delivered', 1, t, true, t, t
       from generate_series(1, ${HISTORY}) as n cross join lateral (select now() - n * interval '2 seconds' as t) when_`,
    [workspaceId],
  );
  await pool.query('analyze outbound_dispatcher.deliveries');
  return throughput(bench);
}

async function withDispatcher<T>(options: PipelineOptions, use: (bench: Bench) => Promise<T>): Promise<T> {
  const [postgres, kafka] = await Promise.all([startServer(), testKafka()]);
  process.env['TEST_DATABASE_URL'] = postgres.url;
  const directory = await mkdtemp(join(tmpdir(), 'tocsin-bench-'));
  await chmod(directory, 0o755);
  const database = await testDatabase({ migrations: [] });
  const prefix = `${uniquePrefix()}.`;
  const pool = new pg.Pool({ connectionString: database.url, max: 2 });
  const receiver = await startRawReceiver();
  const split = await Split.start({
    ...{ databaseUrl: database.url, brokers: kafka.brokers, prefix, directory, outboundAllow: '127.0.0.0/8+http' },
    ...{ keyRing: `k1:${randomBytes(32).toString('base64')}`, pepper: base32(randomBytes(32)) },
    bootstrapApiKey: `tsk_${base32(randomBytes(10))}_${base32(randomBytes(32))}`,
    environment: { LOG_LEVEL: 'warn', OUTBOUND_SHUTDOWN_SECONDS: '0' },
  });
  const log = await openKafka({ brokers: kafka.brokers, clientId: 'bench', prefix });
  await log.ensureTopics({ 'incident.events': topics['incident.events'] });
  // The dispatcher is what is measured: the others, which hear the same events, are frozen meanwhile.
  for (const [service, app] of split.processes) if (service !== 'outbound-dispatcher') app.kill('SIGSTOP');
  try {
    options.say(hardware(await nameOf(pool), 'one Kafka broker (KRaft)'));
    const workspace = await pool.query<{ id: string }>('select id from control_plane.workspaces limit 1');
    return await use({ options, log, pool, receiver, workspaceId: workspace.rows[0]?.id ?? '' });
  } finally {
    for (const [service, app] of split.processes) if (service !== 'outbound-dispatcher') app.kill('SIGCONT');
    await log.close();
    await split.stop();
    await receiver.close();
    await pool.end();
    await database.drop();
    await Promise.all([postgres.stop(), kafka.stop()]);
    await rm(directory, { recursive: true, force: true });
  }
}

/** Deliveries a second, event → first byte, what a hanging endpoint costs the others, and growth. Keys: settled, Benchmarks. */
export const benchOutbound = (options: PipelineOptions): Promise<Record<string, number>> =>
  withDispatcher(options, async (bench) => {
    const { runs, seconds, say } = options;
    const delays = await latency(bench);
    const rates = await throughput(bench);
    const beside = await hanging(bench);
    const grown = await growth(bench);
    const old = await withHistory(bench);
    const changes = beside.beside.map((p99, run) => p99 / (beside.all[run] ?? p99) - 1);
    const [ten = [], thousand = [], tenThousand = []] = [...grown.values()];
    say('');
    say(figure('deliveries', rates, '/s'));
    say(figure('event → first byte p50, 200/s', delays.p50, 'ms'));
    say(figure('event → first byte p99, 200/s', delays.p99, 'ms'));
    say(figure('p99 of the good ones, none hangs', beside.all, 'ms'));
    say(figure('… one of 100 hangs, 10 % of traffic', beside.beside, 'ms'));
    say(figure('10 of 10 subscriptions', ten, '/s'));
    say(figure('10 of 1,000 subscriptions', thousand, '/s'));
    say(figure('10 of 10,000 subscriptions', tenThousand, '/s'));
    say(figure('with 1,000,000 rows of history', old, '/s'));
    say(`${runs} interleaved runs of about ${seconds} s; medians, least and greatest`);
    return {
      deliveries_per_second: median(rates),
      event_to_first_byte_p50_ms: median(delays.p50),
      event_to_first_byte_p99_ms: median(delays.p99),
      hanging_p99_change: median(changes),
      growth_1000_subscriptions: median(ten) / median(thousand),
      growth_10000_subscriptions: median(ten) / median(tenThousand),
      growth_1000000_rows: median(rates) / median(old),
    };
  });
