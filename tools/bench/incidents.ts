import { fork, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { base32, mintId } from '@tocsin/contracts';
import { incidentStore } from '@tocsin/incident-store';
import { testDatabase } from '@tocsin/testing';
import autocannon from 'autocannon';
import pg from 'pg';
import { Pool as HttpPool } from 'undici';
import type { Work } from './incident-load.ts';
import { LISTED, fillIncidents } from './incident-rows.ts';
import { nameOf, startServer } from './server.ts';
import { figure, hardware, median, quantile } from './statistics.ts';

export interface BenchOptions {
  runs: number;
  seconds: number;
  say(line: string): void;
}

interface Store {
  child: ChildProcess;
  pool: pg.Pool;
  url: string;
  headers: Record<string, string>;
  workspaceId: string;
}

const GIVE_UP_MS = 600_000;

/** A Postgres of its own, and the incident store as one process beside this one. */
async function withStore<T>(options: BenchOptions, use: (store: Store) => Promise<T>): Promise<T> {
  const postgres = await startServer();
  process.env['TEST_DATABASE_URL'] = postgres.url;
  const migrations = incidentStore.migrations;
  const database = await testDatabase({
    migrations: [{ schema: 'incident_store', ...(migrations ? { directory: migrations } : {}) }],
  });
  const pool = new pg.Pool({ connectionString: database.url, max: 2 });
  const [workspaceId, webhookId] = [mintId('ws', randomBytes(16)), mintId('whk', randomBytes(16))];
  const secret = base32(randomBytes(20));
  const directory = await mkdtemp(join(tmpdir(), 'tocsin-bench-'));
  const settings = JSON.stringify({ databaseUrl: database.url, workspaceId, webhookId, secret, directory });
  const child = fork(fileURLToPath(new URL('incident-server.ts', import.meta.url)), [settings]);
  try {
    const { url } = (await answer(child, 'ready')) as { url: string };
    options.say(hardware(await nameOf(pool), 'a journal as event log'));
    const headers = { authorization: `Bearer tsk_benchmark_${secret}`, 'content-type': 'application/json' };
    return await use({ child, pool, url, headers, workspaceId });
  } finally {
    if (child.connected) child.send({ kind: 'stop' });
    if (child.exitCode === null) await once(child, 'exit');
    await pool.end();
    await database.drop();
    await postgres.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

async function answer(child: ChildProcess, kind: string): Promise<unknown> {
  const over = new AbortController();
  const { signal } = over;
  const ended = once(child, 'exit', { signal }).then(() => Promise.reject(new Error('the incident store ended')));
  ended.catch(() => undefined); // also when nobody waits for it any more
  try {
    for (;;) {
      const [message] = (await Promise.race([once(child, 'message', { signal }), ended])) as [{ kind: string }];
      if (message.kind === kind) return message;
    }
  } finally {
    over.abort();
  }
}

const settled = async ({ pool }: Store): Promise<number> =>
  (await pool.query<{ n: number }>('select count(*)::int as n from incident_store.alert_outcomes')).rows[0]?.n ?? 0;
const isQuiet = async ({ pool }: Store): Promise<boolean> =>
  (
    await pool.query<{ quiet: boolean }>(
      `select not exists (select from incident_store.outbox) and not exists (select from incident_store.unsequenced) as quiet`,
    )
  ).rows[0]?.quiet ?? false;
const eventRows = async ({ pool }: Store): Promise<number> =>
  (await pool.query<{ n: number }>('select count(*)::int as n from incident_store.events')).rows[0]?.n ?? 0;

/** Records of alerts that are committed, as the store's own position says: counting rows fifty times a second was a third of what PostgreSQL did. */
const committed = async ({ pool }: Store): Promise<number> =>
  (
    await pool.query<{ n: number }>(
      `select coalesce(sum(next_offset), 0)::int as n from incident_store.consumer_positions where topic = 'alert.correlated'`,
    )
  ).rows[0]?.n ?? 0;

/** Until what was said or commanded has followed: it does not count in what is measured next. */
async function quiet(store: Store): Promise<void> {
  while (!(await isQuiet(store))) await pause(100);
}

/** As records, before anything is measured. */
async function prepared(store: Store, work: Work): Promise<Work> {
  store.child.send({ kind: 'prepare', work });
  await answer(store.child, 'prepared');
  return work;
}

/** Alerts a second from the moment that the first is written to the log until the last one is committed. */
async function applied(store: Store, work: Work): Promise<number> {
  const [before, read] = [await settled(store), await committed(store)];
  const started = performance.now();
  store.child.send({ kind: 'work', work });
  while ((await committed(store)) < read + work.alerts) {
    if (performance.now() - started > GIVE_UP_MS) throw new Error(`${work.alerts} alerts were not applied in time`);
    await pause(20);
  }
  const rate = work.alerts / ((performance.now() - started) / 1_000);
  if ((await settled(store)) !== before + work.alerts) throw new Error('not every alert has its outcome');
  await quiet(store);
  return rate;
}

async function opened(store: Store, count: number, name: string): Promise<string[]> {
  await applied(store, { name, alerts: count, incidents: count, burst: 1, repeats: 0 });
  const { rows } = await store.pool.query<{ incident_id: string }>(
    'select incident_id from incident_store.incidents where workspace_id = $1 order by number desc limit $2',
    [store.workspaceId, count],
  );
  return rows.map(({ incident_id }) => incident_id);
}

/** Commands of people a second: comments on many incidents, each a request and a transaction of its own. */
async function commands(store: Store, ids: readonly string[], seconds: number): Promise<number> {
  const body = JSON.stringify({ text: 'Seen; the rollback of the last release has begun.' });
  const requestOf = (id: string) => ({
    ...{ method: 'POST' as const, path: `/api/v1/incidents/${id}/comments`, headers: store.headers, body },
  });
  const result = await autocannon({
    ...{ url: store.url, connections: 48, duration: seconds },
    // Each connection begins elsewhere: all at the same incident would measure its lock. Requests are built one by one as they are sent:
    // building all of them for every connection took seconds that counted, in which nothing was asked.
    setupClient: (client) => {
      let at = Math.floor(Math.random() * ids.length);
      const next = () => requestOf(ids[at++ % ids.length] ?? '');
      client.setRequests([{ ...next(), setupRequest: next }]);
    },
  });
  if (result.non2xx > 0 || result.errors > 0)
    throw new Error(`${result.non2xx} answers were not 2xx, ${result.errors} errors`);
  await quiet(store);
  return result['2xx'] / result.duration;
}

/** Milliseconds of each of many first pages of open incidents, as a console asks for them. */
async function lists(store: Store, requests: number): Promise<number[]> {
  const http = new HttpPool(store.url, { connections: 2 });
  const times: number[] = [];
  const work = async (): Promise<void> => {
    while (times.length < requests) {
      const started = performance.now();
      const { statusCode, body } = await http.request({
        ...{ method: 'GET', path: '/api/v1/incidents?status=open,acknowledged&limit=50', headers: store.headers },
      });
      await body.dump();
      times.push(performance.now() - started);
      if (statusCode !== 200) throw new Error(`the list answered ${statusCode}`);
    }
  };
  await Promise.all([work(), work()]);
  await http.close();
  return times;
}

async function storm(store: Store): Promise<{ rows: number; perSecond: number; megabytes: number }> {
  store.child.send({ kind: 'memory' });
  await answer(store.child, 'memory');
  const before = await eventRows(store);
  const perSecond = await applied(store, { name: 'storm', alerts: 100_000, incidents: 50, burst: 1, repeats: 0.8 });
  store.child.send({ kind: 'memory' });
  const { greatest } = (await answer(store.child, 'memory')) as { greatest: number };
  return { rows: (await eventRows(store)) - before, perSecond, megabytes: greatest / 2 ** 20 };
}

/** Appends in batches and one by one, the list among a million incidents, and a storm. Keys: settled, Benchmarks. */
export const benchIncidents = (options: BenchOptions): Promise<Record<string, number>> =>
  withStore(options, async (store) => {
    const { runs, seconds, say } = options;
    const batched: number[] = [];
    const openings: number[] = [];
    const single: number[] = [];
    const ids = await opened(store, 2_000, 'warm');
    await commands(store, ids, 2); // not counted
    for (let run = 1; run <= runs; run++) {
      const [alerts, fresh] = [2_000 * seconds, 500 * seconds];
      const bursts = { name: `batched-${run}`, alerts, incidents: alerts / 20, burst: 20, repeats: 0.8 };
      batched.push(await applied(store, await prepared(store, bursts)));
      const opens = { name: `opened-${run}`, alerts: fresh, incidents: fresh, burst: 1, repeats: 0 };
      openings.push(await applied(store, await prepared(store, opens)));
      single.push(await commands(store, ids, seconds));
      say(
        `incidents ${run}/${runs}: batched ${batched.at(-1)?.toFixed(0)}/s, openings ${openings.at(-1)?.toFixed(0)}/s, REST ${single.at(-1)?.toFixed(0)}/s`,
      );
    }
    const flood = await storm(store);
    await fillIncidents(store.pool, store.workspaceId);
    await lists(store, 50); // not counted
    const p99: number[] = [];
    for (let run = 0; run < runs; run++) p99.push(quantile(await lists(store, 300), 0.99));
    say('');
    say(figure('alerts, bursts of 20 per incident', batched, '/s'));
    say(figure('alerts, each opens an incident', openings, '/s'));
    say(figure('comments by REST, one by one', single, '/s'));
    say(figure(`open among ${LISTED} incidents, p99`, p99, 'ms'));
    say(
      `storm of 100,000 alerts into 50 incidents: ${flood.rows} event rows, ${flood.perSecond.toFixed(0)} alerts/s, at most ${flood.megabytes.toFixed(0)} MB`,
    );
    return {
      commands_per_second_batched: median(batched),
      commands_per_second_rest: median(single),
      commands_per_second_single: median(single),
      openings_per_second: median(openings),
      list_p99_ms: median(p99),
      rows: LISTED,
      storm_event_rows: flood.rows,
      storm_alerts_per_second: flood.perSecond,
      storm_megabytes: flood.megabytes,
    };
  });
