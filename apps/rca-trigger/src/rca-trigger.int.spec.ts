import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ApiKeyBody,
  type ChangeEvent,
  decodeRecord,
  encodeRecord,
  eventIdOf,
  mintId,
  type PublicIncident,
  type RcaEvent,
  type Scope,
} from '@tocsin/contracts';
import { openJournal } from '@tocsin/event-log/journal';
import {
  loadConfig,
  type Platform,
  type RunningApplication,
  ShellEnvironment,
  startApplication,
  startPlatform,
} from '@tocsin/nest-shell';
import { testDatabase, waitFor } from '@tocsin/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rcaTrigger } from './index.ts';

const id = <P extends string>(prefix: P) => mintId(prefix, randomBytes(16));
const WS = id('ws');
const OTHER_WS = id('ws');
const CAPPED_WS = id('ws');
const webhooks = { normal: id('whk'), off: id('whk'), highOnly: id('whk') };
const secret = 's'.repeat(52);
const keyIds = { admin: 'adminkey', reader: 'readerkey', sender: 'senderkey', other: 'otherkey', capped: 'cappedkey' };

let database: Awaited<ReturnType<typeof testDatabase>>;
let directory: string;
let platform: Platform;
let application: RunningApplication;
const said: {
  rca: RcaEvent[];
  changes: { change: ChangeEvent; headers: Record<string, string> }[];
  rcaHeaders: Record<string, string>[];
} = { rca: [], changes: [], rcaHeaders: [] };

/** Writes what the control-plane would have published. */
async function publish(kind: string, docId: string, workspaceId: string, body: unknown): Promise<void> {
  await platform.pools.pipeline.query(
    `with head as (update control_plane.feed_head set feed_id = 'feed_spec', revision = revision + 1 returning revision)
     insert into control_plane.configuration_documents select revision, $1, $2, $3, false, $4, now() from head`,
    [kind, docId, workspaceId, JSON.stringify(body)],
  );
}

beforeAll(async () => {
  // The one cross-schema read: the feed's own tables, without the control-plane's code.
  const controlPlane = new URL('../../control-plane/src/migrations/', import.meta.url);
  database = await testDatabase({
    migrations: [
      { schema: 'control_plane', directory: controlPlane },
      { schema: 'rca_trigger', directory: rcaTrigger.migrations! },
    ],
  });
  directory = await mkdtemp(join(tmpdir(), 'tocsin-rca-'));
  const environment = {
    LOG_LEVEL: 'silent',
    TOCSIN_DATA_DIR: directory,
    RCA_SETTLE_MS: '0',
    RCA_MAX_PER_HOUR: '20',
    RCA_MAX_PER_INCIDENT: '2',
  };
  platform = await startPlatform({
    name: 'rca-trigger-spec',
    shell: loadConfig(ShellEnvironment, environment),
    environment,
    databaseUrl: database.url,
    keyRing: `k1:${randomBytes(32).toString('base64')}`,
    pepper: 'pepper-of-the-test-installation',
    openLog: () => openJournal({}),
    definitions: [rcaTrigger],
  });
  const key = (scopes: Scope[]): ApiKeyBody => ({
    name: scopes.join(),
    scopes,
    secretHmac: platform.keyRing.pepperedHmac(secret),
    expiresAt: null,
  });
  await publish('api-key', keyIds.admin, WS, key(['admin']));
  await publish('api-key', keyIds.reader, WS, key(['read']));
  await publish('api-key', keyIds.sender, WS, key(['ingest']));
  await publish('api-key', keyIds.other, OTHER_WS, key(['admin']));
  await publish('api-key', keyIds.capped, CAPPED_WS, key(['admin']));
  await publish('webhook', webhooks.normal, WS, { tokenHmac: 'a', rca: { autoTrigger: true, minSeverity: 'medium' } });
  await publish('webhook', webhooks.off, WS, { tokenHmac: 'b', rca: { autoTrigger: false, minSeverity: 'medium' } });
  await publish('webhook', webhooks.highOnly, WS, { tokenHmac: 'c', rca: { autoTrigger: true, minSeverity: 'high' } });
  await platform.feed.refresh();
  await waitFor(() => platform.feed.webhook(webhooks.highOnly));
  application = await startApplication(platform, [rcaTrigger.module], [rcaTrigger.name], {
    host: '127.0.0.1',
    port: 0,
  });
  await platform.eventLog.consume({ topic: 'rca.events', group: 'spec', mode: 'group' }, (batch) => {
    for (const record of batch.records) {
      said.rca.push(decodeRecord('rca.event.v1', record.value));
      said.rcaHeaders.push(record.headers);
    }
    return Promise.resolve({ kind: 'committed', next: batch.records.at(-1)!.offset + 1n });
  });
  await platform.eventLog.consume({ topic: 'change.events', group: 'spec', mode: 'group' }, (batch) => {
    for (const record of batch.records)
      said.changes.push({ change: decodeRecord('change.event.v1', record.value), headers: record.headers });
    return Promise.resolve({ kind: 'committed', next: batch.records.at(-1)!.offset + 1n });
  });
});
afterAll(async () => {
  await application?.close();
  await database?.drop();
  await rm(directory, { recursive: true, force: true });
});

