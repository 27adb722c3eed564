import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeRecord, mintId, type IncidentEventRecord, type SyncLinkBody } from '@tocsin/contracts';
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
import { afterAll, beforeAll, expect, it } from 'vitest';
import { outboundDispatcher } from '../index.ts';
import { incidentId } from '../spec/events.ts';
import { JiraServer } from './spec/jira-server.ts';
import { aLink, LINK, opened, SECRET } from './spec/sync-harness.ts';

const id = (prefix: string) => mintId(prefix, randomBytes(16));
const [WS, OTHER_WS] = [id('ws'), id('ws')];
const secret = 's'.repeat(52);
const jira = new JiraServer();
let database: Awaited<ReturnType<typeof testDatabase>>;
let directory: string;
let platform: Platform;
let application: RunningApplication;

/** Writes what the control-plane would have published. */
async function publish(kind: string, docId: string, workspaceId: string, body: unknown): Promise<void> {
  await platform.pools.pipeline.query(
    `with head as (update control_plane.feed_head set feed_id = 'feed_spec', revision = revision + 1 returning revision)
     insert into control_plane.configuration_documents select revision, $1, $2, $3, false, $4, now() from head`,
    [kind, docId, workspaceId, JSON.stringify(body)],
  );
}

beforeAll(async () => {
  await jira.start();
  const controlPlane = new URL('../../../control-plane/src/migrations/', import.meta.url);
  database = await testDatabase({
    migrations: [
      { schema: 'control_plane', directory: controlPlane },
      { schema: 'outbound_dispatcher', directory: outboundDispatcher.migrations! },
    ],
  });
  directory = await mkdtemp(join(tmpdir(), 'tocsin-sync-'));
  const environment = { LOG_LEVEL: 'silent', TOCSIN_DATA_DIR: directory, OUTBOUND_ALLOW: '127.0.0.1+http' };
  platform = await startPlatform({
    ...{ name: 'sync-spec', shell: loadConfig(ShellEnvironment, environment), environment, databaseUrl: database.url },
    keyRing: `k1:${randomBytes(32).toString('base64')}`,
    ...{ pepper: 'pepper-of-the-test-installation', openLog: () => openJournal({}), definitions: [outboundDispatcher] },
  });
  for (const workspace of [WS, OTHER_WS]) {
    const body = { name: 'Spec', slug: workspace, wrappedDataKey: platform.keyRing.newDataKey(workspace) };
    await publish('workspace', workspace, workspace, body);
    const key = { name: 'spec', scopes: ['admin'], secretHmac: platform.keyRing.pepperedHmac(secret), expiresAt: null };
    await publish('api-key', workspace === WS ? 'minekeyy' : 'theirskey', workspace, key);
  }
  await waitFor(() => platform.feed.workspace(WS), { timeoutMs: 10_000 });
  const sealed = platform.keyRing.seal(platform.feed.workspace(WS)!, LINK, SECRET);
  const { body } = aLink('jira', jira.url);
  await publish('sync-link', LINK, WS, { ...body, auth: { ...body.auth, secret: sealed } } satisfies SyncLinkBody);
  application = await startApplication(platform, [outboundDispatcher.module], [outboundDispatcher.name], {
    host: '127.0.0.1',
    port: 0,
  });
});
afterAll(async () => {
  await application?.close();
  await jira.stop();
  await database?.drop();
  await rm(directory, { recursive: true, force: true });
});

async function call(method: string, path: string, who = 'minekeyy') {
  const headers = { authorization: `Bearer tsk_${who}_${secret}` };
  const response = await fetch(`${application.url}/api/v1/sync-links/${path}`, { method, headers });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> & { items: unknown[] } };
}

it('tells Jira what is said on incident.events, and shows the entry to its own workspace only', async () => {
  const record: IncidentEventRecord = opened('a', { workspace_id: WS });
  await platform.eventLog.append([
    {
      ...{ topic: 'incident.events', key: record.incident.id, value: encodeRecord('incident.event.v1', record) },
      headers: { type: 'incident.event.v1' },
    },
  ]);
  const [entry] = await waitFor(
    async () => {
      const { items } = (await call('GET', `${LINK}/entries?state=linked`)).body;
      return items.length === 1 && items;
    },
    { timeoutMs: 30_000 },
  );
  expect(entry).toMatchObject({ incident_id: incidentId('a'), external_key: 'OPS-1', waiting: 0, last_error: null });
  expect((await call('GET', `${LINK}/entries?state=failing`)).body.items).toEqual([]);
  expect((await call('GET', `${LINK}/entries`, 'theirskey')).status).toBe(404);
  expect((await call('GET', `${LINK}/entries?cursor=x`)).status).toBe(422);
});

it('checks a link of the own workspace', async () => {
  const { status, body } = await call('POST', `${LINK}/check`);
  expect([status, body['ok']]).toEqual([200, true]);
  expect(body.items).toContainEqual({ item: 'sign_in', result: 'ok', message: 'signed in as Tocsin' });
  expect((await call('POST', `${LINK}/check`, 'theirskey')).status).toBe(404);
  jira.token = 'no longer this one';
  const refused = await call('POST', `${LINK}/check`);
  expect(refused.body).toMatchObject({ ok: false, items: [{ result: 'ok' }, { item: 'sign_in', result: 'wrong' }] });
  expect(JSON.stringify(refused.body)).not.toContain(SECRET);
});
