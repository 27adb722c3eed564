import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { mintId } from '@tocsin/contracts';
import { waitFor } from '@tocsin/testing';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Scene } from '../correlated-builders.ts';
import { startStore, type RunningStore } from '../spec/store.ts';
import { projectionTables, stateTables } from './projections.ts';
import { rebuild as rebuildHere, type RebuildReport } from './rebuild.ts';

const CLI = fileURLToPath(new URL('../../../cli/src/main.ts', import.meta.url));
let store: RunningStore;
let owner: Client;
let first: string;
let other: Scene;

const start = (...args: string[]): ChildProcess =>
  spawn(
    process.execPath,
    ['--conditions=source', '--experimental-transform-types', '--no-warnings', CLI, 'rebuild', ...args],
    { env: { ...process.env, DATABASE_URL: store.databaseUrl }, stdio: ['ignore', 'pipe', 'pipe'] },
  );

/** The command as an operator runs it. */
async function rebuild(...args: string[]): Promise<{ code: number; report: RebuildReport; err: string }> {
  const child = start('--json', ...args);
  const [out, err, [code]] = await Promise.all([text(child.stdout!), text(child.stderr!), once(child, 'exit')]);
  return { code: code as number, report: (out ? JSON.parse(out) : undefined) as RebuildReport, err };
}

const SURROGATE: Record<string, string> = { incident_alerts: " - 'position'", timeline: " - 'position'" };

/** All rows of the projections as text, sorted, without their places. */
async function everything(): Promise<string[]> {
  const lines = projectionTables.map(
    ({ name }) =>
      `select '${name} ' || (to_jsonb(t)${SURROGATE[name] ?? ''})::text as line from incident_store.${name} t`,
  );
  const { rows } = await owner.query<{ line: string }>(`${lines.join(' union all ')} order by 1`);
  return rows.map(({ line }) => line);
}

const story = async (id: string): Promise<unknown[]> =>
  (await store.call('GET', `incidents/${id}/timeline?limit=200`)).body.items.map(({ kind, type }) => [kind, type]);

beforeAll(async () => {
  store = await startStore('rebuild.int.spec');
  owner = new Client({ connectionString: store.databaseUrl });
  await owner.connect();
  const { scene } = store;
  other = new Scene(mintId('ws', randomBytes(16)), mintId('whk', randomBytes(16)), Date.now() - 3_600_000);
  first = await store.open('first');
  await store.say(scene.record(scene.repeat('again', 1, 'first')), scene.record(scene.joins('beside', 2, 'first')));
  await store.call('POST', `incidents/${first}/comments`, { text: 'Grüße – "quoted"\n\t🙂' });
  await store.call('PATCH', `incidents/${first}`, { title: 'Named anew', tags: ['b', 'a'], priority: 'P2' });
  await store.open('second');
  await store.say(scene.record(scene.over('healed', 3, 'second')));
  await store.call('POST', `incidents/${await store.open('third')}/snooze`, {
    until: new Date(Date.now() + 3_600_000).toISOString(),
  });
  await store.say(...Array.from({ length: 40 }, (_, n) => other.record(other.opened(`other-${n}`, n))));
  await waitFor(
    async () =>
      (await owner.query('select from incident_store.streams where workspace_id = $1', [other.workspaceId]))
        .rowCount === 40,
    { timeoutMs: 20_000 },
  );
  // A fact that is no event, between two events.
  await owner.query(
    `insert into incident_store.timeline (workspace_id, incident_id, fact_id, at, entry)
     values ($1, $2, 'dlv_x.1', (select max(at) from incident_store.timeline where incident_id = $2), $3)`,
    [
      ...[scene.workspaceId, first],
      {
        id: 'dlv_x.1',
        type: 'delivery.delivered',
        subscription_id: 'sub_x',
        subscription_name: 'x',
        event_id: 'evt_x',
        detail: null,
      },
    ],
  );
  await store.call('POST', `incidents/${first}/acknowledge`, {});
});
afterAll(async () => {
  await owner?.end();
  await store?.close();
});