const now = () => new Date().toISOString();
let number = 0;
const anIncident = (fields: Partial<PublicIncident> = {}): PublicIncident => ({
  id: id('inc'),
  number: ++number,
  workspace_id: WS,
  title: 'Search is down',
  description: '',
  status: 'open',
  severity: 'critical',
  urgency: 'HIGH',
  priority: null,
  services: ['search'],
  tags: [],
  source: null,
  connector: 'generic',
  webhook_id: webhooks.normal,
  url: null,
  incident_type: null,
  assignee: null,
  created_at: now(),
  updated_at: now(),
  last_alert_at: null,
  acknowledged_at: null,
  resolved_at: null,
  webhook_occurrence_count: 1,
  correlated_alert_count: 0,
  custom_fields: {},
  external_links: [],
  version: 1,
  ...fields,
});

/** Says that something happened to an incident, as incident-store does. */
async function happened(incident: PublicIncident, outboundName: string | null, times = 1): Promise<void> {
  const value = encodeRecord('incident.event.v1', {
    event: {
      id: eventIdOf(incident.id, incident.version),
      stream: incident.id,
      version: incident.version,
      type: 'Something',
      schema_version: 1,
      at: now(),
      actor: { kind: 'webhook', id: incident.webhook_id, name: null },
      cause_id: 'alr_spec',
      cause_ordinal: 0,
      reason: null,
      config_revision: 1,
      data: {},
      digest: '',
      prev_hash: '',
      hash: '',
    },
    incident,
    changed: [],
    sequence: incident.version,
    outbound_name: outboundName,
  });
  const headers = { type: 'incident.event.v1', mark: `${incident.id};${incident.version};0` };
  for (let i = 0; i < times; i++)
    await platform.eventLog.append([{ topic: 'incident.events', key: incident.id, value, headers }]);
}

