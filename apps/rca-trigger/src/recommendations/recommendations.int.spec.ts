import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ApiKeyBody,
  checkEventData,
  encodeRecord,
  eventIdOf,
  mintId,
  type PlatformEvent,
  type PublicIncident,
  readPlatformEvent,
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
import { rcaTrigger } from '../index.ts';

const id = <P extends string>(prefix: P) => mintId(prefix, randomBytes(16));
const WS = id('ws');
const OTHER_WS = id('ws');
const secret = 's'.repeat(52);
const keyIds = { responder: 'responderkey', reader: 'readerkey', other: 'otherkey' };

let database: Awaited<ReturnType<typeof testDatabase>>;
let directory: string;
let platform: Platform;
let application: RunningApplication;
const said: PlatformEvent[] = [];

/** Writes what the control-plane would have published. */
async function publish(docId: string, workspaceId: string, scopes: Scope[]): Promise<void> {
  const hmac = platform.keyRing.pepperedHmac(secret);
  const body: ApiKeyBody = { name: 'Ada', scopes, secretHmac: hmac, expiresAt: null };
  await platform.pools.pipeline.query(
    `with head as (update control_plane.feed_head set feed_id = 'feed_spec', revision = revision + 1 returning revision)
     insert into control_plane.configuration_documents select revision, 'api-key', $1, $2, false, $3, now() from head`,
    [docId, workspaceId, JSON.stringify(body)],
  );
}

beforeAll(async () => {
  const controlPlane = new URL('../../../control-plane/src/migrations/', import.meta.url);
  database = await testDatabase({
    migrations: [
      { schema: 'control_plane', directory: controlPlane },
      { schema: 'rca_trigger', directory: rcaTrigger.migrations! },
    ],
  });
  directory = await mkdtemp(join(tmpdir(), 'tocsin-recommendations-'));
  const environment = { LOG_LEVEL: 'silent', TOCSIN_DATA_DIR: directory, RCA_SETTLE_MS: '0' };
  platform = await startPlatform({
    name: 'recommendations-spec',
    shell: loadConfig(ShellEnvironment, environment),
    environment,
    databaseUrl: database.url,
    keyRing: `k1:${randomBytes(32).toString('base64')}`,
    pepper: 'pepper-of-the-test-installation',
    openLog: () => openJournal({}),
    definitions: [rcaTrigger],
  });
  await publish(keyIds.responder, WS, ['respond', 'read', 'ingest']);
  await publish(keyIds.reader, WS, ['read']);
  await publish(keyIds.other, OTHER_WS, ['admin']);
  await platform.feed.refresh();
  await waitFor(() => platform.feed.apiKey(keyIds.other));
  application = await startApplication(platform, [rcaTrigger.module], [rcaTrigger.name], {
    host: '127.0.0.1',
    port: 0,
  });
  await platform.eventLog.consume({ topic: 'platform.events', group: 'spec', mode: 'group' }, (batch) => {
    for (const { headers, value, timestamp } of batch.records) {
      const read = readPlatformEvent({ type: headers['type'] ?? '', headers, value, timestamp });
      if ('refused' in read) throw new Error(read.refused.detail);
      said.push(read.event);
    }
    return Promise.resolve({ kind: 'committed', next: batch.records.at(-1)!.offset + 1n });
  });
});
afterAll(async () => {
  await application?.close();
  await database?.drop();
  await rm(directory, { recursive: true, force: true });
});

type Json = Record<string, any>; // eslint-disable-line @typescript-eslint/no-explicit-any -- answers are read field by field
async function call(
  method: string,
  path: string,
  body?: unknown,
  { headers = {}, keyId = keyIds.responder }: { headers?: Record<string, string>; keyId?: string } = {},
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
  return { status: response.status, etag: response.headers.get('etag'), body: (await response.json()) as Json };
}
const eventsOf = (recommendation: Json, count: number): Promise<PlatformEvent[]> =>
  waitFor(() => {
    const found = said.filter(({ data }) => data['id'] === recommendation['id']);
    return found.length >= count && found;
  });
