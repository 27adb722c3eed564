import { randomBytes } from 'node:crypto';
import { decodeRecord, type IncidentEventRecord, type IncidentFact, type ReceiptReplied } from '@tocsin/contracts';
import { digestOf, GENESIS_HASH, hashOf, type EventMeta } from '@tocsin/domain/incident';
import { StaticConfigurationFeed } from '@tocsin/nest-shell';
import { createPools, withWorkspace, type Input, type Output, type Pools } from '@tocsin/postgres';
import { testDatabase, uniquePrefix } from '@tocsin/testing';
import type { PoolClient } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Scene } from './correlated-builders.ts';
import { readEvents } from './incident-log.ts';
import { alertPolicies } from './policies.ts';
import { recordAlertsStage } from './record-alerts-batch.ts';

const START = Date.parse('2026-04-02T08:00:00.000Z');
let database: Awaited<ReturnType<typeof testDatabase>>;
let pools: Pools;
beforeAll(async () => {
  database = await testDatabase({
    migrations: [{ schema: 'incident_store', directory: new URL('./migrations/', import.meta.url) }],
  });
  pools = createPools({ connectionString: database.url, applicationName: 'record-alerts-batch.int.spec', max: 4 });
});
afterAll(async () => {
  await pools.close();
  await database.drop();
});

const scene = (): Scene => new Scene(`ws_${uniquePrefix()}`, `whk_${uniquePrefix()}`, START);

/** One batch in one transaction, as commitBatch handles it, and how many statements that took. */
async function handle(...inputs: Input[]): Promise<{ outputs: Output[]; statements: number; verdicts: string[] }> {
  const stage = recordAlertsStage({
    pool: pools.pipeline,
    policies: alertPolicies(new StaticConfigurationFeed(), () => new Date(START)),
    random: randomBytes,
  });
  const loaded = await stage.load(inputs);
  const tx = await pools.pipeline.connect();
  let statements = 0;
  const counting = new Proxy(tx, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (name !== 'query') return value;
      return (...args: unknown[]) => {
        statements += 1;
        return (value as (...all: unknown[]) => unknown).apply(target, args);
      };
    },
  });
  try {
    await tx.query('begin');
    const { outputs, verdicts } = await stage.apply(counting, inputs, loaded);
    await tx.query('commit');
    return { outputs, statements, verdicts: verdicts.map(({ kind }) => kind) };
  } catch (error) {
    await tx.query('rollback');
    throw error;
  } finally {
    tx.release();
  }
}

const repliesOf = (outputs: Output[]): ReceiptReplied[] =>
  outputs
    .filter(({ topic }) => topic === 'webhook.replies')
    .map(({ value }) => decodeRecord('receipt.replied.v1', value));
const told = (outputs: Output[]) =>
  repliesOf(outputs).flatMap(({ alerts }) =>
    alerts.map((alert) => [alert.outcome, alert.reason, alert.incidentId, alert.occurrenceCount]),
  );
const recordsOf = (outputs: Output[]): IncidentEventRecord[] =>
  outputs
    .filter(({ topic }) => topic === 'incident.events')
    .map(({ value }) => decodeRecord('incident.event.v1', value));
const factsOf = (outputs: Output[]): IncidentFact[] =>
  outputs.filter(({ type }) => type === 'incident.fact.v1').map(({ value }) => decodeRecord('incident.fact.v1', value));
const rows = async (sql: string, ...values: unknown[]) =>
  (await pools.pipeline.query<Record<string, unknown>>(sql, values)).rows;

interface ChainRow extends Omit<EventMeta, 'id' | 'at'> {
  event_id: string;
  stream_id: string;
  version: number;
  type: string;
  at: Date;
  salt: Buffer;
  body: Buffer;
  digest: string;
  prev_hash: string;
  hash: string;
}

async function withClient<T>(use: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pools.pipeline.connect();
  try {
    return await use(client);
  } finally {
    client.release();
  }
}

/** Everything that a workspace has in tables that must not grow by a repeat. */
async function everything(workspaceId: string): Promise<Record<string, unknown>> {
  const tables = [
    'events',
    'event_payloads',
    'unsequenced',
    'timeline',
    'streams',
    'incidents',
    'incident_alerts',
    'key_holders',
    'alert_outcomes',
    'receipts',
    'successors',
  ];
  const counted: Record<string, unknown> = {};
  for (const table of tables)
    counted[table] = (
      await rows(`select count(*)::int as n from incident_store.${table} where workspace_id = $1`, workspaceId)
    )[0]?.['n'];
  counted['incidents now'] = await rows(
    'select document from incident_store.incidents where workspace_id = $1 order by incident_id',
    workspaceId,
  );
  return counted;
}

