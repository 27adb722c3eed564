import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { decodeRecord, type IncidentEventRecord, type ReceiptsErased } from '@tocsin/contracts';
import { waitFor } from '@tocsin/testing';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rebuild } from '../rebuild/index.ts';
import { startStore, type RunningStore } from '../spec/store.ts';

const CLI = fileURLToPath(new URL('../../../cli/src/main.ts', import.meta.url));
let store: RunningStore;
let owner: Client;
let incident: string;

async function tocsin(...command: string[]): Promise<{ code: number; out: string }> {
  const args = ['--conditions=source', '--experimental-transform-types', '--no-warnings', CLI, ...command];
  const env = {
    ...{ ...process.env, DATABASE_URL: store.databaseUrl, TOCSIN_KEY_RING: store.keyRing },
    ...{ TOCSIN_URL: store.url, TOCSIN_API_KEY: store.apiKey },
  };
  try {
    const { stdout } = await promisify(execFile)(process.execPath, args, { env });
    return { code: 0, out: stdout };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, out: `${stdout}${stderr}` };
  }
}

/** Tables of the service in which a text still stands, as text or as bytes. */
async function holding(text: string): Promise<string[]> {
  const tables = await owner.query<{ name: string }>(
    `select relname as name from pg_class where relnamespace = 'incident_store'::regnamespace and relkind = 'r' order by relname`,
  );
  const found: string[] = [];
  for (const { name } of tables.rows) {
    const { rows } = await owner.query<{ n: number }>(
      `select count(*)::int as n from incident_store.${name} t where t::text ilike $1 or t::text ilike $2`,
      [`%${text}%`, `%${Buffer.from(text).toString('hex')}%`],
    );
    if (rows[0]!.n > 0) found.push(name);
  }
  return found;
}

async function tamper(...statements: string[]): Promise<void> {
  await owner.query('begin');
  await owner.query(`set local session_replication_role = replica`);
  for (const sql of statements) await owner.query(sql);
  await owner.query('commit');
}

const texts = async (id: string): Promise<unknown[]> =>
  (await store.call('GET', `incidents/${id}/timeline?limit=100`)).body.items.map(({ type, data }) => [type, data]);

beforeAll(async () => {
  store = await startStore('erase.int.spec');
  owner = new Client({ connectionString: store.databaseUrl });
  await owner.connect();
  const { scene } = store;
  const jane = {
    ...{
      title: 'Jane Roe cannot log in',
      description: 'Jane Roe, jane@example.org',
      services: ['jane-desk'],
      tags: ['who:Jane'],
    },
    ...{
      source: 'Jane',
      url: 'https://people.example.org/jane',
      customFields: { who: 'Jane Roe' },
      key: 'jane@example.org',
    },
  };
  await store.say(scene.record(scene.opened('first', 0, jane)));
  incident = scene.incidentId('first');
  await waitFor(async () => (await store.call('GET', `incidents/${incident}`)).status === 200, { timeoutMs: 20_000 });
  await store.say(scene.record(scene.repeat('second', 1, 'first', jane)));
  await store.call('POST', `incidents/${incident}/comments`, { text: 'Called Jane at noon' });
  await store.call('POST', `incidents/${incident}/assign`, { assignee: 'jane@example.org' });
  await store.call('PATCH', `incidents/${incident}`, { title: 'Login of Jane', description: 'Jane again' });
  await store.open('other');
  await waitFor(async () => (await store.call('GET', `incidents/${incident}`)).body['webhook_occurrence_count'] === 2, {
    timeoutMs: 20_000,
  });
});
afterAll(async () => {
  await owner?.end();
  await store?.close();
});

