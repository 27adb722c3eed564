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
import { testDatabase } from '@tocsin/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { controlPlane } from '../index.ts';

const KEY = `tsk_bootstrapkeyaaaaaaaaaaaaaa_${'s'.repeat(52)}`;
type Json = Record<string, any>; // eslint-disable-line @typescript-eslint/no-explicit-any -- answers are read field by field

let database: Awaited<ReturnType<typeof testDatabase>>;
let directory: string;
let platform: Platform;
let application: RunningApplication;

beforeAll(async () => {
  database = await testDatabase({ migrations: [{ schema: 'control_plane', directory: controlPlane.migrations! }] });
  directory = await mkdtemp(join(tmpdir(), 'tocsin-sync-links-'));
  const environment = { LOG_LEVEL: 'silent', TOCSIN_DATA_DIR: directory, TOCSIN_BOOTSTRAP_API_KEY: KEY };
  platform = await startPlatform({
    name: 'sync-links-spec',
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

async function call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(`${application.url}/api/v1/${path}`, {
    method,
    headers: {
      authorization: `Bearer ${headers['key'] ?? KEY}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? {} : (JSON.parse(text) as Json) };
}

const pathsOf = ({ status, body }: Awaited<ReturnType<typeof call>>): unknown[] => {
  expect(status).toBe(422);
  return (body['errors'] as Json[]).map(({ path, code }) => `${path}: ${code}`);
};
const SECRET = 'the-api-token-of-the-integration-user';
const jira = {
  ...{ name: 'OPS tickets', system: 'jira', base_url: 'https://shop.atlassian.example/', project: 'OPS' },
  auth: { method: 'token', username: 'bot@shop.example', secret: SECRET },
};
const make = async (body: object = jira, headers = {}) => call('POST', 'sync-links', body, headers);

it('makes a link with what its vendor delivers, and shows the credential to nobody', async () => {
  const made = await make();
  expect(made.status).toBe(201);
  expect(made.body).toMatchObject({
    ...{ base_url: 'https://shop.atlassian.example', issue_type: 'Task', direction: 'both', poll_seconds: 30 },
    auth: { method: 'token', username: 'bot@shop.example', secret: '********' },
    status_map: { out: { resolved: 'Done' }, in: { 'In Progress': 'acknowledged' } },
  });
  const { id, revision } = made.body;
  await platform.feed.atLeast(revision as number, 10_000);
  const document = platform.feed.syncLinks().find((link) => link.id === id)!;
  expect(
    platform.keyRing.open(platform.feed.workspace(document.workspaceId)!, document.id, document.body.auth.secret),
  ).toBe(SECRET);
  const { rows } = await platform.pools.pipeline.query(
    'select settings::text, body::text from control_plane.sync_links, control_plane.configuration_feed',
  );
  expect(JSON.stringify([made.body, (await call('GET', `sync-links/${id}`)).body, rows])).not.toContain(SECRET);
});

it('makes one for one Idempotency-Key', async () => {
  const [first, second] = [
    await make(jira, { 'idempotency-key': 'k1' }),
    await make(jira, { 'idempotency-key': 'k1' }),
  ];
  expect(second.body['id']).toBe(first.body['id']);
});

it('changes parts, keeps a masked credential, and does not send it to another address', async () => {
  const { id, ...shown } = (await make()).body;
  const patch = (body: object, headers = {}) => call('PATCH', `sync-links/${id}`, body, headers);
  const kept = await patch({ status_map: { out: { resolved: 'Closed' } }, auth: shown['auth'] });
  expect(kept.body).toMatchObject({ status_map: { out: { resolved: 'Closed' }, in: { Done: 'resolved' } } });
  expect(pathsOf(await patch({ base_url: 'https://evil.example' }))).toEqual(['auth.secret: is-needed']);
  expect(
    pathsOf(await patch({ auth: { method: 'oauth2', client_id: 'a', token_url: 'https://evil.example/t' } })),
  ).toEqual(['auth.secret: is-needed']);
  const moved = await patch({
    base_url: 'https://jira.shop.example/jira',
    auth: { method: 'token', secret: 'another token' },
  });
  expect(moved.body).toMatchObject({
    base_url: 'https://jira.shop.example/jira',
    auth: { username: 'bot@shop.example' },
  });
  expect((await patch({ active: false }, { 'if-match': '"1"' })).status).toBe(412);
  expect((await call('DELETE', `sync-links/${id}`)).status).toBe(204);
  expect((await call('GET', `sync-links/${id}`)).status).toBe(404);
});

it('names what cannot be', async () => {
  expect(pathsOf(await make({ ...jira, project: null }))).toEqual(['project: is-needed']);
  expect(pathsOf(await make({ ...jira, table: 'incident' }))).toEqual(['table: not-applicable']);
  expect(pathsOf(await make({ ...jira, auth: { method: 'basic', secret: 'x' } }))).toEqual([
    'auth.username: is-needed',
  ]);
  expect(pathsOf(await make({ ...jira, status_map: { out: { closed: 'Done' } } }))).toEqual([
    'status_map.out.closed: unknown-status',
  ]);
  expect(pathsOf(await make({ ...jira, status_map: { in: { Done: 'closed' } } }))).toEqual([
    'status_map.in.Done: is-in',
  ]);
  expect(pathsOf(await make({ ...jira, field_map: [{ field: 'tags', external: 'labels' }] }))).toEqual([
    'field_map[0].external: reserved',
  ]);
  expect(pathsOf(await make({ ...jira, field_map: [{ field: 'number', external: 'n', direction: 'in' }] }))).toEqual([
    'field_map[0].field: out-only',
  ]);
  expect(pathsOf(await make({ ...jira, webhook_id: `whk_${'a'.repeat(26)}` }))).toEqual([
    'webhook_id: unknown-webhook',
  ]);
  for (const base_url of [
    'https://10.0.0.1',
    'http://shop.example',
    'https://2130706433/',
    'https://[::ffff:127.0.0.1]',
    'https://u:p@shop.example',
  ])
    expect((await make({ ...jira, base_url })).body).toMatchObject({ code: 'url-not-allowed' });
  const metadata = { method: 'oauth2', client_id: 'a', token_url: 'https://169.254.169.254/token', secret: 'x' };
  expect((await make({ ...jira, auth: metadata })).body).toMatchObject({
    code: 'url-not-allowed',
    setting: 'OUTBOUND_ALLOW',
  });
});