const make = async (fields: Json = {}, headers: Record<string, string> = {}) =>
  call('POST', 'recommendations', { title: 'Add a read replica', ...fields }, { headers });

let number = 0;
/** Says that an incident was opened, as incident-store does. */
async function opened(fields: Partial<PublicIncident> = {}): Promise<PublicIncident> {
  const at = new Date().toISOString();
  const incident: PublicIncident = {
    ...{ id: id('inc'), number: ++number, workspace_id: WS, title: 'Search is down', description: '', status: 'open' },
    ...{ severity: 'critical', urgency: 'HIGH', priority: null, services: ['search'], tags: [], source: null },
    ...{ connector: 'generic', webhook_id: null, url: null, incident_type: null, assignee: null, created_at: at },
    ...{ updated_at: at, last_alert_at: null, acknowledged_at: null, resolved_at: null, webhook_occurrence_count: 1 },
    ...{ correlated_alert_count: 0, custom_fields: {}, external_links: [], version: 1 },
    ...fields,
  };
  await told(incident, 'IncidentOpened', 'incident.created');
  return incident;
}

/** Says what happened to an incident. */
async function told(incident: PublicIncident, type: string, name: string): Promise<void> {
  const { version, updated_at: at } = incident;
  const value = encodeRecord('incident.event.v1', {
    event: {
      ...{
        id: eventIdOf(incident.id, version),
        stream: incident.id,
        version,
        type,
        schema_version: 1,
        at,
      },
      ...{ actor: { kind: 'system', id: null, name: null }, cause_id: 'spec', cause_ordinal: 0, reason: null },
      ...{ config_revision: 1, data: {}, digest: '', prev_hash: '', hash: '' },
    },
    ...{ incident, changed: [], sequence: version, outbound_name: name },
  });
  const headers = { type: 'incident.event.v1', mark: `${incident.id};${version};0` };
  await platform.eventLog.append([{ topic: 'incident.events', key: incident.id, value, headers }]);
}