describe('POST incidents/{id}/erase', () => {
  it('takes a comment of an open incident, and no more of it', async () => {
    const timeline = (await store.call('GET', `incidents/${incident}/timeline`)).body.items;
    const comment = timeline.find(({ type }) => type === 'CommentAdded')!['version'] as number;
    const answer = await store.call('POST', `incidents/${incident}/erase`, { versions: [comment] });
    expect(answer).toMatchObject({ status: 200, body: { erased_versions: [comment], title: 'Login of Jane' } });
    const told = await texts(incident);
    expect(told).toContainEqual(['CommentAdded', { text: '[erased]' }]);
    expect(JSON.stringify(told)).not.toContain('noon');
    expect(JSON.stringify(told)).toContain('Jane Roe cannot log in');
  });

  it('is refused while the incident is open, for another workspace, and for events that are not there', async () => {
    expect(await store.call('POST', `incidents/${incident}/erase`, {})).toMatchObject({
      ...{ status: 409, body: { code: 'wrong-state', current_status: 'open' } },
    });
    expect((await store.call('POST', `incidents/inc_${'a'.repeat(26)}/erase`, {})).status).toBe(404);
    expect(await store.call('POST', `incidents/${incident}/erase`, { versions: [99] })).toMatchObject({
      ...{ status: 422, body: { errors: [{ path: 'versions', code: 'no-such-version' }] } },
    });
    expect((await store.call('POST', `incidents/${incident}/erase`, { versions: [] })).status).toBe(422);
  });

  it('leaves no text of it in any table, and the chain whole', async () => {
    await store.call('POST', `incidents/${incident}/resolve`, { note: 'Jane is happy' });
    expect(await holding('jane')).toEqual(
      expect.arrayContaining(['event_payloads', 'incidents', 'incident_alerts', 'streams']),
    );
    const answer = await store.call('POST', `incidents/${incident}/erase`, { note: 'request 4711' });
    expect(answer).toMatchObject({
      ...{
        status: 200,
        body: { status: 'resolved', title: '[erased]', description: '[erased]', tags: [], assignee: null, url: null },
      },
    });
    await waitFor(async () => (await owner.query('select from incident_store.outbox')).rowCount === 0, {
      timeoutMs: 20_000,
    });
    // Keys of open alerts are needed no more.
    expect(await holding('jane')).toEqual([]);
    expect((await store.call('GET', `incidents?text=jane`)).body.items).toEqual([]);
    expect(JSON.stringify((await store.call('GET', `incidents/${incident}/alerts`)).body).toLowerCase()).not.toContain(
      'jane',
    );
    expect((await store.call('GET', `incidents/${incident}/audit`)).body).toMatchObject({ intact: true, findings: [] });
    await store.sequenced();
    const { code, out } = await tocsin('verify-audit');
    expect(out).toContain('everything fits');
    expect(out).toMatch(
      new RegExp(
        `contents were erased:\\n  ${incident} version \\d: by installer, .*\\n  ${incident} versions 1, [\\d, ]+: by installer`,
      ),
    );
    expect(code).toBe(0);
  });

  it('tells who it was, and what changed, to whoever listens', async () => {
    const records: IncidentEventRecord[] = [];
    const erased: ReceiptsErased[] = [];
    const consumers = await Promise.all(
      (['incident.events', 'webhook.outcomes'] as const).map((topic) =>
        store.eventLog.consume({ topic, group: 'erase-spec', mode: 'group' }, ({ records: batch }) => {
          for (const { value, headers } of batch) {
            if (headers['type'] === 'incident.event.v1') records.push(decodeRecord('incident.event.v1', value));
            if (headers['type'] === 'receipts.erased.v1') erased.push(decodeRecord('receipts.erased.v1', value));
          }
          return Promise.resolve({ kind: 'committed', next: batch.at(-1)!.offset + 1n });
        }),
      ),
    );
    const last = await waitFor(() => records.filter(({ event }) => event.type === 'PayloadErased')[1], {
      timeoutMs: 20_000,
    });
    expect(last).toMatchObject({
      ...{
        outbound_name: 'incident.updated',
        event: { actor: { kind: 'api-key', name: 'installer' }, data: { note: 'request 4711' } },
      },
      incident: { title: '[erased]' },
    });
    expect(last.changed).toEqual(expect.arrayContaining(['title', 'description', 'tags', 'assignee']));
    const receipts = await waitFor(() =>
      erased.length > 0 ? erased.flatMap(({ receiptIds }) => receiptIds) : undefined,
    );
    expect(receipts).toEqual(expect.arrayContaining([store.scene.receiptId('first'), store.scene.receiptId('second')]));
    await Promise.all(consumers.map((consumer) => consumer.close()));
  });

  it('does nothing twice, and the incident goes on', async () => {
    const before = await store.call('GET', `incidents/${incident}`);
    expect(await store.call('POST', `incidents/${incident}/erase`, {})).toMatchObject({
      ...{ status: 200, body: { erased_versions: [], version: before.body['version'] } },
    });
    expect((await store.call('POST', `incidents/${incident}/reopen`, {})).status).toBe(200);
    await store.call('POST', `incidents/${incident}/comments`, { text: 'Jane called' });
    await store.call('POST', `incidents/${incident}/resolve`, {});
    const out = await tocsin('erase', incident, '--note', 'request 4712');
    expect(out).toMatchObject({
      code: 0,
      out: expect.stringMatching(/erased the content of versions \d+, \d+, \d+\n/) as string,
    });
    expect((await tocsin('erase', incident)).out).toContain('nothing left to erase');
    await waitFor(async () => (await owner.query('select from incident_store.outbox')).rowCount === 0, {
      timeoutMs: 20_000,
    });
    expect(await holding('jane')).toEqual([]);
  });

  it('leaves projections that are what the events say', async () => {
    expect(await rebuild({ connectionString: store.databaseUrl, checkOnly: true })).toMatchObject({ equal: true });
  });

  it('is refused on the command line as everywhere', async () => {
    expect((await tocsin('erase', 'inc_x')).code).toBe(2);
    expect((await tocsin('erase', incident, '--version', '0')).code).toBe(2);
    expect((await tocsin('erase', `inc_${'b'.repeat(26)}`)).out).toContain('not-found');
  });

  it.each<[string, () => string[], string]>([
    [
      'something else in the place of an erased content',
      () => [`update incident_store.event_payloads set body = '{}' where stream_id = '${incident}' and version = 1`],
      'erasure-not-authentic',
    ],
    [
      'an erased content that came back',
      () => [
        `update incident_store.event_payloads set erased_by = null where stream_id = '${incident}' and version = 1`,
      ],
      'payload-changed',
    ],
    [
      'a content that nobody erased',
      () => [
        `update incident_store.event_payloads set erased_by = 2, body = '{}' where version = 1
           and stream_id = (select stream_id from incident_store.streams where stream_id <> '${incident}' limit 1)`,
      ],
      'erasure-not-authentic',
    ],
  ])('finds %s', async (_name, statements, wanted) => {
    await owner.query('create table public.kept as table incident_store.event_payloads');
    await tamper(...statements());
    const { code, out } = await tocsin('verify-audit');
    await tamper(
      'delete from incident_store.event_payloads',
      'insert into incident_store.event_payloads select * from public.kept',
    );
    await owner.query('drop table public.kept');
    expect(out).toContain(wanted);
    expect(code).toBe(1);
  });
});

