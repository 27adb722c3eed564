import { rm, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { passwordOf } from './password.ts';
import { choosePlace, type Place } from './place.ts';
import { isServer, readProcessFile, type RunningServer } from './process-file.ts';
import { freePort, initialise, launch, SUPERUSER } from './server.ts';

export { NoBinariesError } from './binaries.ts';

export interface EmbeddedPostgresOptions {
  /** Folder that holds data, password and log, e.g. `.tocsin/postgres`. */
  directory: string;
  /** Loopback port; default: any free one. A server that is adopted keeps its own. */
  port?: number;
  /** Further server settings, over ours. */
  settings?: Record<string, string>;
}

export interface EmbeddedPostgres {
  connectionString: string;
  pid: number;
  /** True when a server that was still running was taken over. */
  adopted: boolean;
  /** Fast shutdown; resolves when the server is gone. */
  stop(): Promise<void>;
}

const DATABASE = 'tocsin';
/** Recovery after a crash is bounded by max_wal_size; beyond this something is wrong. */
const START_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 20_000;
const POLL_MS = 25;

const addressOf = (port: number, password: string, database: string): string =>
  `postgresql://${SUPERUSER}:${password}@127.0.0.1:${port}/${database}`;

async function withClient<T>(connectionString: string, use: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString, connectionTimeoutMillis: 2_000 });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

/** Whether the server at this port is ours: it takes our password and serves our data folder. */
async function answers(place: Place, port: number, password: string): Promise<boolean> {
  return withClient(addressOf(port, password, 'postgres'), async (client) => {
    const { rows } = await client.query<{ data_directory: string }>('show data_directory');
    return (await realpath(rows[0]!.data_directory)) === (await realpath(place.data));
  }).catch(() => false);
}

/** The server of this place, as soon as it answers; undefined once there is none. */
async function waitUntilReady(place: Place, password: string, deadline: number): Promise<RunningServer | undefined> {
  for (;;) {
    const running = await readProcessFile(place.data);
    if (!running || !(await isServer(running.pid))) return undefined;
    if (running.port > 0 && (await answers(place, running.port, password))) return running;
    if (performance.now() > deadline) return undefined;
    await sleep(POLL_MS);
  }
}

async function createDatabase(port: number, password: string): Promise<void> {
  await withClient(addressOf(port, password, 'postgres'), async (client) => {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [DATABASE]);
    if (rowCount) return;
    await client.query(`create database ${DATABASE}`).catch((error: { code?: string }) => {
      if (error.code !== '42P04' && error.code !== '23505') throw error; // another process was first
    });
  });
}

async function stopServer(place: Place, pid: number): Promise<void> {
  const stopped = async (): Promise<boolean> =>
    (await readProcessFile(place.data))?.pid !== pid || !(await isServer(pid));
  for (const signal of ['SIGINT', 'SIGQUIT'] as const) {
    if (await stopped()) return;
    process.kill(pid, signal);
    const deadline = performance.now() + STOP_LIMIT_MS;
    while (performance.now() < deadline && !(await stopped())) await sleep(POLL_MS);
  }
}

async function bringUp(
  place: Place,
  password: string,
  options: EmbeddedPostgresOptions,
): Promise<{ server: RunningServer; adopted: boolean }> {
  const deadline = performance.now() + START_LIMIT_MS;
  const found = await waitUntilReady(place, password, deadline);
  if (found) return { server: found, adopted: true };
  await initialise(place, password);
  do {
    const stale = await readProcessFile(place.data);
    if (stale && !(await isServer(stale.pid))) await rm(join(place.data, 'postmaster.pid'), { force: true });
    const { exited } = await launch(place, options.port ?? (await freePort()), options.settings ?? {});
    const gone = exited.then(() => 'exited' as const);
    for (let state: 'exited' | undefined; state !== 'exited' && performance.now() < deadline;) {
      const server = await waitUntilReady(place, password, deadline);
      if (server) return { server, adopted: false };
      state = await Promise.race([gone, sleep(POLL_MS, undefined)]); // no process file yet, or it gave up: a lost port, old children still ending
    }
  } while (performance.now() < deadline);
  throw new Error(
    `the embedded PostgreSQL did not start within ${START_LIMIT_MS / 1000} s; its log is ${join(place.directory, 'postgres.log')}`,
  );
}

/**
 * A PostgreSQL of our own for one machine: initialised on first use, adopted when an earlier start left it running, durable
 * (fsync and synchronous_commit on), reachable from loopback only, with a generated password kept in `directory`.
 * Resolves when it accepts connections. @throws NoBinariesError
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const place = await choosePlace(options.directory);
  const password = await passwordOf(place.directory);
  const { server, adopted } = await bringUp(place, password, options);
  await createDatabase(server.port, password);
  return {
    connectionString: addressOf(server.port, password, DATABASE),
    pid: server.pid,
    adopted,
    stop: () => stopServer(place, server.pid),
  };
}
