import { testDatabase } from '@tocsin/testing';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  LOAD_CANDIDATES,
  LOAD_CLOSINGS,
  LOAD_INCIDENTS,
  LOAD_KEYS,
  LOAD_RELATED_KEYS,
  PRUNE,
  ROW_BY_ROW,
  TOUCH_INCIDENTS,
  TOUCH_KEYS,
} from './statements.ts';

let database: Awaited<ReturnType<typeof testDatabase>>;
let client: pg.Client;

beforeAll(async () => {
  database = await testDatabase({
    migrations: [{ schema: 'dedup_correlator', directory: new URL('migrations/', import.meta.url) }],
  });
  client = new pg.Client({ connectionString: database.url });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await database.drop();
});

const numbers = Array.from({ length: 50 }, (_, n) => n * 7);
const all = (value: unknown) => numbers.map(() => value);
const wanted = [all('ws'), all('whk'), numbers.map((n) => `k${n}`)];
const incidents = [all('ws'), numbers.map((n) => `inc${n}`)];
const KEYS = `insert into dedup_correlator.key_holders (workspace_id, scope, webhook_id, dedup_key, resolve_key, incident_id, alert_id, last_alert_id, first_at, last_at, last_trigger_at, alert_open)
  select 'ws', 'ws', 'whk', 'k' || n, 'k' || n, 'inc' || n, 'alr' || n, 'alr' || n, n, n, n, true from generate_series($1::int, $2::int) n`;
const CLOSINGS = `insert into dedup_correlator.closings (workspace_id, scope, webhook_id, resolve_key, closed_at, closed_by, kept_until)
  select 'ws', 'ws', 'whk', 'k' || n, n, 'resolved', n from generate_series($1::int, $2::int) n`;
const INCIDENTS = `insert into dedup_correlator.known_incidents (workspace_id, scope, incident_id, version, opened_at, last_alert_at, services, terms)
  select 'ws', 'ws', 'inc' || n, 1, n, n, '{}', array['ws any'] from generate_series($1::int, $2::int) n`;

// A table that has just begun to grow is the hardest: its statistics say that it is empty, or has a row or two.
const statistics = ['none', 'of an empty table', 'of one row'] as const;
const lookups = [
  { of: 'keys', table: 'key_holders', fill: KEYS, statement: LOAD_KEYS, parameters: wanted },
  { of: 'related keys', table: 'key_holders', fill: KEYS, statement: LOAD_RELATED_KEYS, parameters: wanted },
  { of: 'closings', table: 'closings', fill: CLOSINGS, statement: LOAD_CLOSINGS, parameters: wanted },
  { of: 'incidents', table: 'known_incidents', fill: INCIDENTS, statement: LOAD_INCIDENTS, parameters: incidents },
];

describe.each(lookups)('a lookup of $of', ({ table, fill, statement, parameters }) => {
  it.each(statistics)('reads what it looks for and no more; statistics: %s', async (known) => {
    await client.query(`alter table dedup_correlator.${table} set (autovacuum_enabled = false)`);
    await client.query(`truncate dedup_correlator.${table}`);
    if (known === 'of one row') await client.query(fill, [0, 0]);
    if (known !== 'none') await client.query(`vacuum analyze dedup_correlator.${table}`);
    await client.query(fill, [1, 3_000]);
    await client.query('set role tocsin_pipeline');
    const { rows } = await client.query<{ 'QUERY PLAN': string }>(
      `explain (analyze, costs off) ${statement}`,
      parameters,
    );
    await client.query('reset role');
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
    expect(plan).toContain('Index Scan');
    expect(plan).not.toMatch(/Seq Scan on (key_holders|closings|known_incidents)|Rows Removed by Filter/);
  });
});

it('a lookup of candidates reads entries of the index, however many incidents were listed just now', async () => {
  await client.query('truncate dedup_correlator.known_incidents');
  await client.query(
    `insert into dedup_correlator.known_incidents (workspace_id, scope, incident_id, version, opened_at, last_alert_at, services, terms, listed)
     select 'ws', 'ws', 'inc' || n, 1, n, n, '{}', array['ws service s' || n, 'ws tag t' || n, 'ws title ' || n], true from generate_series(1, 20000) n`,
  );
  const terms = numbers.map((n) => `service unheard-${n}`);
  const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: Record<string, number> }] }>(
    `explain (analyze, buffers, format json) ${LOAD_CANDIDATES}`,
    [all('ws'), terms, all(0)],
  );
  const [{ Plan: plan }] = rows[0]!['QUERY PLAN'];
  expect(plan['Actual Rows']).toBe(0);
  expect(plan['Shared Hit Blocks']! + plan['Shared Read Blocks']!).toBeLessThan(20 * terms.length);
});

const times = numbers.map(() => 5);
const writes = [
  {
    of: 'keys',
    table: 'key_holders',
    fill: KEYS,
    statement: TOUCH_KEYS,
    parameters: [...wanted, all('alr'), times, times],
  },
  {
    of: 'incidents',
    table: 'known_incidents',
    fill: INCIDENTS,
    statement: TOUCH_INCIDENTS,
    parameters: [...incidents, times],
  },
];

describe.each(writes)('one more occurrence of $of', ({ table, fill, statement, parameters }) => {
  it.each(statistics)('finds its rows by index; statistics: %s', async (known) => {
    await client.query(`alter table dedup_correlator.${table} set (autovacuum_enabled = false)`);
    await client.query(`truncate dedup_correlator.${table}`);
    if (known === 'of one row') await client.query(fill, [0, 0]);
    if (known !== 'none') await client.query(`vacuum analyze dedup_correlator.${table}`);
    await client.query(fill, [1, 3_000]);
    expect(await planOf(statement, parameters)).toContain('Index Scan');
    expect(await planOf(statement, parameters)).not.toContain('Seq Scan');
  });
});

describe('deleting what is old', () => {
  it.each(['before', 'after'] as const)('reads what is old and no more, %s the tables were analysed', async (when) => {
    await client.query(
      'truncate dedup_correlator.key_holders, dedup_correlator.known_incidents, dedup_correlator.closings, dedup_correlator.processed_alerts',
    );
    for (const fill of [KEYS, CLOSINGS, INCIDENTS]) await client.query(fill, [1, 3_000]);
    await client.query('update dedup_correlator.known_incidents set closed_at = last_alert_at');
    await client.query(
      `insert into dedup_correlator.processed_alerts (workspace_id, scope, alert_id, received_at) select 'ws', 'ws', 'alr' || n, n from generate_series(1, 3000) n`,
    );
    if (when === 'after') await client.query('analyze');
    const horizon = JSON.stringify([{ scope: 'ws', processedBefore: 10, closingsBefore: 10 }]);
    expect(await planOf(PRUNE, [horizon, 1_000])).not.toContain('Seq Scan');
    const left = await client.query<{ keys: number; alerts: number }>(
      `select (select count(*) from dedup_correlator.key_holders)::int as keys, (select count(*) from dedup_correlator.processed_alerts)::int as alerts`,
    );
    expect(left.rows).toEqual([{ keys: 2_991, alerts: 2_991 }]);
  });
});

/** How a statement runs in a transaction of the stage; it is committed. */
async function planOf(statement: string, parameters: unknown[]): Promise<string> {
  await client.query('begin');
  await client.query('set local role tocsin_pipeline');
  await client.query(ROW_BY_ROW);
  const { rows } = await client.query<{ 'QUERY PLAN': string }>(
    `explain (analyze, costs off) ${statement}`,
    parameters,
  );
  await client.query('commit');
  return rows.map((row) => row['QUERY PLAN']).join('\n');
}
