import { createHash } from 'node:crypto';
import { chmod, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate, migrationSteps } from '@tocsin/postgres';
import { startEmbeddedPostgres } from '@tocsin/postgres/embedded';
import { Client, escapeIdentifier } from 'pg';
import { uniquePrefix } from './unique-prefix.ts';

export interface TestServer {
  /** Admin address; the name of its database is the prefix of every database that tests make. */
  url: string;
  /** Drops what tests made; stops and removes the server if we started it. */
  stop(): Promise<void>;
}

async function withClient<T>(url: string, use: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

const databaseOf = (url: string): string => decodeURIComponent(new URL(url).pathname.slice(1));

function urlOf(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
}

const drop = (client: Client, name: string): Promise<unknown> =>
  client.query(`drop database if exists ${escapeIdentifier(name)} with (force)`);

/** A database of this run on the given server: its name keeps the run's databases apart from everybody else's. */
async function openRun(serverUrl: string, stopServer: () => Promise<void>): Promise<TestServer> {
  const run = `tocsin_${uniquePrefix()}`;
  await withClient(serverUrl, (client) => client.query(`create database ${run}`));
  const stop = async (): Promise<void> => {
    await withClient(serverUrl, async (client) => {
      const { rows } = await client.query<{ datname: string }>(
        `select datname from pg_database where starts_with(datname, $1)`,
        [run],
      );
      for (const { datname } of rows) await drop(client, datname);
    });
    await stopServer();
  };
  return { url: urlOf(serverUrl, run), stop };
}

/**
 * Postgres for a test run: `TEST_DATABASE_URL` (a login with CREATEDB and CREATEROLE), else an embedded one in a temporary folder.
 * @param settings of the embedded one, beside its own
 */
export async function startPostgres(settings: Record<string, string> = {}): Promise<TestServer> {
  const given = process.env['TEST_DATABASE_URL'];
  if (given) return openRun(given, () => Promise.resolve());
  const directory = await mkdtemp(join(tmpdir(), 'tocsin-test-postgres-'));
  await chmod(directory, 0o755); // as root the server runs as another account, which must pass through
  const server = await startEmbeddedPostgres({ directory, settings: { max_connections: '200', ...settings } });
  return openRun(server.connectionString, async () => {
    await server.stop();
    await rm(await realpath(join(directory, 'server')), { recursive: true, force: true });
    await rm(directory, { recursive: true, force: true });
  });
}

export interface TestDatabaseOptions {
  migrations: { schema: string; directory?: URL }[];
}

/** Content hash of every step: a changed migration is another template. */
async function templateName(adminUrl: string, { migrations }: TestDatabaseOptions): Promise<string> {
  const hash = createHash('sha256');
  for (const migration of migrations) hash.update(JSON.stringify([migration.schema, await migrationSteps(migration)]));
  return `${databaseOf(adminUrl)}_t_${hash.digest('hex').slice(0, 16)}`;
}

async function ensureTemplate(client: Client, adminUrl: string, options: TestDatabaseOptions): Promise<string> {
  const template = await templateName(adminUrl, options);
  const exists = await client.query('select from pg_database where datname = $1', [template]);
  if (exists.rowCount) return template;
  const unfinished = `${template}_new`;
  await drop(client, unfinished);
  await client.query(`create database ${escapeIdentifier(unfinished)}`);
  for (const migration of options.migrations)
    await migrate({ connectionString: urlOf(adminUrl, unfinished), ...migration });
  await client.query(`alter database ${escapeIdentifier(unfinished)} rename to ${escapeIdentifier(template)}`);
  return template;
}

/**
 * A database of its own for one spec file: a clone of a template that was migrated once per run and content.
 * Call `drop` in `afterAll`, after every pool on it has been closed.
 */
export async function testDatabase(options: TestDatabaseOptions): Promise<{ url: string; drop(): Promise<void> }> {
  const adminUrl = process.env['TEST_DATABASE_URL'];
  if (!adminUrl)
    throw new Error(
      'TEST_DATABASE_URL is not set: run this spec with --project int or e2e, whose global setup starts Postgres',
    );
  const name = `${databaseOf(adminUrl)}_${uniquePrefix()}`;
  await withClient(adminUrl, async (client) => {
    await client.query(`select pg_advisory_lock(hashtextextended('tocsin.template', 0))`);
    const template = await ensureTemplate(client, adminUrl, options);
    await client.query(`create database ${escapeIdentifier(name)} template ${escapeIdentifier(template)}`);
  });
  return {
    url: urlOf(adminUrl, name),
    drop: () => withClient(adminUrl, async (client) => void (await drop(client, name))),
  };
}
