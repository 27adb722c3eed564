import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startStore, type RunningStore } from './spec/store.ts';

const CLI = fileURLToPath(new URL('../../cli/src/main.ts', import.meta.url));
const TABLES = [
  'events',
  'event_payloads',
  'commit_order',
  'audit_checkpoints',
  'streams',
  'commit_head',
  'unsequenced',
];

let store: RunningStore;
let owner: Client;
let incident: string;

/** The command itself, as an operator runs it. */
async function verifyAudit(environment: Record<string, string> = {}): Promise<{ code: number; out: string }> {
  const args = ['--conditions=source', '--experimental-transform-types', '--no-warnings', CLI, 'verify-audit'];
  const env = { ...process.env, DATABASE_URL: store.databaseUrl, TOCSIN_KEY_RING: store.keyRing, ...environment };
  try {
    const { stdout } = await promisify(execFile)(process.execPath, args, { env });
    return { code: 0, out: stdout };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, out: `${stdout}${stderr}` };
  }
}

/** What somebody with all rights on the database can do: triggers do not stop him. */
async function tamper(...statements: string[]): Promise<void> {
  await owner.query('begin');
  await owner.query(`set local session_replication_role = replica`);
  for (const sql of statements) await owner.query(sql);
  await owner.query('commit');
}

beforeAll(async () => {
  store = await startStore('audit.int.spec');
  incident = await store.open('audited');
  for (const text of ['one', 'two', 'three', 'four'])
    await store.call('POST', `incidents/${incident}/comments`, { text });
  await store.open('another');
  await store.sequenced();
  owner = new Client({ connectionString: store.databaseUrl });
  await owner.connect();
  // The last comment and the other incident lie behind the first checkpoint; one over everything makes a cut tail visible.
  await owner.query('create schema kept');
  for (const table of TABLES) await owner.query(`create table kept.${table} as table incident_store.${table}`);
});
afterAll(async () => {
  await owner?.end();
  await store?.close();
});

const event = (version: number): string => `stream_id = '${incident}' and version = ${version}`;

describe('tocsin verify-audit', () => {
  it('finds nothing in a log that nobody has touched', async () => {
    const { code, out } = await verifyAudit();
    expect(out).toMatch(/^6 events, 6 places in the order, \d+ checkpoints: everything fits\n$/);
    expect(code).toBe(0);
  });

  it('says which checkpoints it cannot verify without their key', async () => {
    const other = `other:${Buffer.alloc(32, 1).toString('base64')}`;
    expect((await verifyAudit({ TOCSIN_KEY_RING: other })).out).toContain('signed with a key that is not here');
  });

  it.each<[string, string[] | (() => string[]), string]>([
    ['an edit', () => [`update incident_store.events set reason = 'other' where ${event(3)}`], 'event-changed'],
    [
      'another actor',
      () => [`update incident_store.events set actor = '{"kind":"system","id":null,"name":null}' where ${event(2)}`],
      'event-changed',
    ],
    [
      'a deletion',
      () => [
        `delete from incident_store.events where ${event(3)}`,
        `delete from incident_store.event_payloads where ${event(3)}`,
      ],
      'event-missing',
    ],
    [
      'an insertion',
      () => [
        `insert into incident_store.events select stream_id, 6, event_id || 'x', workspace_id, type, schema_version, at, actor, cause_id || 'x',
           cause_ordinal, reason, config_revision, digest, prev_hash, hash from incident_store.events where ${event(5)}`,
      ],
      'chain-broken',
    ],
    [
      'a new order of events',
      () => [
        `update incident_store.events set version = 100 where ${event(3)}`,
        `update incident_store.events set version = 3 where ${event(4)}`,
        `update incident_store.events set version = 4 where ${event(100)}`,
      ],
      'event-changed',
    ],
    [
      'a new order over the streams',
      [
        `update incident_store.commit_order set position = 100 where position = 2`,
        `update incident_store.commit_order set position = 2 where position = 3`,
        `update incident_store.commit_order set position = 3 where position = 100`,
      ],
      'order-changed',
    ],
    [
      'a tail that was cut with everything that points to it',
      () => [
        `delete from incident_store.events where ${event(5)}`,
        `delete from incident_store.event_payloads where ${event(5)}`,
        `delete from incident_store.commit_order where ${event(5)}`,
        `update incident_store.streams s set version = 4, last_hash = e.hash from incident_store.events e
          where s.stream_id = e.stream_id and e.version = 4 and s.stream_id = '${incident}'`,
      ],
      'order-gap',
    ],
    [
      'contents that were swapped',
      () => [
        `update incident_store.event_payloads set version = 100 where ${event(2)}`,
        `update incident_store.event_payloads set version = 2 where ${event(3)}`,
        `update incident_store.event_payloads set version = 3 where ${event(100)}`,
      ],
      'payload-changed',
    ],
    [
      'a content that is gone',
      () => [`delete from incident_store.event_payloads where ${event(4)}`],
      'payload-missing',
    ],
    [
      'a forged checkpoint',
      [
        `update incident_store.audit_checkpoints set chain = repeat('a', 64) where position = (select min(position) from incident_store.audit_checkpoints)`,
      ],
      'checkpoint-not-authentic',
    ],
    [
      'an order that ends before its last checkpoint',
      [
        `insert into incident_store.audit_checkpoints select 1000, chain, at, key_id, signature from incident_store.audit_checkpoints limit 1`,
      ],
      'its tail was cut',
    ],
  ])('finds %s', async (_name, statements, wanted) => {
    await tamper(...(typeof statements === 'function' ? statements() : statements));
    const { code, out } = await verifyAudit();
    await tamper(
      ...TABLES.flatMap((table) => [
        `delete from incident_store.${table}`,
        `insert into incident_store.${table} overriding system value select * from kept.${table}`,
      ]),
    );
    expect(out).toContain(wanted);
    expect(code).toBe(1);
  });

  it('finds nothing again once everything is back', async () => {
    expect((await verifyAudit()).out).toContain('everything fits');
  });
});
