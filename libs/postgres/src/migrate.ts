import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { Client, escapeIdentifier } from 'pg';
import { pipelineMigrations, schemaSetup } from './pipeline-tables.ts';
import { ensureRoles } from './roles.ts';

export interface MigrateOptions {
  /** A login that may create schemas in its database, and roles in the cluster unless they are there. */
  connectionString: string;
  schema: string;
  /** Folder of the service's files `0001_what-it-does.sql`, run in this order, once each. */
  directory?: URL;
}

/** A migration that cannot be run as it stands: a changed file, a bad name, or SQL that the server refused. */
export class MigrationError extends Error {
  readonly code = 'migration-failed';
  constructor(schema: string, name: string, detail: string, cause?: unknown) {
    super(`migration ${name} of schema ${schema}: ${detail}`, { cause });
  }
}

interface Step {
  name: string;
  sql: string;
}

const FILE_NAME = /^(\d{4})_[a-z0-9_-]+\.sql$/;
/** Names that need no quotes, so that they can stand in SQL as they are. */
export const SCHEMA_NAME = /^[a-z_][a-z0-9_]{0,62}$/;
const checksumOf = (sql: string): string => createHash('sha256').update(sql.replaceAll('\r\n', '\n')).digest('hex');

async function serviceSteps(schema: string, directory: URL): Promise<Step[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.sql')).sort();
  const numbers = new Set<string>();
  for (const name of names) {
    const number = FILE_NAME.exec(name)?.[1];
    if (!number) throw new MigrationError(schema, name, 'a file name has the form 0001_what-it-does.sql');
    if (numbers.has(number)) throw new MigrationError(schema, name, `number ${number} is used twice`);
    numbers.add(number);
  }
  const base = directory.href.endsWith('/') ? directory : new URL(`${directory.href}/`);
  return Promise.all(names.map(async (name) => ({ name, sql: await readFile(new URL(name, base), 'utf8') })));
}

/** Every step of one schema in order: the library's own tables, then the service's files. */
export async function migrationSteps({
  schema,
  directory,
}: Pick<MigrateOptions, 'schema' | 'directory'>): Promise<Step[]> {
  if (!SCHEMA_NAME.test(schema))
    throw new MigrationError(schema, '-', 'a schema name is lower case letters, digits and underscores');
  const own = pipelineMigrations.map(({ name, sql }) => ({ name, sql: sql(escapeIdentifier(schema)) }));
  return [...own, ...(directory ? await serviceSteps(schema, directory) : [])];
}

async function runStep(client: Client, schema: string, step: Step): Promise<void> {
  await client.query('begin');
  try {
    await client.query(step.sql);
    await client.query(`insert into ${escapeIdentifier(schema)}.migrations (name, checksum) values ($1, $2)`, [
      step.name,
      checksumOf(step.sql),
    ]);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch(() => undefined); // the first error says more
    throw new MigrationError(schema, step.name, (error as Error).message, error);
  }
}

async function applyMissing(client: Client, schema: string, steps: Step[]): Promise<string[]> {
  await client.query(schemaSetup(escapeIdentifier(schema)));
  const ledger = await client.query<{ name: string; checksum: string }>(
    `select name, checksum from ${escapeIdentifier(schema)}.migrations`,
  );
  const applied = new Map(ledger.rows.map((row) => [row.name, row.checksum]));
  const done: string[] = [];
  for (const step of steps) {
    const checksum = applied.get(step.name);
    if (checksum === undefined) {
      await runStep(client, schema, step);
      done.push(step.name);
    } else if (checksum !== checksumOf(step.sql)) {
      throw new MigrationError(schema, step.name, 'was changed after it had been applied; a change is a new file');
    }
  }
  return done;
}

/**
 * Brings one service's schema up to date: cluster roles, schema, the library's pipeline tables, then each of the service's
 * files once, each in a transaction of its own. One advisory lock per database: concurrent callers wait and find it done.
 * @returns the names that were applied now. @throws MigrationError, RolesMissingError
 */
export async function migrate(options: MigrateOptions): Promise<string[]> {
  const steps = await migrationSteps(options);
  const client = new Client({
    connectionString: options.connectionString,
    application_name: `${options.schema}/migrate`,
    connectionTimeoutMillis: 10_000,
  });
  client.on('error', () => undefined); // the query in hand reports it
  await client.connect();
  try {
    await client.query(
      `set client_min_messages = warning; select pg_advisory_lock(hashtextextended('tocsin.migrate', 0))`,
    );
    await ensureRoles(client);
    return await applyMissing(client, options.schema, steps);
  } finally {
    await client.end(); // ends the session and its lock
  }
}