describe('the log of incidents', () => {
  const LOG = ['events', 'event_payloads', 'commit_order', 'audit_checkpoints'];
  const CHANGES = ['update %s set workspace_id = workspace_id', 'delete from %s', 'truncate %s'];

  it.each(['tocsin_pipeline', 'tocsin_rest', undefined])('takes no change of role %s', async (role) => {
    await owner.query(`select set_config('tocsin.workspace_id', $1, false)`, [store.scene.workspaceId]);
    for (const table of LOG)
      for (const change of CHANGES) {
        const sql = change
          .replace('%s', `incident_store.${table}`)
          .replace(
            'workspace_id = workspace_id',
            table === 'audit_checkpoints' ? 'at = at' : 'workspace_id = workspace_id',
          );
        await owner.query('begin');
        if (role !== undefined) await owner.query(`set local role ${role}`);
        const refused = await owner.query(sql).then(
          () => 'allowed',
          (error: { code: string }) => error.code,
        );
        await owner.query('rollback');
        // insufficient_privilege of the role, or the trigger's own word to whoever owns the table.
        expect([sql, refused]).toEqual([sql, role === undefined ? '23001' : '42501']);
      }
  });

  it('gives no role more than insert and select', async () => {
    const { rows } = await owner.query<{ privilege: string }>(
      `select distinct grantee || ' ' || privilege_type as privilege from information_schema.role_table_grants
        where table_schema = 'incident_store' and table_name = any($1) and grantee like 'tocsin\\_%' order by 1`,
      [['events', 'event_payloads']],
    );
    expect(rows.map(({ privilege }) => privilege)).toEqual([
      ...['tocsin_pipeline INSERT', 'tocsin_pipeline SELECT', 'tocsin_rest SELECT'],
    ]);
  });

  it('is erased by nobody whom an event does not name', async () => {
    const erase = async (role: string, eraser: number): Promise<string> => {
      await owner.query('begin');
      await owner.query(`set local role ${role}`);
      const replacement = JSON.stringify([{ version: 1, salt: '00'.repeat(16), body: '{}' }]);
      const code = await owner
        .query('select incident_store.erase_payloads($1, $2, $3)', [
          store.scene.incidentId('other'),
          eraser,
          replacement,
        ])
        .then(
          () => 'allowed',
          (error: { code: string }) => error.code,
        );
      await owner.query('rollback');
      return code;
    };
    expect(await erase('tocsin_rest', 2)).toBe('42501');
    expect(await erase('tocsin_pipeline', 1)).toBe('23001');
    expect(await erase('tocsin_pipeline', 2)).toBe('23001');
  });
});
