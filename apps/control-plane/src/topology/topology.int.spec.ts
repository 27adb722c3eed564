import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openJournal } from '@tocsin/event-log/journal';
import {
  loadConfig,
  type Platform,
  type RunningApplication,
  ShellEnvironment,
  startApplication,
  startPlatform,
} from '@tocsin/nest-shell';
import { encodeRecord, mintId, serviceIdOf, type ReceiptsSettled } from '@tocsin/contracts';
import { testDatabase, waitFor } from '@tocsin/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { controlPlane } from '../index.ts';
import { noteSeenServices, SERVICES_MAX } from './service-store.ts';

const KEY = `tsk_bootstrapkeyaaaaaaaaaaaaaa_${'s'.repeat(52)}`;
type Json = Record<string, any>; // eslint-disable-line @typescript-eslint/no-explicit-any -- answers are read field by field

let database: Awaited<ReturnType<typeof testDatabase>>;
let directory: string;
let platform: Platform;
let application: RunningApplication;

beforeAll(async () => {
  database = await testDatabase({ migrations: [{ schema: 'control_plane', directory: controlPlane.migrations! }] });
  directory = await mkdtemp(join(tmpdir(), 'tocsin-topology-'));
  const environment = { LOG_LEVEL: 'silent', TOCSIN_DATA_DIR: directory, TOCSIN_BOOTSTRAP_API_KEY: KEY };
  platform = await startPlatform({
    name: 'topology-spec',
    shell: loadConfig(ShellEnvironment, environment),
    environment,
    databaseUrl: database.url,
    keyRing: `k1:${randomBytes(32).toString('base64')}`,
    pepper: 'pepper-of-the-test-installation',
    openLog: () => openJournal({}),
    definitions: [controlPlane],
  });
  application = await startApplication(platform, [controlPlane.module], [controlPlane.name], {
    host: '127.0.0.1',
    port: 0,
  });
});
afterAll(async () => {
  await application?.close();
  await database?.drop();
  await rm(directory, { recursive: true, force: true });
});

let key = KEY;
let workspaceId = '';
/** Each test has a workspace of its own. */
beforeEach(async () => {
  const made = await newWorkspace();
  [key, workspaceId] = [String(made['api_key'].key), String(made['id'])];
});

/** With a key that the guard knows already. */
async function newWorkspace(): Promise<Json> {
  const { body } = await call('POST', 'workspaces', { name: `W ${randomBytes(6).toString('hex')}` }, {}, KEY);
  await platform.feed.atLeast(Number(body['api_key'].revision), 10_000);
  return body;
}

