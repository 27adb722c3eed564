import type { Socket } from 'node:net';
import { testDatabase, waitFor } from '@tocsin/testing';
import { Client, type Pool, type PoolClient } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Pieces } from './bind-message.ts';
import { createCommitCommand } from './commit-command.ts';
import { createPools, type Pools } from './pools.ts';
import type { Publisher } from './publisher.ts';

let database: Awaited<ReturnType<typeof testDatabase>>;
let pools: Pools;

beforeAll(async () => {
  database = await testDatabase({ migrations: [{ schema: 'prepared' }] });
  pools = createPools({ connectionString: database.url, applicationName: 'spec', max: 1 });
  await asOwner(`create table prepared.things (key text primary key, note text);
    grant select, insert, update, delete on prepared.things to tocsin_pipeline;`);
});
afterAll(async () => {
  await pools.close();
  await database.drop();
});

async function asOwner(sql: string): Promise<void> {
  const client = new Client({ connectionString: database.url });
  await client.connect();
  await client.query(sql);
  await client.end();
}

async function withClient<T>(pool: Pool, use: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    return await use(client);
  } finally {
    client.release(true);
  }
}
const FIND = 'select note from prepared.things where key = $1';
const preparedOn = async (client: PoolClient) =>
  (
    await client.query<{ name: string; statement: string; generic_plans: string }>(
      'select name, statement, generic_plans from pg_prepared_statements',
    )
  ).rows;

/** @returns how to ask how often its socket was written to from now on */
function writesOf(client: PoolClient): () => number {
  const { stream } = (client as unknown as { connection: { stream: Socket } }).connection;
  const { _writev: writev, _write: write } = stream;
  let writes = 0;
  stream._writev = (chunks, done) => (writes++, writev?.call(stream, chunks, done));
  stream._write = (chunk, encoding, done) => (writes++, write.call(stream, chunk, encoding, done));
  return () => writes;
}

/** What a command needs of a publisher. */
const silent: Publisher = {
  notify: undefined,
  ready: () => Promise.resolve(true),
  committed: () => Promise.resolve(),
  leftovers: () => undefined,
  flush: () => Promise.resolve(),
  close: () => Promise.resolve(),
};