describe('a recommendation of a person', () => {
  it('is made, changed, commented on and implemented, each with its event', async () => {
    const made = await make({ description: 'Lock waits', effort: 'medium', risk: 'low', potential_savings: 150.5 });
    expect(made).toMatchObject({
      ...{ status: 201, etag: '"1"' },
      body: {
        ...{ id: expect.stringMatching(/^rec_[a-z2-7]{26}$/), workspace_id: WS, incident_id: null, status: 'pending' },
        ...{ effort: 'medium', risk: 'low', potential_savings: 150.5, version: 1, comments: [] },
        created_by: { kind: 'api-key', id: keyIds.responder, name: 'Ada' },
      },
    });
    const path = `recommendations/${made.body['id']}`;
    expect((await call('PATCH', path, { status: 'accepted', title: 'Add two replicas' })).body).toMatchObject({
      version: 2,
    });
    expect((await call('POST', `${path}/comments`, { text: 'Next Tuesday' })).body).toMatchObject({
      ...{ version: 3, comments: [{ text: 'Next Tuesday', actor: { name: 'Ada' } }] },
    });
    const done = await call('PATCH', path, { status: 'implemented' });
    expect(done).toMatchObject({ status: 200, etag: '"4"', body: { status: 'implemented' } });
    const events = await eventsOf(made.body, 4);
    expect(events.map(({ name }) => name)).toEqual([
      ...['recommendation.created', 'recommendation.updated', 'recommendation.comment', 'recommendation.implemented'],
    ]);
    for (const { name, data } of events) expect(checkEventData(name, data)).toEqual([]);
    expect(events[1]?.data).toMatchObject({
      changed: ['title', 'status'],
      status: 'accepted',
      url: `${application.url}/api/v1/${path}`,
    });
    expect(events[2]?.data).toMatchObject({ comment: 'Next Tuesday' });
    expect((await call('GET', path)).body).toEqual(done.body);
  });

  it('says nothing where nothing changes', async () => {
    const { body } = await make({ title: 'Nothing new' });
    expect(await call('PATCH', `recommendations/${body['id']}`, { title: 'Nothing new', effort: null })).toMatchObject({
      ...{ status: 200, etag: '"1"' },
    });
    await call('PATCH', `recommendations/${body['id']}`, { status: 'dismissed' });
    expect((await eventsOf(body, 2)).map(({ name }) => name)).toEqual([
      'recommendation.created',
      'recommendation.updated',
    ]);
  });

  it('is the same under the same key, and so is a comment', async () => {
    const first = await make({ title: 'Once' }, { 'idempotency-key': 'one' });
    const again = await make({ title: 'Once' }, { 'idempotency-key': 'one' });
    expect(again.body).toEqual(first.body);
    const comment = () =>
      call(
        'POST',
        `recommendations/${first.body['id']}/comments`,
        { text: 'x' },
        { headers: { 'idempotency-key': 'two' } },
      );
    expect((await comment()).body).toEqual((await comment()).body);
    expect(await eventsOf(first.body, 2)).toHaveLength(2);
  });

  it('is not changed back once it is implemented, nor over somebody else', async () => {
    const { body } = await make();
    const path = `recommendations/${body['id']}`;
    const stale = await call('PATCH', path, { status: 'accepted' }, { headers: { 'if-match': '"7"' } });
    expect(stale).toMatchObject({ status: 412, etag: '"1"', body: { code: 'precondition-failed' } });
    expect((await call('PATCH', path, { status: 'implemented' }, { headers: { 'if-match': '"1"' } })).status).toBe(200);
    expect(await call('PATCH', path, { status: 'pending' })).toMatchObject({
      ...{ status: 409, body: { code: 'wrong-state', current: { status: 'implemented', version: 2 } } },
    });
  });

  it('is about an incident that there is', async () => {
    const incident = await opened();
    const made = await make({ incident_id: incident.id, title: 'About it' });
    expect(made).toMatchObject({ status: 201, body: { incident_id: incident.id } });
    expect(await make({ incident_id: id('inc') })).toMatchObject({
      ...{ status: 422, body: { errors: [{ path: 'incident_id', code: 'unknown-incident' }] } },
    });
  });

  it.each<[Json, string]>([
    [{ title: '' }, 'title'],
    [{ title: 'a\nb' }, 'title'],
    [{ effort: 'huge' }, 'effort'],
    [{ potential_savings: 'much' }, 'potential_savings'],
    [{ incident_id: 'inc_1' }, 'incident_id'],
    [{ status: 'accepted' }, 'status'],
    [{ description: '\u0000' }, 'description'],
  ])('is refused with the path of what is wrong: %j', async (fields, path) => {
    const { status, body } = await make(fields);
    expect(status).toBe(422);
    expect((body['errors'] as Json[]).map((error) => error['path'] as string)).toContain(path);
  });

  it('is listed with filters and pages, of its own workspace only', async () => {
    const incident = await opened({ services: [], title: 'Listed', severity: 'info' });
    const ids: string[] = [];
    for (const title of ['one', 'two', 'three'])
      ids.unshift((await make({ title, incident_id: incident.id })).body['id'] as string);
    await call('PATCH', `recommendations/${ids[0]}`, { status: 'dismissed' });
    const list = async (query: string, keyId = keyIds.reader) =>
      (await call('GET', `recommendations?${query}`, undefined, { keyId })).body;
    const idsOf = ({ items }: Json) => (items as Json[]).map((one) => one['id'] as string);
    expect(idsOf(await list(`incident_id=${incident.id}`))).toEqual(ids);
    expect(idsOf(await list(`incident_id=${incident.id}&status=pending`))).toEqual(ids.slice(1));
    const first = await list(`incident_id=${incident.id}&limit=2`);
    expect(idsOf(await list(`incident_id=${incident.id}&limit=2&cursor=${first['next_cursor']}`))).toEqual(
      ids.slice(2),
    );
    expect(await list('limit=5', keyIds.other)).toEqual({ items: [], next_cursor: null });
    for (const [method, path, body] of [
      ['GET', `recommendations/${ids[0]}`, undefined],
      ['PATCH', `recommendations/${ids[0]}`, { status: 'accepted' }],
      ['POST', `recommendations/${ids[0]}/comments`, { text: 'x' }],
    ] as const)
      expect((await call(method, path, body, { keyId: keyIds.other })).status).toBe(404);
    expect((await call('POST', 'recommendations', { title: 'x' }, { keyId: keyIds.reader })).status).toBe(403);
  });
});