describe('a batch of correlated alerts', () => {
  it('opens, counts and resolves as a sender sees it', async () => {
    const on = scene();
    const id = on.incidentId('a');
    const first = await handle(on.input(on.opened('a', 0)));
    expect(told(first.outputs)).toEqual([['created', 'new-alert', id, 1]]);
    const second = await handle(on.input(on.repeat('b', 1, 'a')));
    expect(told(second.outputs)).toEqual([['deduplicated', 'same-dedup-key', id, 2]]);
    expect(recordsOf(second.outputs)).toMatchObject([
      {
        sequence: 2,
        outbound_name: 'incident.updated',
        changed: ['webhook_occurrence_count', 'last_alert_at'],
        incident: { webhook_occurrence_count: 2 },
      },
    ]);
    const third = await handle(on.input(on.over('c', 2, 'a')));
    expect(told(third.outputs)).toEqual([['resolved', 'all-alerts-resolved', id, 2]]);
    expect(recordsOf(third.outputs).map(({ event, sequence }) => [event.type, sequence])).toEqual([
      ['AlertsResolved', 3],
      ['IncidentResolved', 4],
    ]);
    expect(factsOf(third.outputs)).toMatchObject([{ incidentId: id, version: 4, fact: { kind: 'closed' } }]);
    expect(await rows('select * from incident_store.key_holders where workspace_id = $1', on.workspaceId)).toEqual([]);
  });

  it('of 500 records with 500 incidents takes a handful of statements and one number each', async () => {
    const on = scene();
    const inputs = Array.from({ length: 500 }, (_, index) => on.input(on.opened(`n${index}`, index / 100)));
    const { statements, outputs } = await handle(...inputs);
    expect(statements).toBeLessThanOrEqual(16);
    expect(repliesOf(outputs)).toHaveLength(500);
    expect(outputs.filter(({ topic }) => topic === 'webhook.outcomes')).toHaveLength(1);
    const [numbers] = await rows(
      'select count(distinct number)::int as n, max(number)::int as last from incident_store.incidents where workspace_id = $1',
      on.workspaceId,
    );
    expect(numbers).toEqual({ n: 500, last: 500 });
  });

  it('writes one event for a storm of repeats, however many records they came in', async () => {
    const on = scene();
    await handle(on.input(on.opened('a', 0)));
    await handle(...Array.from({ length: 150 }, (_, index) => on.input(on.repeat(`r${index}`, 1, 'a'))));
    const events = await withClient((client) => readEvents(client, on.incidentId('a')));
    expect(events.map(({ type }) => type)).toEqual(['IncidentOpened', 'OccurrencesCounted']);
    expect(events[1]?.data).toMatchObject({ count: 150 });
  });

  it('that comes again with other boundaries writes nothing twice and gives the first answers', async () => {
    const on = scene();
    const inputs = [
      on.input(on.opened('a', 0)),
      on.input(on.repeat('b', 1, 'a')),
      on.input(on.joins('c', 2, 'a')),
      on.input(on.over('d', 3, 'a')),
      on.input(on.opened('e', 4)),
    ];
    const answers = [
      ...told((await handle(...inputs.slice(0, 2))).outputs),
      ...told((await handle(...inputs.slice(2))).outputs),
    ];
    const before = await everything(on.workspaceId);
    const again = [
      ...(await handle(inputs[0]!)).outputs,
      ...(await handle(...inputs.slice(1, 4))).outputs,
      ...(await handle(inputs[4]!)).outputs,
    ];
    expect(told(again)).toEqual(answers);
    expect(recordsOf(again)).toEqual([]);
    expect(await everything(on.workspaceId)).toEqual(before);
  });

  it('names a record that is none and applies its neighbours', async () => {
    const on = scene();
    const broken: Input = { ...on.input(on.opened('x', 0)), value: Buffer.from('{"alerts":') };
    const { verdicts, outputs } = await handle(broken, on.input(on.opened('a', 0)));
    expect(verdicts).toEqual(['dead-letter', 'handled']);
    expect(told(outputs)).toHaveLength(1);
  });
});

describe('where the correlator was behind', () => {
  it('a held key is a duplicate, and later records of the incident that never was go to the holder', async () => {
    const on = scene();
    await handle(on.input(on.opened('a', 0, { key: 'k' })));
    const { outputs } = await handle(on.input(on.opened('b', 1, { key: 'k' })));
    expect(told(outputs)).toEqual([['deduplicated', 'same-dedup-key', on.incidentId('a'), 2]]);
    expect(factsOf(outputs)).toMatchObject([
      { incidentId: on.incidentId('a'), fact: { kind: 'open' }, keys: [{ dedupKey: 'k', alertId: on.alertId('a') }] },
      { incidentId: on.incidentId('b'), fact: { kind: 'closed' }, keys: [] },
    ]);
    const next = await handle(on.input(on.joins('c', 2, 'b')));
    expect(told(next.outputs)[0]?.[2]).toBe(on.incidentId('a'));
  });

  it('a key is taken over once its window has passed', async () => {
    const on = scene();
    await handle(on.input(on.opened('a', 0, { key: 'k' })));
    const { outputs } = await handle(on.input(on.opened('b', 24 * 60 + 1, { key: 'k' })));
    expect(told(outputs)).toEqual([['created', 'taken-over', on.incidentId('b'), 1]]);
    const holders = await rows(
      'select incident_id, alert_id from incident_store.key_holders where workspace_id = $1',
      on.workspaceId,
    );
    expect(holders).toEqual([{ incident_id: on.incidentId('b'), alert_id: on.alertId('b') }]);
  });

  it('a closed incident takes older alerts, reopens within its window, and has a successor after it', async () => {
    const on = scene();
    await handle(on.input(on.opened('a', 0)), on.input(on.over('r', 10, 'a')));
    expect(told((await handle(on.input(on.repeat('old', 9, 'a')))).outputs)).toEqual([
      ['deduplicated', 'incident-closed', on.incidentId('a'), 2],
    ]);
    const later = await handle(on.input(on.repeat('new', 41, 'a')));
    const successor = told(later.outputs)[0]?.[2];
    expect(told(later.outputs)[0]?.slice(0, 2)).toEqual(['created', 'successor']);
    expect(successor).not.toBe(on.incidentId('a'));
    expect(told((await handle(on.input(on.joins('next', 42, 'a')))).outputs)[0]?.[2]).toBe(successor);
    const other = scene();
    await handle(other.input(other.opened('a', 0)), other.input(other.over('r', 10, 'a')));
    expect(told((await handle(other.input(other.repeat('new', 40, 'a')))).outputs)[0]).toEqual([
      'reopened',
      'recurrence',
      other.incidentId('a'),
      1,
    ]);
  });
});

