import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { topics, type IncidentEventRecord } from '@tocsin/contracts';
import type { AppendRecord, EventLog } from '@tocsin/event-log';
import { openJournal } from '@tocsin/event-log/journal';
import { openKafka } from '@tocsin/event-log/kafka';
import { testDatabase, testKafka, uniquePrefix, waitFor } from '@tocsin/testing';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startStore, type RunningStore } from '../spec/store.ts';
import { projectionTables } from './projections.ts';
import { restoreFromTopic } from './restore.ts';

const CLI = fileURLToPath(new URL('../../../cli/src/main.ts', import.meta.url));
let store: RunningStore;
let told: AppendRecord[];
const databases: { url: string; drop(): Promise<void> }[] = [];
const logs: EventLog[] = [];

async function emptyDatabase(): Promise<string> {
  const database = await testDatabase({ migrations: [] });
  databases.push(database);
  return database.url;
}

async function rowsOf(url: string, sql: string): Promise<string[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ line: string }>(`select line from (${sql}) lines order by 1`);
    return rows.map(({ line }) => line);
  } finally {
    await client.end();
  }
}

const projections = projectionTables
  .map(
    ({ name, surrogate, derived }) =>
      `select '${name} ' || (${surrogate.reduce((json, column) => `${json} - '${column}'`, 'to_jsonb(t)')})::text as line from incident_store.${name} t where ${derived}`,
  )
  .join(' union all ');
const state = ['key_holders', 'successors', 'workspace_numbers', 'events', 'event_payloads']
  .map((name) => `select '${name} ' || to_jsonb(t)::text as line from incident_store.${name} t`)
  .join(' union all ');

const tocsin = async (environment: Record<string, string>, ...command: string[]) => {
  const args = ['--conditions=source', '--experimental-transform-types', '--no-warnings', CLI, ...command];
  const env = { ...process.env, TOCSIN_KEY_RING: store.keyRing, ...environment };
  return promisify(execFile)(process.execPath, args, { env }).then(
    ({ stdout }) => ({ code: 0, out: stdout }),
    (error: { code: number; stdout: string; stderr: string }) => ({
      code: error.code,
      out: `${error.stdout}${error.stderr}`,
    }),
  );
};

/** A log with these records of the topic. */
async function logOf(records: readonly AppendRecord[]): Promise<EventLog> {
  const log = await openJournal();
  logs.push(log);
  await log.ensureTopics(topics);
  await log.append(records);
  return log;
}
const restore = (connectionString: string, eventLog: EventLog) =>
  restoreFromTopic({ connectionString, eventLog, group: `restore-${uniquePrefix()}` });
const eventOf = ({ value }: AppendRecord) => (JSON.parse(Buffer.from(value).toString()) as IncidentEventRecord).event;

beforeAll(async () => {
  store = await startStore('restore.int.spec');
  const { scene } = store;
  const ids: string[] = [];
  for (const name of ['first', 'second', 'third', 'fourth']) ids.push(await store.open(name));
  const [first, second, third, fourth] = ids as [string, string, string, string];
  await store.say(scene.record(scene.repeat('again', 1, 'first')), scene.record(scene.joins('beside', 2, 'first')));
  await store.say(scene.record(scene.over('healed', 3, 'second')));
  await waitFor(async () => (await store.call('GET', `incidents/${second}`)).body['status'] === 'resolved');
  await store.call('POST', `incidents/${first}/comments`, { text: 'Grüße – "quoted"\n\t🙂' });
  await store.call('POST', `incidents/${second}/erase`, {});
  const until = new Date(Date.now() + 3_600_000).toISOString();
  await store.call('POST', `incidents/${third}/snooze`, { until });
  await store.call('POST', `incidents/${fourth}/merge`, { into: first });
  await waitFor(async () => (await store.pools.pipeline.query('select from incident_store.outbox')).rowCount === 0);
  const records: AppendRecord[] = [];
  const { partitions } = await store.eventLog.offsets('incident.events');
  const total = partitions.reduce((sum, { first: from, end }) => sum + end - from, 0n);
  const consumer = await store.eventLog.consume(
    { topic: 'incident.events', group: 'restore-spec', mode: 'group' },
    ({ records: batch }) => {
      for (const { key, value, headers } of batch) records.push({ topic: 'incident.events', key, value, headers });
      return Promise.resolve({ kind: 'committed', next: batch.at(-1)!.offset + 1n });
    },
  );
  await waitFor(() => BigInt(records.length) === total, { timeoutMs: 20_000 });
  await consumer.close();
  told = records;
});
afterAll(async () => {
  for (const log of logs) await log.close();
  await store?.close();
  for (const { drop } of databases) await drop();
});