describe('an investigation', () => {
  it('says its task, its result, and what it recommends, once', async () => {
    const change = {
      service: 'checkout-rec',
      version: '1.42',
      title: 'checkout 1.42',
      finished: new Date().toISOString(),
    };
    expect((await call('POST', 'changes', change)).status).toBe(201);
    const incident = await opened({ services: ['checkout-rec'], title: 'Checkout fails' });
    const events = await waitFor(() => {
      const found = said.filter(({ data }) => data['incident_id'] === incident.id);
      return found.some(({ name }) => name === 'recommendation.created') && found;
    });
    expect(events.map(({ name }) => name)).toEqual([
      ...['task.started', 'task.completed', 'conversation.completed', 'recommendation.created'],
    ]);
    for (const { name, data } of events) expect(checkEventData(name, data)).toEqual([]);
    const [started, completed, conversation, recommended] = events.map(({ data }) => data);
    expect(started).toMatchObject({
      id: expect.stringMatching(/^rca_/),
      name: `Root cause of incident ${incident.number}`,
    });
    expect(completed).toMatchObject({ id: started?.['id'], result: expect.stringMatching(/^\d hypothes[ie]s$/) });
    expect(conversation).toMatchObject({ id: started?.['id'], summary: expect.stringContaining('checkout 1.42') });
    expect(recommended).toMatchObject({
      ...{ title: expect.stringContaining('checkout 1.42'), status: 'pending', risk: 'medium' },
      created_by: { kind: 'investigation', id: started?.['id'] },
    });
    const { body } = await call('GET', `recommendations?incident_id=${incident.id}`);
    expect((body['items'] as Json[]).map((one) => one['id'] as string)).toEqual([recommended?.['id']]);
  });

  it('loses what it found and recommended with the personal data of its incident, and with nothing less', async () => {
    const change = { service: 'ada', version: '7', title: 'Ada Lovelace deploys', finished: new Date().toISOString() };
    expect((await call('POST', 'changes', change)).status).toBe(201);
    const incident = await opened({ services: ['ada'], title: 'Ada Lovelace called' });
    const [recommended] = await waitFor(() => {
      const found = said.filter(
        ({ name, data }) => name === 'recommendation.created' && data['incident_id'] === incident.id,
      );
      return found.length > 0 && found;
    });
    const path = `recommendations/${String(recommended?.data['id'])}`;
    await call('POST', `${path}/comments`, { text: 'Ask Ada' });
    const kept = async () => {
      const investigations = await call('GET', `incidents/${incident.id}/rca`);
      return JSON.stringify([investigations.body, (await call('GET', path)).body]);
    };
    const whole = await kept();
    expect(whole).toContain('Ada');

    await told({ ...incident, version: 2 }, 'PayloadErased', 'incident.updated'); // a comment of the incident went
    await told({ ...incident, version: 3, title: '[erased]', services: [] }, 'PayloadErased', 'incident.updated');
    const erased = await waitFor(async () => {
      const text = await kept();
      return !text.includes('Ada L') && text;
    });
    expect(erased).not.toContain('Ask Ada');
    expect((await call('GET', path)).body).toMatchObject({
      ...{
        title: '[erased]',
        description: '[erased]',
        version: 3,
        status: 'pending',
        comments: [{ text: '[erased]' }],
      },
    });
  });
});