type Json = Record<string, any>; // eslint-disable-line @typescript-eslint/no-explicit-any -- answers are read field by field
async function call(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
  keyId = keyIds.admin,
) {
  const response = await fetch(`${application.url}/api/v1/${path}`, {
    method,
    headers: {
      authorization: `Bearer tsk_${keyId}_${secret}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Json };
}
const rcaOf = (incident: PublicIncident) => call('GET', `incidents/${incident.id}/rca`);
const decided = (incident: PublicIncident, decision: string) =>
  waitFor(async () => (await rcaOf(incident)).body['decision'] === decision);
const completed = (incident: PublicIncident, count = 1): Promise<Json> =>
  waitFor(async () => {
    const { body } = await rcaOf(incident);
    const items = (body['items'] ?? []) as Json[];
    return items.filter(({ status }) => status === 'completed').length === count && body;
  });

describe('an incident that opens', () => {
  it('is investigated, and the recent change of its service is named', async () => {
    const change = await call('POST', 'changes', {
      service: 'Search',
      version: '4.2.0',
      title: 'search 4.2.0',
      actor: 'ana',
    });
    expect(change.status).toBe(201);
    const incident = anIncident();
    await happened(incident, 'incident.created');
    const rca = await completed(incident);
    expect(rca).toMatchObject({ incident_id: incident.id, decision: 'incident-opened', next_cursor: null });
    expect(rca['items'][0]).toMatchObject({
      reason: 'incident-opened',
      investigator: 'built-in',
      incident_version: 1,
      config_revision: 1,
      summary: expect.stringContaining('search 4.2.0'),
      hypotheses: [
        { rank: 1, kind: 'change', evidence: [{ id: change.body['id'], detail: 'deployment, version 4.2.0, by ana' }] },
        { rank: 2 },
      ],
    });
    await waitFor(() => said.rca.filter(({ incident_id }) => incident_id === incident.id).length === 2);
    expect(
      said.rca.filter(({ incident_id }) => incident_id === incident.id).map(({ type, rca_id }) => [type, rca_id]),
    ).toEqual([
      ['rca.requested', rca['items'][0].id],
      ['rca.completed', rca['items'][0].id],
    ]);
    const headers = said.rcaHeaders.find(
      ({ ce_subject, ce_type }) => ce_subject === incident.id && ce_type === 'tocsin.rca.completed.v1',
    );
    expect(headers).toMatchObject({
      ce_specversion: '1.0',
      ce_source: '/tocsin',
      ce_tocsinworkspace: WS,
      type: 'rca.event.v1',
      mark: expect.any(String),
    });
  });

  it('is investigated once, however often its event comes', async () => {
    const incident = anIncident({ services: ['once'] });
    await happened(incident, 'incident.created', 3);
    await completed(incident);
    const after = anIncident({ services: ['once'] });
    await happened(after, 'incident.created');
    await completed(after);
    expect((await rcaOf(incident)).body['items']).toHaveLength(1);
    expect(
      said.rca.filter(({ incident_id, type }) => incident_id === incident.id && type === 'rca.requested'),
    ).toHaveLength(1);
    // The two share a service and a moment: the later investigation sees the earlier incident.
    expect((await rcaOf(after)).body['items'][0].hypotheses[0].evidence[0].id).toBe(incident.id);
  });

  it.each([
    ['auto-trigger-off', { webhook_id: webhooks.off }],
    ['below-minimum-severity', { severity: 'low' }],
    ['below-minimum-severity', { severity: 'medium', webhook_id: webhooks.highOnly }],
  ] as const)('is left alone: %s %j', async (reason, fields) => {
    const incident = anIncident(fields);
    await happened(incident, 'incident.created');
    await decided(incident, reason);
    expect((await rcaOf(incident)).body['items']).toEqual([]);
  });

  it('has the default settings without a webhook', async () => {
    const incident = anIncident({ webhook_id: null, severity: 'medium', title: 'By hand' });
    await happened(incident, 'incident.created');
    await completed(incident);
  });
});

describe('an incident that goes on', () => {
  it('is investigated when its severity rises to the minimum, not when it rises further', async () => {
    const low = anIncident({ severity: 'low' });
    await happened(low, 'incident.created');
    await decided(low, 'below-minimum-severity');
    await happened({ ...low, severity: 'high', version: 2 }, 'incident.updated');
    await completed(low);
    await happened({ ...low, severity: 'critical', version: 3 }, 'incident.updated');
    await decided(low, 'already-investigated');
    // What triggers nothing leaves the last decision standing.
    await happened({ ...low, severity: 'critical', version: 4 }, 'incident.comment');
    await waitFor(
      async () =>
        (
          await platform.pools.pipeline.query('select 1 from rca_trigger.incidents where id = $1 and version = 4', [
            low.id,
          ])
        ).rowCount === 1,
    );
    expect((await rcaOf(low)).body).toMatchObject({
      decision: 'already-investigated',
      items: [{ reason: 'severity-raised', incident_version: 2 }],
    });
  });

  it('is investigated again when it reopens, up to its share', async () => {
    const incident = anIncident({ services: ['reopening'], title: 'Comes and goes' });
    await happened(incident, 'incident.created');
    await completed(incident);
    await happened({ ...incident, version: 2, status: 'resolved', resolved_at: now() }, 'incident.resolved');
    await happened({ ...incident, version: 3 }, 'incident.reopened');
    await completed(incident, 2);
    await happened({ ...incident, version: 4, status: 'resolved', resolved_at: now() }, 'incident.resolved');
    await happened({ ...incident, version: 5 }, 'incident.reopened');
    await decided(incident, 'incident-cap-reached');
  });
});

describe('a storm', () => {
  it('asks for no more than the cap of its workspace', async () => {
    const incidents = Array.from({ length: 60 }, (_, n) =>
      anIncident({ workspace_id: CAPPED_WS, webhook_id: null, title: `Storm ${n}`, services: ['storm'] }),
    );
    // One after another on one key's partition would be slow; the cap is soft across partitions, so wait for each of the first.
    for (const incident of incidents) {
      await happened(incident, 'incident.created');
      await waitFor(
        async () =>
          (await platform.pools.pipeline.query('select 1 from rca_trigger.incidents where id = $1', [incident.id]))
            .rowCount === 1,
      );
    }
    const { rows } = await platform.pools.pipeline.query<{ decision: string; count: string }>(
      'select decision, count(*) from rca_trigger.incidents where workspace_id = $1 group by decision order by decision',
      [CAPPED_WS],
    );
    expect(rows).toEqual([
      { decision: 'incident-opened', count: '20' },
      { decision: 'workspace-cap-reached', count: '40' },
    ]);
  });
});

describe('a person who asks', () => {
  const quiet = async (fields: Partial<PublicIncident> = {}): Promise<PublicIncident> => {
    const incident = anIncident({ severity: 'low', ...fields });
    await happened(incident, 'incident.created');
    await waitFor(
      async () =>
        (await platform.pools.pipeline.query('select 1 from rca_trigger.incidents where id = $1', [incident.id]))
          .rowCount === 1,
    );
    return incident;
  };
  const ask = (incident: PublicIncident, headers: Record<string, string> = {}, keyId = keyIds.admin) =>
    call('POST', `incidents/${incident.id}/rca`, {}, headers, keyId);

  it('gets an investigation, whatever the settings say and as often as it is wanted', async () => {
    const incident = await quiet({ webhook_id: webhooks.off });
    for (const times of [1, 2, 3]) {
      const asked = await ask(incident);
      expect(asked).toMatchObject({ status: 202, body: { reason: 'asked-for', investigator: 'built-in' } });
      expect(['requested', 'completed']).toContain(asked.body['status']);
      await completed(incident, times);
    }
    const told = await waitFor(() => {
      const events = said.rca.filter(({ incident_id }) => incident_id === incident.id);
      return events.filter(({ type }) => type === 'rca.completed').length === 3 && events;
    });
    expect(told.filter(({ type }) => type === 'rca.requested').map(({ reason }) => reason)).toEqual(
      Array<string>(3).fill('asked-for'),
    );
  });

  it('is answered the same again with the same Idempotency-Key, with or without a body', async () => {
    const incident = await quiet();
    const key = { 'idempotency-key': 'button-1' };
    const first = await ask(incident, key);
    const again = await call('POST', `incidents/${incident.id}/rca`, undefined, key);
    expect([again.status, again.body['id']]).toEqual([202, first.body['id']]);
    expect((await completed(incident))['items']).toHaveLength(1);
  });

  it('waits while one runs, and is told which', async () => {
    const incident = await quiet();
    const running = id('rca');
    await platform.pools.pipeline.query(
      `insert into rca_trigger.investigations (id, workspace_id, incident_id, incident_version, cause_id, cause, occurred_at, investigator, status, requested_at, due_at, config_revision)
       values ($1, $2, $3, 1, 'evt_running', 'incident-opened', now(), 'http', 'running', now(), now() + interval '1 day', 1)`,
      [running, WS, incident.id],
    );
    expect(await ask(incident)).toMatchObject({ status: 409, body: { code: 'wrong-state', rca_id: running } });
  });

  it('cannot go beyond the cap of the workspace', async () => {
    const incident = await quiet({ workspace_id: CAPPED_WS, webhook_id: null });
    const { rows } = await platform.pools.pipeline.query<{ left: string }>(
      'select 20 - count(*) as left from rca_trigger.investigations where workspace_id = $1',
      [CAPPED_WS],
    );
    for (let left = Number(rows[0]?.left); left > 0; left -= 1) {
      expect((await ask(incident, {}, keyIds.capped)).status).toBe(202);
      await waitFor(async () => {
        const { body } = await call('GET', `incidents/${incident.id}/rca`, undefined, {}, keyIds.capped);
        return (body['items'] as Json[]).every(({ status }) => status === 'completed');
      });
    }
    expect(await ask(incident, {}, keyIds.capped)).toMatchObject({ status: 429, body: { code: 'rate-limited' } });
  });

  it('needs the scope, and an incident of the workspace', async () => {
    const incident = await quiet();
    expect((await ask(incident, {}, keyIds.reader)).status).toBe(403);
    expect((await ask(incident, {}, keyIds.other)).status).toBe(404);
    expect((await ask(anIncident())).status).toBe(404);
  });
});

describe('work of a process that died', () => {
  it('is found and finished', async () => {
    const incident = anIncident({ title: 'Orphaned', severity: 'low' });
    await happened(incident, 'incident.created');
    await decided(incident, 'below-minimum-severity');
    await platform.pools.pipeline.query(
      `insert into rca_trigger.investigations (id, workspace_id, incident_id, incident_version, cause_id, cause, occurred_at, investigator, status, requested_at, due_at, config_revision)
       values ($1, $2, $3, 1, 'evt_orphan', 'incident-opened', now(), 'built-in', 'requested', now(), now(), 1)`,
      [id('rca'), WS, incident.id],
    );
    await completed(incident);
  });
});

describe('changes', () => {
  it('are answered complete, said once on change.events with CloudEvents headers, and listed', async () => {
    const made = await call('POST', 'changes', {
      service: 'billing',
      kind: 'configuration',
      started: '2026-11-21T10:00:00+01:00',
      finished: '2026-11-21T09:05:00Z',
    });
    expect(made).toMatchObject({
      status: 201,
      body: {
        id: expect.stringMatching(/^chg_/),
        workspace_id: WS,
        kind: 'configuration',
        service: 'billing',
        version: null,
        started: '2026-11-21T09:00:00.000Z',
        finished: '2026-11-21T09:05:00.000Z',
      },
    });
    const [heard] = await waitFor(() => {
      const found = said.changes.filter(({ change }) => change.id === made.body['id']);
      return found.length > 0 && found;
    });
    expect(heard!.change).toEqual(made.body);
    expect(heard!.headers).toMatchObject({
      ce_id: made.body['id'],
      ce_type: 'tocsin.change.configuration.v1',
      ce_subject: 'billing',
      ce_tocsinworkspace: WS,
      'content-type': 'application/json',
    });
    expect((await call('GET', 'changes?service=BILLING')).body['items']).toEqual([made.body]);
  });

  it('sent again with the same Idempotency-Key are one change', async () => {
    const send = () => call('POST', 'changes', { service: 'twice', version: '1' }, { 'idempotency-key': 'deploy-77' });
    const answers = await Promise.all([send(), send(), send()]);
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201]);
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect((await call('GET', 'changes?service=twice')).body['items']).toHaveLength(1);
  });

  it('are listed page by page', async () => {
    for (let n = 0; n < 5; n++) await call('POST', 'changes', { service: 'paged', version: String(n) });
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page: { body: Json } = await call('GET', `changes?service=paged&limit=2${cursor && `&cursor=${cursor}`}`);
      seen.push(...(page.body['items'] as Json[]).map(({ version }) => version as string));
      cursor = page.body['next_cursor'] as string | null;
    }
    expect([...seen].sort()).toEqual(['0', '1', '2', '3', '4']);
  });

  it('that another service says are known too', async () => {
    const change: ChangeEvent = {
      id: id('chg'),
      workspace_id: WS,
      kind: 'build',
      service: 'built',
      version: '9',
      environment: null,
      status: 'success',
      title: null,
      url: null,
      actor: null,
      started: null,
      finished: null,
      recorded_at: now(),
    };
    const record = {
      topic: 'change.events' as const,
      key: WS,
      value: encodeRecord('change.event.v1', change),
      headers: { type: 'change.event.v1', mark: `${change.id};1;0` },
    };
    await platform.eventLog.append([record, record]);
    await waitFor(async () => (await call('GET', 'changes?service=built')).body['items'].length === 1);
    expect((await call('GET', 'changes?service=built')).body['items']).toEqual([change]);
  });

  it.each<[string, Json | undefined, string]>([
    ['no service', {}, 'service'],
    ['a blank service', { service: ' ' }, 'service'],
    ['a service of two lines', { service: 'a\nb' }, 'service'],
    ['an unknown kind', { service: 'a', kind: 'earthquake' }, 'kind'],
    ['a null kind', { service: 'a', kind: null }, 'kind'],
    ['a time without an offset', { service: 'a', started: '2026-11-21T10:00:00' }, 'started'],
    [
      'an end before its start',
      { service: 'a', started: '2026-11-21T10:00:00Z', finished: '2026-11-21T09:00:00Z' },
      'finished',
    ],
    ['a URL that is none', { service: 'a', url: 'javascript:alert(1)' }, 'url'],
    ['an unknown field', { service: 'a', colour: 'red' }, 'colour'],
  ])('are refused with %s', async (_name, input, path) => {
    const refused = await call('POST', 'changes', input);
    expect(refused).toMatchObject({ status: 422, body: { code: 'validation-failed' } });
    expect(refused.body['errors']).toEqual(expect.arrayContaining([expect.objectContaining({ path })]));
  });

  it.each(['limit=0', 'limit=x', 'cursor=nonsense', 'colour=red'])('refuse the query %s', async (text) =>
    expect((await call('GET', `changes?${text}`)).status).toBe(422),
  );
});

describe('access', () => {
  it('asks for the scope that fits', async () => {
    expect((await call('GET', 'changes', undefined, { authorization: 'Bearer nothing' })).status).toBe(401);
    expect((await call('POST', 'changes', { service: 'a' }, {}, keyIds.reader)).status).toBe(403);
    expect((await call('GET', 'changes', undefined, {}, keyIds.sender)).status).toBe(403);
    expect((await call('POST', 'changes', { service: 'sent' }, {}, keyIds.sender)).status).toBe(201);
    expect((await call('GET', 'changes', undefined, {}, keyIds.reader)).status).toBe(200);
  });

  it('shows nothing of another workspace', async () => {
    const incident = anIncident({ severity: 'low' });
    await happened(incident, 'incident.created');
    await decided(incident, 'below-minimum-severity');
    expect((await call('GET', `incidents/${incident.id}/rca`, undefined, {}, keyIds.other)).status).toBe(404);
    expect((await call('GET', 'changes', undefined, {}, keyIds.other)).body['items']).toEqual([]);
    for (const table of ['incidents', 'changes', 'investigations'])
      expect((await platform.pools.rest.query(`select 1 from rca_trigger.${table}`)).rowCount).toBe(0);
  });

  it('knows no incident that it has not heard of', async () => expect((await rcaOf(anIncident())).status).toBe(404));
});