describe('a log made anew from the topic', () => {
  it('is the one that was, with its projections and what follows from it', async () => {
    const url = await emptyDatabase();
    const report = await restore(url, store.eventLog);
    expect(report).toMatchObject({
      equal: true,
      incidents: 4,
      events: told.length,
      repeated: 0,
      incomplete: 0,
      strange: 0,
    });
    expect(await rowsOf(url, projections)).toEqual(await rowsOf(store.databaseUrl, projections));
    expect(await rowsOf(url, state)).toEqual(await rowsOf(store.databaseUrl, state));
    const timers = `select incident_id || ' ' || version || ' ' || due_at as line from incident_store.timers where kind = 'snooze'`;
    expect(await rowsOf(url, timers)).toEqual(await rowsOf(store.databaseUrl, timers));
    const audit = await tocsin({ DATABASE_URL: url }, 'verify-audit');
    expect(audit.out).toContain('everything fits');
    expect(audit.out).toContain('contents were erased');
  });

  it('takes no notice of records that came twice', async () => {
    const url = await emptyDatabase();
    const report = await restore(url, await logOf([...told, ...told]));
    expect(report).toMatchObject({ equal: true, events: told.length, repeated: told.length });
    expect(await rowsOf(url, projections)).toEqual(await rowsOf(store.databaseUrl, projections));
  });

  it('leaves out incidents whose beginning the topic has no more', async () => {
    const gone = eventOf(told[0]!).stream;
    const url = await emptyDatabase();
    const rest = told.filter((record) => eventOf(record).stream !== gone || eventOf(record).version > 1);
    expect(rest.length).toBeLessThan(told.length);
    expect(await restore(url, await logOf(rest))).toMatchObject({ equal: true, incidents: 3, incomplete: 1 });
  });

  it('is not written over incidents that are there', async () => {
    await expect(restore(store.databaseUrl, store.eventLog)).rejects.toThrow('holds incidents');
  });

  it.each<[string, (event: IncidentEventRecord['event']) => void, string]>([
    ['content', (event) => Object.assign(event.data, { forged: true }), 'is not what its digest says'],
    ['actor', (event) => Object.assign(event.actor, { name: 'somebody else' }), 'is not what its hash says'],
    ['salt', (event) => delete event.salt, 'was published without its salt'],
  ])('is refused where an event has another %s', async (_name, forge, wanted) => {
    const records = told.map((record, index) => {
      if (index !== 1) return record;
      const value = JSON.parse(Buffer.from(record.value).toString()) as IncidentEventRecord;
      forge(value.event);
      return { ...record, value: Buffer.from(JSON.stringify(value)) };
    });
    await expect(restore(await emptyDatabase(), await logOf(records))).rejects.toThrow(wanted);
  });

  it('comes from Kafka as well, by the command', async () => {
    const { brokers } = await testKafka();
    const prefix = `${uniquePrefix()}.`;
    const kafka = await openKafka({ brokers, clientId: 'restore-spec', prefix });
    logs.push(kafka);
    await kafka.ensureTopics({ 'incident.events': topics['incident.events'] });
    await kafka.append(told);
    const url = await emptyDatabase();
    const environment = { DATABASE_URL: url, KAFKA_BROKERS: brokers.join(','), TOPIC_PREFIX: prefix };
    const done = await tocsin(environment, 'rebuild', '--from-topic', '--json');
    expect(done.code, done.out).toBe(0);
    expect(JSON.parse(done.out)).toMatchObject({ equal: true, incidents: 4, incomplete: 0 });
    expect(await rowsOf(url, projections)).toEqual(await rowsOf(store.databaseUrl, projections));
    expect(await tocsin(environment, 'rebuild', '--from-topic')).toMatchObject({ code: 1 });
    expect(await tocsin(environment, 'rebuild', '--from-topic', '--check')).toMatchObject({ code: 2 });
  });
});