describe('the log', () => {
  it('is a chain that verifies from the stored bytes', async () => {
    const on = scene();
    await handle(
      on.input(on.opened('a', 0, { title: 'Straße „gesperrt“ \u{1f6a7}' })),
      on.input(on.repeat('b', 1, 'a')),
      on.input(on.over('c', 2, 'a')),
    );
    const stored = await rows(
      `select e.*, e.version::int as version, e.config_revision::int as config_revision, p.salt, p.body from incident_store.events e
       join incident_store.event_payloads p using (stream_id, version) where e.stream_id = $1 order by e.version`,
      on.incidentId('a'),
    );
    expect(stored).toHaveLength(4);
    let previous = GENESIS_HASH;
    for (const row of stored as unknown as ChainRow[]) {
      const {
        event_id: id,
        workspace_id,
        schema_version,
        actor,
        cause_id,
        cause_ordinal,
        reason,
        config_revision,
        stream_id: stream,
        version,
        type,
      } = row;
      const digest = digestOf(row.salt, row.body);
      const meta = {
        id,
        workspace_id,
        schema_version,
        at: row.at.toISOString(),
        actor,
        cause_id,
        cause_ordinal,
        reason,
        config_revision,
      };
      expect(row.prev_hash).toBe(previous);
      expect(digest).toBe(row.digest);
      previous = hashOf(previous, { stream, version, type, meta, digest });
      expect(row.hash).toBe(previous);
    }
  });

  it('refuses every change, by its owner too, and grants none to the services', async () => {
    const on = scene();
    await handle(on.input(on.opened('a', 0)));
    for (const table of ['events', 'event_payloads']) {
      for (const sql of [
        `update incident_store.${table} set version = version`,
        `delete from incident_store.${table}`,
        `truncate incident_store.${table}`,
      ]) {
        await expect(pools.pipeline.query(sql)).rejects.toMatchObject({ code: '42501' });
        const owner = await pools.pipeline.connect();
        try {
          await owner.query('reset role; set role none');
          await expect(owner.query(sql)).rejects.toMatchObject({ code: '23001' });
        } finally {
          owner.release(true);
        }
      }
    }
  });

  it('shows no row without a workspace and only its own with one', async () => {
    const [mine, theirs] = [scene(), scene()];
    await handle(mine.input(mine.opened('a', 0)));
    await handle(theirs.input(theirs.opened('a', 0)));
    const readable = [
      'events',
      'event_payloads',
      'alert_outcomes',
      'receipts',
      'alert_activity',
      'incidents',
      'incident_alerts',
      'timeline',
    ];
    for (const table of readable) {
      expect((await pools.rest.query(`select from incident_store.${table}`)).rowCount).toBe(0);
      const seen = await withWorkspace(pools.rest, mine.workspaceId, (tx) =>
        tx.query(`select distinct workspace_id from incident_store.${table}`),
      );
      expect(seen.rows).toEqual([{ workspace_id: mine.workspaceId }]);
    }
    for (const table of ['streams', 'key_holders', 'unsequenced', 'successors', 'workspace_numbers'])
      await expect(pools.rest.query(`select from incident_store.${table}`)).rejects.toMatchObject({ code: '42501' });
  });

  it('has row level security forced on every table with a workspace, with a policy for both roles', async () => {
    const tables = await rows(
      `select c.relname, c.relrowsecurity, c.relforcerowsecurity, (select count(*)::int from pg_policies p where p.schemaname = 'incident_store' and p.tablename = c.relname
         and p.roles && '{tocsin_rest, tocsin_pipeline}'::name[]) as policies
       from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'workspace_id' where c.relnamespace = 'incident_store'::regnamespace and c.relkind = 'r'`,
    );
    expect(tables.length).toBeGreaterThan(10);
    for (const table of tables)
      expect(table).toMatchObject({ relrowsecurity: true, relforcerowsecurity: true, policies: 2 });
  });
});