describe('a statement with parameters', () => {
  it('is prepared once a connection has run it several times, and then planned no more', () =>
    withClient(pools.pipeline, async (client) => {
      await client.query(FIND, ['a']);
      await client.query(FIND, ['b']);
      expect(await preparedOn(client)).toEqual([]);
      for (let n = 0; n < 10; n++) await client.query(FIND, [`c${n}`]);
      const [one, ...others] = await preparedOn(client);
      expect(others).toEqual([]);
      expect(one?.statement).toBe(FIND);
      expect(Number(one?.generic_plans)).toBeGreaterThan(0);
    }));

  it('takes large values from where they are, whether prepared or not', () =>
    withClient(pools.pipeline, async (client) => {
      const [one, two] = [Buffer.alloc(100_000, 'one'), Buffer.alloc(70_000, 'two')];
      const both = new Pieces([one, two]);
      for (let n = 0; n < 5; n++) {
        const { rows } = await client.query<{ large: Buffer; joined: Buffer; small: string; nothing: null }>(
          'select $1::bytea as large, $2::bytea as joined, $3::text as small, $4::text as nothing',
          [one, both, 'ä', null],
        );
        expect(rows[0]?.large.equals(one)).toBe(true);
        expect(rows[0]?.joined.equals(Buffer.concat([one, two]))).toBe(true);
        expect([rows[0]?.small, rows[0]?.nothing]).toEqual(['ä', null]);
      }
      expect((await preparedOn(client)).length).toBeGreaterThan(0);
    }));

  it('takes pieces that are small, and those that another client is given', async () => {
    const pieces = new Pieces([Buffer.from('a'), Buffer.from('b')]);
    const read = async (client: { query: Client['query'] }) =>
      (await client.query<{ text: string }>("select convert_from($1::bytea, 'UTF8') as text", [pieces])).rows[0]?.text;
    expect(await withClient(pools.pipeline, read)).toBe('ab');
    const plain = new Client({ connectionString: database.url });
    await plain.connect();
    expect(await read(plain)).toBe('ab');
    await plain.end();
  });

  it('that has none is prepared where it comes with an empty list of them', () =>
    withClient(pools.pipeline, async (client) => {
      const count = 'select count(*)::int as things from prepared.things';
      for (let n = 0; n < 4; n++) await client.query(count);
      expect(await preparedOn(client)).toEqual([]);
      for (let n = 0; n < 4; n++) expect((await client.query(count, [])).rows).toHaveLength(1);
      expect((await preparedOn(client)).map(({ statement }) => statement)).toEqual([count]);
    }));

  it('goes out with all that is sent in the same turn, in one write', () =>
    withClient(pools.pipeline, async (client) => {
      const writes = writesOf(client);
      const later = Promise.resolve().then(() => client.query(FIND, ['b']));
      const answers = await Promise.all([client.query('begin'), client.query(FIND, ['a']), later]);
      expect(answers.map(({ command }) => command)).toEqual(['BEGIN', 'SELECT', 'SELECT']);
      expect(writes()).toBe(1);
      await client.query('rollback');
      expect(writes()).toBe(2);
    }));

  it('goes out at once where what was sent before it is much', () =>
    withClient(pools.pipeline, async (client) => {
      const writes = writesOf(client);
      const large = 'x'.repeat(20_000);
      const answers = [large, 'small', 'small', large, 'small'].map((key) => client.query(FIND, [key]));
      expect(writes()).toBe(2); // the first; the two small ones with the second large one; the last waits for the end of the turn
      await Promise.all(answers);
      expect(writes()).toBe(3);
    }));

  it('gives its answer as ever, also in a transaction and to several askers at a time', () =>
    withClient(pools.pipeline, async (client) => {
      await client.query('begin');
      for (let n = 0; n < 5; n++)
        await client.query('insert into prepared.things values ($1, $2)', [`k${n}`, `note ${n}`]);
      const answers = await Promise.all([0, 1, 2, 3, 4].map((n) => client.query<{ note: string }>(FIND, [`k${n}`])));
      expect(answers.map(({ rows }) => rows[0]?.note)).toEqual(['note 0', 'note 1', 'note 2', 'note 3', 'note 4']);
      await client.query('rollback');
    }));

  it('is not kept without end: a connection has at most a hundred', () =>
    withClient(pools.pipeline, async (client) => {
      for (let n = 0; n < 130; n++)
        for (let run = 0; run < 3; run++) await client.query(`select $1::int + ${n} as sum`, [1]);
      expect(await preparedOn(client)).toHaveLength(100);
    }));

  it('that fails is prepared by the next who runs it', () =>
    withClient(pools.pipeline, async (client) => {
      const divide = 'select 10 / $1::int as part';
      for (let n = 0; n < 2; n++) await client.query(divide, [5]);
      await expect(client.query(divide, ['no number'])).rejects.toMatchObject({ code: '22P02' });
      await expect(client.query(divide, [0])).rejects.toMatchObject({ code: '22012' });
      expect((await client.query(divide, [5])).rows).toEqual([{ part: 2 }]);
    }));
});

describe('a plan that was made for an empty table', () => {
  it('does not stay when the table has become large, though nobody has analysed it', () =>
    withClient(pools.pipeline, async (client) => {
      await asOwner('truncate prepared.things');
      await asOwner('alter table prepared.things set (autovacuum_enabled = false)');
      await asOwner('vacuum analyze prepared.things');
      for (let n = 0; n < 12; n++) await client.query(FIND, ['a']);
      const name = (await preparedOn(client)).find(({ statement }) => statement === FIND)?.name;
      const planOf = async () =>
        (await client.query<{ 'QUERY PLAN': string }>(`explain execute ${name}('k7')`)).rows
          .map((row) => row['QUERY PLAN'])
          .join('\n');
      expect(await planOf()).toContain('Seq Scan');
      await asOwner(`insert into prepared.things select 'k' || n, 'note' from generate_series(1, 100000) n`);
      const plan = await waitFor(
        async () => {
          await client.query(FIND, ['k7']);
          const now = await planOf();
          return now.includes('Index Scan') ? now : undefined;
        },
        { timeoutMs: 20_000 },
      );
      expect(plan).not.toContain('Seq Scan');
    }));
});

describe('a prepared statement that is no longer what it was', () => {
  const commit = () => createCommitCommand({ pool: pools.pipeline, schema: 'prepared', publisher: silent, lane: 'x' });

  it('after a migration: the command is run again, without preparing', async () => {
    const all = 'select * from prepared.things where key = $1';
    const run = () => commit()(async (tx) => ({ result: (await tx.query(all, ['k7'])).rows, outputs: [] }));
    for (let n = 0; n < 8; n++) await run();
    await asOwner('alter table prepared.things add column further text');
    expect(await run()).toEqual([{ key: 'k7', note: 'note', further: null }]);
  });

  it('that a pooler has dropped: likewise', async () => {
    const run = () => commit()(async (tx) => ({ result: (await tx.query(FIND, ['k7'])).rows, outputs: [] }));
    for (let n = 0; n < 8; n++) await run();
    await pools.pipeline.query('deallocate all');
    expect(await run()).toEqual([{ note: 'note' }]);
  });
});