async function call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}, as = key) {
  const response = await fetch(`${application.url}/api/v1/${path}`, {
    method,
    headers: {
      authorization: `Bearer ${as}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? {} : (JSON.parse(text) as Json) };
}
/** Resolves when the feed has every change that was made until now. */
async function followed(): Promise<void> {
  const { rows } = await platform.pools.pipeline.query<{ revision: string }>(
    'select revision from control_plane.feed_head',
  );
  await platform.feed.atLeast(Number(rows[0]?.revision), 10_000);
}

const edge = (from: string, to: string) => ({ from, to });
const namesOf = ({ nodes }: Json): string[] => (nodes as Json[]).map(({ name }) => String(name));
const published = async () => {
  await followed();
  return platform.feed.topology(workspaceId)?.body.dependencies;
};

describe('a topology', () => {
  it('is empty at first', async () => {
    const { status, body } = await call('GET', 'topology');
    expect([status, body]).toEqual([200, { id: body['id'], revision: 0, nodes: [], edges: [], updated_at: null }]);
    expect(await published()).toBeUndefined();
  });

  it('is declared as a whole: services with owners, dependencies that may go in circles, each once', async () => {
    const { status, body } = await call('PUT', 'topology', {
      nodes: [{ name: 'shop', owner: 'web team', tags: ['tier:1'] }],
      edges: [edge('shop', 'payments'), edge('payments', 'shop'), edge('payments', 'db'), edge('shop', 'payments')],
    });
    expect(status).toBe(200);
    expect(namesOf(body)).toEqual(['db', 'payments', 'shop']);
    expect(body['edges']).toEqual([edge('payments', 'db'), edge('payments', 'shop'), edge('shop', 'payments')]);
    expect((body['nodes'] as Json[])[1]).toMatchObject({
      ...{ id: serviceIdOf(workspaceId, 'payments'), owner: null, tags: [], first_seen_at: null },
      ...{ depends_on: ['db', 'shop'], dependents: ['shop'], neighbours: ['db', 'shop'] },
    });
    expect((body['nodes'] as Json[])[2]).toMatchObject({ owner: 'web team', tags: ['tier:1'] });
    expect(await published()).toEqual(body['edges']);
    expect((await call('GET', 'topology')).body).toEqual(body);
  });

  it('is replaced: what is not named any more goes', async () => {
    await call('PUT', 'topology', { nodes: [{ name: 'a', owner: 'x' }, { name: 'b' }], edges: [edge('a', 'c')] });
    const { body } = await call('PUT', 'topology', { edges: [edge('a', 'd')] });
    expect(namesOf(body)).toEqual(['a', 'd']);
    expect((body['nodes'] as Json[])[0]?.['owner']).toBeNull();
  });

  it('is changed in parts, by name or by id', async () => {
    await call('PUT', 'topology', {
      nodes: [{ name: 'a', owner: 'x', tags: ['t'] }],
      edges: [edge('a', 'b'), edge('b', 'c')],
    });
    const { body } = await call('PATCH', 'topology', {
      nodes: [{ name: 'a', owner: 'y' }],
      edges: [{ from: serviceIdOf(workspaceId, 'a'), to: 'd' }],
      remove_edges: [edge('a', 'b')],
      remove_nodes: [serviceIdOf(workspaceId, 'c')],
    });
    expect(body['edges']).toEqual([edge('a', 'd')]);
    expect(namesOf(body)).toEqual(['a', 'b', 'd']);
    expect((body['nodes'] as Json[])[0]).toMatchObject({ owner: 'y', tags: ['t'] });
  });

  it('is changed by one at a time', async () => {
    const first = await call('PUT', 'topology', { edges: [edge('a', 'b')] }, { 'if-match': '"0"' });
    expect(first.status).toBe(200);
    expect(first.headers.get('etag')).toBe(`"${String(first.body['revision'])}"`);
    const late = await call('PUT', 'topology', { edges: [] }, { 'if-match': '"0"' });
    expect(late).toMatchObject({ status: 412, body: { code: 'precondition-failed' } });
    const both = await Promise.all([1, 2, 3, 4].map((n) => call('PATCH', 'topology', { edges: [edge('x', `y${n}`)] })));
    expect(both.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect((await call('GET', 'topology')).body['edges']).toHaveLength(5);
  });

  it.each<[string, string, Json, string]>([
    ['a service that depends on itself', 'PUT', { edges: [edge('a', 'a')] }, 'edges[0]: self-dependency'],
    [
      'an id of no service',
      'PATCH',
      { edges: [edge('svc_aaaaaaaaaaaaaaaaaaaaaaaaaa', 'b')] },
      'edges[0].from: unknown-service',
    ],
    ['no edges', 'PUT', {}, 'edges: is-array'],
    ['a name of many lines', 'PUT', { edges: [edge('a\nb', 'c')] }, 'edges[0].from: matches'],
    [
      'too many services',
      'PUT',
      { edges: Array.from({ length: 2_001 }, (_, n) => edge('hub', `s${n}`)) },
      'nodes: too-many',
    ],
  ])('is refused with %s', async (_what, method, body, problem) => {
    const answer = await call(method, 'topology', body);
    expect(answer.status).toBe(422);
    expect((answer.body['errors'] as Json[]).map(({ path, code }) => `${path}: ${code}`)).toContain(problem);
  });

  it('of another workspace is its own', async () => {
    await call('PUT', 'topology', { edges: [edge('a', 'b')] });
    const id = serviceIdOf(workspaceId, 'a');
    const as = String((await newWorkspace())['api_key'].key);
    expect((await call('GET', 'topology', undefined, {}, as)).body['nodes']).toEqual([]);
    for (const method of ['GET', 'PATCH', 'DELETE'])
      expect((await call(method, `services/${id}`, method === 'PATCH' ? {} : undefined, {}, as)).status).toBe(404);
  });
});

describe('a service', () => {
  it('is created when an alert names it first; later alerts change nothing', async () => {
    const settled = (services: string[], receivedAt: string): ReceiptsSettled['items'][number] => ({
      ...{
        receiptId: mintId('rcv', randomBytes(16)),
        workspaceId,
        webhookId: 'whk_a',
        receivedAt,
        settledAt: receivedAt,
      },
      ...{ total: 1, alerts: [], services },
    });
    const say = (...items: ReceiptsSettled['items']): Promise<void> =>
      platform.eventLog.append([
        {
          ...{ topic: 'webhook.outcomes', key: 'whk_a', headers: { type: 'receipts.settled.v1' } },
          value: Buffer.from(encodeRecord('receipts.settled.v1', { items })),
        },
      ]);
    await call('PUT', 'topology', { nodes: [{ name: 'declared', owner: 'x' }], edges: [] });
    const [early, late] = [new Date(Date.now() - 60_000).toISOString(), new Date().toISOString()];
    await say(settled(['seen', 'declared', 'a\u0000b', ''], early), settled(['seen'], late));
    const listed = () => call('GET', 'services').then(({ body }) => body['items'] as Json[]);
    await waitFor(async () => (await listed()).some(({ name }) => name === 'seen'), { timeoutMs: 20_000 });
    expect((await listed()).map(({ name, owner, first_seen_at }) => [name, owner, first_seen_at]).sort()).toEqual([
      ['declared', 'x', early],
      ['seen', null, early],
    ]);
    expect(await published()).toEqual([]); // no dependency: nothing that decides anything has changed
    const { body } = await call('PUT', 'topology', { edges: [] });
    expect(namesOf(body)).toEqual(['declared', 'seen']); // alerts have named them
  });

  it('is not learned beyond the limit of a workspace, whose services are then counted once for all of them', async () => {
    const at = new Date().toISOString();
    const named = (prefix: string, count: number) =>
      Array.from({ length: count }, (_, n) => ({ workspaceId, name: `${prefix}-${n}`, at }));
    const tx = await platform.pools.pipeline.connect();
    try {
      await noteSeenServices(tx, named('known', SERVICES_MAX - 1));
      await tx.query('begin');
      await noteSeenServices(tx, named('new', 300));
      const { rows } = await tx.query<{ read: number }>(
        `select (seq_tup_read + coalesce(idx_tup_fetch, 0))::int as read from pg_stat_xact_user_tables where relid = 'control_plane.services'::regclass`,
      );
      await tx.query('commit');
      const { rows: stored } = await tx.query<{ n: number; learned: number }>(
        `select count(*)::int as n, count(*) filter (where name like 'new-%')::int as learned from control_plane.services where workspace_id = $1`,
        [workspaceId],
      );
      expect(stored).toEqual([{ n: SERVICES_MAX, learned: 1 }]);
      expect(rows[0]?.read).toBeLessThan(4 * SERVICES_MAX);
    } finally {
      tx.release(true);
    }
  });

  it('has an owner and tags, is found by a part of its name, and goes with its dependencies', async () => {
    await call('PUT', 'topology', { edges: [edge('shop', 'payments'), edge('mail', 'payments')] });
    const path = `services/${serviceIdOf(workspaceId, 'payments')}`;
    expect((await call('PATCH', path, { owner: 'finance', tags: ['pci'] })).body).toMatchObject({
      ...{
        name: 'payments',
        owner: 'finance',
        tags: ['pci'],
        dependents: ['mail', 'shop'],
        neighbours: ['mail', 'shop'],
      },
    });
    expect((await call('PATCH', path, { owner: null })).body).toMatchObject({ owner: null, tags: ['pci'] });
    const found = (await call('GET', 'services?text=PAY')).body['items'] as Json[];
    expect(found.map(({ name }) => String(name))).toEqual(['payments']);
    const first = (await call('GET', 'services?limit=2')).body;
    const rest = (await call('GET', `services?limit=2&cursor=${String(first['next_cursor'])}`)).body;
    expect([...first['items'], ...rest['items']]).toHaveLength(3);
    expect(rest['next_cursor']).toBeNull();
    expect((await call('DELETE', path)).status).toBe(204);
    expect(await published()).toEqual([]);
    expect((await call('GET', path)).status).toBe(404);
  });
});