describe('tocsin rebuild', () => {
  it('finds every row equal where nobody has touched one', async () => {
    const before = await everything();
    const { code, report } = await rebuild();
    expect(report).toMatchObject({ equal: true, differed: 0, replaced: 0, resumed: false });
    expect(report.live_hash).toBe(report.rebuilt_hash);
    expect(report.live_hash).toMatch(/^[0-9a-f]{64}$/);
    const { rows } = await owner.query<{ events: number }>('select count(*)::int as events from incident_store.events');
    expect(report).toMatchObject({
      incidents: 43,
      events: rows[0]!.events,
      rows: { incidents: 43, incident_alerts: 44 },
    });
    expect(code).toBe(0);
    expect(await everything()).toEqual(before);
  });

  it('leaves nothing behind', async () => {
    const { rows } = await owner.query(`select to_regnamespace('incident_store_rebuild') as left`);
    expect(rows).toEqual([{ left: null }]);
  });

  it.each([
    ['a changed title', `update incident_store.incidents set title = 'other' where incident_id = $1`, 1],
    ['a changed document', `update incident_store.incidents set document = '{}' where incident_id = $1`, 1],
    ['a lost incident', `delete from incident_store.incidents where incident_id = $1`, 1],
    ['a lost alert', `delete from incident_store.incident_alerts where incident_id = $1`, 1],
    [
      'a wrong count',
      `update incident_store.incident_alerts set occurrences = occurrences + 1 where incident_id = $1`,
      1,
    ],
    [
      'an alert of another incident',
      `update incident_store.incident_alerts set incident_id = $1 where incident_id = (select min(incident_id) from incident_store.incidents where incident_id <> $1)`,
      2,
    ],
    ['a story without its beginning', `delete from incident_store.timeline where incident_id = $1 and version = 1`, 1],
    [
      'an incident that no event tells of',
      `insert into incident_store.incidents select 'inc_' || repeat('z', 26), workspace_id, 999, status, severity, title, description, services, tags, source,
         webhook_id, created_at, updated_at, version, document from incident_store.incidents where incident_id = $1`,
      1,
    ],
  ])('finds %s, and puts it right', async (_name, sql, differed) => {
    const [before, told] = [await everything(), await story(first)];
    await owner.query(sql, [first]);
    const checked = await rebuildHere({ connectionString: store.databaseUrl, checkOnly: true });
    expect(checked).toMatchObject({ equal: false, differed, replaced: 0 });
    expect(checked.live_hash).not.toBe(checked.rebuilt_hash);
    const done = await rebuildHere({ connectionString: store.databaseUrl });
    expect(done).toMatchObject({ equal: true, differed, replaced: differed });
    expect(done.rebuilt_hash).toBe(checked.rebuilt_hash);
    expect(await everything()).toEqual(before);
    expect(await story(first)).toEqual(told);
  });

  it('makes dropped projections anew, and writers go on with them', async () => {
    const before = await everything();
    await owner.query('truncate incident_store.incidents, incident_store.incident_alerts');
    await owner.query('delete from incident_store.timeline where entry is null');
    expect((await store.call('GET', `incidents/${first}`)).status).toBe(404);
    expect(await rebuild()).toMatchObject({ code: 0, report: { equal: true, differed: 43, replaced: 43 } });
    expect(await everything()).toEqual(before);
    expect((await store.call('POST', `incidents/${first}/comments`, { text: 'back again' })).status).toBe(201);
    expect(await rebuild('--check')).toMatchObject({ code: 0, report: { equal: true } });
  });

  it('touches one workspace only where one is named', async () => {
    const { rows } = await owner.query<{ incident_id: string }>(
      'select min(incident_id) as incident_id from incident_store.incidents where workspace_id = $1',
      [other.workspaceId],
    );
    const theirs = rows[0]!.incident_id;
    await owner.query(`update incident_store.incidents set title = 'wrong' where incident_id = any($1)`, [
      [first, theirs],
    ]);
    const { report } = await rebuild('--workspace', store.scene.workspaceId);
    expect(report).toMatchObject({ equal: true, replaced: 1, shown: [first], rows: { incidents: 3 } });
    expect(await rebuild('--check', '--workspace', other.workspaceId)).toMatchObject({
      code: 1,
      report: { shown: [theirs] },
    });
    expect(await rebuild()).toMatchObject({ report: { equal: true, replaced: 1 } });
  });

  it('refuses what is no workspace', async () => {
    expect((await rebuild('--workspace', 'x')).code).toBe(2);
  });

  it('waits for nobody: another one at the same time is refused', async () => {
    await owner.query(`select pg_advisory_lock(hashtextextended('tocsin.rebuild', 0))`);
    const refused = await rebuild();
    await owner.query(`select pg_advisory_unlock(hashtextextended('tocsin.rebuild', 0))`);
    expect(refused).toMatchObject({ code: 1 });
    expect(refused.err).toContain('another rebuild of this database runs');
  });
});

