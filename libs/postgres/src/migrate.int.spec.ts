import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { testDatabase } from '@tocsin/testing';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createPools, migrate, withWorkspace, type Pools } from './index.ts';

let database: Awaited<ReturnType<typeof testDatabase>>;
let folder: string;
const directory = (): URL => pathToFileURL(`${folder}/`);
const write = (name: string, sql: string): Promise<void> => writeFile(join(folder, name), sql);

async function query<Row extends object>(sql: string): Promise<Row[]> {
  const client = new Client({ connectionString: database.url });
  await client.connect();
  try {
    return (await client.query<Row>(sql)).rows;
  } finally {
    await client.end();
  }
}

beforeAll(async () => void (database = await testDatabase({ migrations: [] })));
afterAll(() => database.drop());
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'tocsin-migrate-'))));
afterEach(() => rm(folder, { recursive: true }));

describe('migrate', () => {
  it('runs each file once, in order, and gives every schema the pipeline tables', async () => {
    await write('0001_first.sql', 'create table one.a (n int)');
    await write('0002_second.sql', 'insert into one.a values (1)');
    const options = { connectionString: database.url, schema: 'one', directory: directory() };
    expect(await migrate(options)).toEqual(['pipeline/0001', 'pipeline/0002', '0001_first.sql', '0002_second.sql']);
    expect(await migrate(options)).toEqual([]);
    await write('0003_third.sql', 'insert into one.a values (2)');
    expect(await migrate(options)).toEqual(['0003_third.sql']);
    expect(await query('select n from one.a order by n')).toEqual([{ n: 1 }, { n: 2 }]);
    const tables = await query(`select tablename from pg_tables where schemaname = 'one' order by 1`);
    expect(tables.map((row) => Object.values(row)[0])).toEqual([
      'a',
      'consumer_marks',
      'consumer_positions',
      'migrations',
      'outbox',
    ]);
  });

  it('is safe when eight processes start at the same time', async () => {
    await write('0001_first.sql', 'create table two.a (n int); insert into two.a values (1)');
    const options = { connectionString: database.url, schema: 'two', directory: directory() };
    const applied = await Promise.all(Array.from({ length: 8 }, () => migrate(options)));
    expect(applied.filter((names) => names.length > 0)).toHaveLength(1);
    expect(await query('select n from two.a')).toEqual([{ n: 1 }]);
  });

  it('refuses a file that was changed after it had been applied', async () => {
    await write('0001_first.sql', 'create table three.a (n int)');
    const options = { connectionString: database.url, schema: 'three', directory: directory() };
    await migrate(options);
    await write('0001_first.sql', 'create table three.a (n bigint)');
    await expect(migrate(options)).rejects.toMatchObject({
      code: 'migration-failed',
      message: expect.stringContaining('0001_first.sql') as string,
    });
  });

  it('leaves nothing of a file that fails, and goes on from there once it is right', async () => {
    await write('0001_first.sql', 'create table four.a (n int); select 1 / 0');
    const options = { connectionString: database.url, schema: 'four', directory: directory() };
    await expect(migrate(options)).rejects.toThrow('0001_first.sql of schema four: division by zero');
    expect(await query(`select 1 from pg_tables where schemaname = 'four' and tablename = 'a'`)).toEqual([]);
    await write('0001_first.sql', 'create table four.a (n int)');
    expect(await migrate(options)).toEqual(['0001_first.sql']);
  });

  it('refuses two files with one number', async () => {
    await write('0001_first.sql', 'select 1');
    await write('0001_other.sql', 'select 1');
    await expect(migrate({ connectionString: database.url, schema: 'five', directory: directory() })).rejects.toThrow(
      'used twice',
    );
  });
});

describe('the two roles', () => {
  const schema = 'notes_store';
  let pools: Pools;

  beforeAll(async () => {
    const own = await mkdtemp(join(tmpdir(), 'tocsin-roles-'));
    await writeFile(
      join(own, '0001_notes.sql'),
      `create table ${schema}.notes (workspace_id text not null, text text not null);
       alter table ${schema}.notes enable row level security;
       alter table ${schema}.notes force row level security;
       create policy rest on ${schema}.notes to tocsin_rest using (workspace_id = current_setting('tocsin.workspace_id', true));
       create policy pipeline on ${schema}.notes to tocsin_pipeline using (true);
       grant select, insert on ${schema}.notes to tocsin_rest, tocsin_pipeline;`,
    );
    await migrate({ connectionString: database.url, schema, directory: pathToFileURL(`${own}/`) });
    await rm(own, { recursive: true });
    pools = createPools({ connectionString: database.url, applicationName: 'roles-spec', max: 4 });
    await pools.pipeline.query(`insert into ${schema}.notes values ('ws_a', 'of a'), ('ws_b', 'of b')`);
  });
  afterAll(() => pools.close());

  const texts = (workspace: string): Promise<string[]> =>
    withWorkspace(pools.rest, workspace, async (tx) =>
      (await tx.query<{ text: string }>(`select text from ${schema}.notes`)).rows.map((row) => row.text),
    );

  it('the pipeline works across workspaces', async () => {
    expect((await pools.pipeline.query(`select * from ${schema}.notes`)).rowCount).toBe(2);
  });

  it('REST sees the workspace of its transaction only', async () => {
    expect(await texts('ws_a')).toEqual(['of a']);
    expect(await texts('ws_b')).toEqual(['of b']);
    expect(await texts(`ws_a' or true --`)).toEqual([]);
  });

  it('REST sees nothing without a workspace, also after a transaction that had one', async () => {
    await texts('ws_a');
    expect((await pools.rest.query(`select * from ${schema}.notes`)).rowCount).toBe(0);
  });

  it('REST cannot write into another workspace', async () => {
    const write = withWorkspace(pools.rest, 'ws_a', (tx) =>
      tx.query(`insert into ${schema}.notes values ('ws_b', 'forged')`),
    );
    await expect(write).rejects.toMatchObject({ code: '42501' });
  });

  it('REST cannot touch positions, marks and outbox', async () => {
    for (const table of ['consumer_positions', 'consumer_marks', 'outbox']) {
      await expect(pools.rest.query(`select * from ${schema}.${table}`)).rejects.toMatchObject({ code: '42501' });
    }
  });

  it('sessions carry the limits that keep a paused owner from holding locks', async () => {
    const { rows } = await pools.pipeline.query<{ name: string; setting: string }>(
      `select name, setting from pg_settings where name in ('idle_in_transaction_session_timeout', 'lock_timeout', 'statement_timeout', 'tcp_user_timeout') order by 1`,
    );
    expect(rows.map((row) => [row.name, row.setting])).toEqual([
      ['idle_in_transaction_session_timeout', '10000'],
      ['lock_timeout', '5000'],
      ['statement_timeout', '20000'],
      ['tcp_user_timeout', '15000'],
    ]);
  });

  it('a connection that the server ends while it is idle or in use does not bring the process down', async () => {
    const client = await pools.pipeline.connect();
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
    await query(`select pg_terminate_backend(${rows[0]!.pid})`);
    await expect(client.query('select 1')).rejects.toThrow();
    client.release(true);
    await query(`select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'roles-spec/%'`);
    expect((await pools.pipeline.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  });
});