describe('tocsin rebuild, killed', () => {
  const KILLS = 10;
  const INCIDENTS = 3_000;

  const compared = async (): Promise<number> => {
    const { rows } = await owner.query<{ there: boolean }>(
      `select to_regclass('incident_store_rebuild.compared') is not null as there`,
    );
    if (!rows[0]!.there) return -1;
    const { rows: counted } = await owner
      .query<{ n: number }>('select count(*)::int as n from incident_store_rebuild.compared')
      .catch(() => ({ rows: [{ n: -1 }] }));
    return counted[0]!.n;
  };

  it(`is gone on with after ${KILLS} kills while commands are written, and ends with equal rows`, async () => {
    const { scene } = store;
    await store.say(...Array.from({ length: INCIDENTS }, (_, n) => scene.record(scene.opened(`many-${n}`, n % 50))));
    await waitFor(async () => (await owner.query('select from incident_store.streams')).rowCount! >= INCIDENTS + 43, {
      timeoutMs: 60_000,
    });
    await owner.query(`update incident_store.incidents set title = 'wrong' where number % 7 = 0`);
    let writing = true;
    let written = 0;
    const writer = (async () => {
      for (let n = 0; writing; n++) {
        const id = scene.incidentId(`many-${(n * 37) % INCIDENTS}`);
        await store.say(
          scene.record(scene.opened(`new-${n}`, 60)),
          scene.record(scene.joins(`late-${n}`, 61, 'first')),
        );
        if ((await store.call('POST', `incidents/${id}/comments`, { text: `comment ${n}` })).status === 201) written++;
      }
    })();
    let kills = 0;
    for (let attempt = 0; kills < KILLS && attempt < 60; attempt++) {
      const child = start();
      const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
      // Each kill a little later in the work than the one before.
      const after = Math.floor((kills * INCIDENTS) / KILLS);
      let done = false;
      void ended.then(() => (done = true));
      await waitFor(async () => done || (await compared()) >= after, { timeoutMs: 60_000 });
      child.kill('SIGKILL');
      const [, signal] = await ended;
      if (signal === 'SIGKILL') kills++;
    }
    expect(kills).toBe(KILLS);
    const last = await rebuild();
    writing = false;
    await writer;
    expect(last).toMatchObject({ code: 0, report: { equal: true, resumed: true } });
    expect(written).toBeGreaterThan(KILLS);
    await store.sequenced();
    const checked = await rebuild('--check');
    expect(checked).toMatchObject({ code: 0, report: { equal: true, differed: 0 } });
    expect(checked.report.rows['incidents']).toBeGreaterThan(INCIDENTS + 43);
  }, 300_000);
});

describe('what a rebuild covers', () => {
  it('is every table of the schema that is not state', async () => {
    const { rows } = await owner.query<{ relname: string }>(
      `select relname from pg_class where relnamespace = 'incident_store'::regnamespace and relkind in ('r', 'p')`,
    );
    expect(rows.map(({ relname }) => relname).sort()).toEqual(
      [...projectionTables.map(({ name }) => name), ...stateTables].sort(),
    );
  });

  it('is every event version that was ever stored', async () => {
    const folder = new URL('../../../../libs/domain/src/incident/stored-samples/', import.meta.url);
    const samples = readdirSync(folder).map(
      (file) => JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Record<string, unknown> & { type: string },
    );
    const opened = samples.find(({ type }) => type === 'IncidentOpened')!;
    const stream = mintId('inc', randomBytes(16));
    const history = [opened, ...samples.filter((sample) => sample !== opened)];
    const workspace = mintId('ws', randomBytes(16));
    Object.assign(opened['data'] as object, { workspace_id: workspace });
    for (const [index, one] of history.entries()) {
      const row = { stream, version: index + 1, ...one };
      await owner.query(
        `with e as (select * from json_to_record($1) as e (stream text, version bigint, type text, schema_version int, at timestamptz, actor jsonb,
             cause_id text, reason text, config_revision bigint, data json)), log as (
           insert into incident_store.events select stream, version, 'evt_' || version, $2, type, schema_version, at, actor, 'cause' || version, 0,
             reason, config_revision, 'd', 'p', 'h' from e)
         insert into incident_store.event_payloads (stream_id, version, workspace_id, salt, body)
         select stream, version, $2, decode(repeat('00', 16), 'hex'), convert_to(data::text, 'UTF8') from e`,
        [JSON.stringify(row), workspace],
      );
    }
    await owner.query(`insert into incident_store.streams values ($1, $2, $2, $3, 'h', 0, '{}', now())`, [
      stream,
      workspace,
      history.length,
    ]);
    expect(await rebuild('--workspace', workspace)).toMatchObject({
      ...{ code: 0, report: { equal: true, replaced: 1, rows: { incidents: 1, timeline: history.length } } },
    });
    const { rows } = await owner.query<{ version: string }>(
      'select version from incident_store.incidents where incident_id = $1',
      [stream],
    );
    expect(rows).toEqual([{ version: String(history.length) }]);
  });

  it('is refused where a newer release wrote the log, and nothing is changed', async () => {
    const before = await everything();
    await owner.query('begin');
    await owner.query('set local session_replication_role = replica');
    await owner.query('update incident_store.events set schema_version = 9 where stream_id = $1 and version = 1', [
      first,
    ]);
    await owner.query('commit');
    const { code, err } = await rebuild();
    expect(code).toBe(1);
    expect(err).toContain('knows IncidentOpened up to version 1; the log has version 9');
    expect(await everything()).toEqual(before);
    await owner.query('begin');
    await owner.query('set local session_replication_role = replica');
    await owner.query('update incident_store.events set schema_version = 1 where stream_id = $1 and version = 1', [
      first,
    ]);
    await owner.query('commit');
  });
});
