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
let workspaceId: string;

async function call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(`${application.url}/api/v1/${path}`, {
    method,
    headers: {
      authorization: `Bearer ${KEY}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: (text === '' ? {} : JSON.parse(text)) as Json };
}
const put = (body: object, headers = {}) => call('PUT', `workspaces/${workspaceId}/investigator`, body, headers);

beforeAll(async () => {
  database = await testDatabase({ migrations: [{ schema: 'control_plane', directory: controlPlane.migrations! }] });
  directory = await mkdtemp(join(tmpdir(), 'tocsin-investigators-'));
  const environment = { LOG_LEVEL: 'silent', TOCSIN_DATA_DIR: directory, TOCSIN_BOOTSTRAP_API_KEY: KEY };
  platform = await startPlatform({
    name: 'investigators-spec',
    shell: loadConfig(ShellEnvironment, environment),
    environment,
    databaseUrl: database.url,
    keyRing: `k1:${randomBytes(32).toString('base64')}`,
    pepper: 'pepper-of-the-test-installation',
    openLog: () => openJournal({}),
    definitions: [controlPlane],
  });
  const where = { host: '127.0.0.1', port: 0 };
  application = await startApplication(platform, [controlPlane.module], [controlPlane.name], where);
  const { body } = await call('GET', 'workspaces');
  workspaceId = (body['items'] as Json[])[0]!['id'] as string;
});
afterAll(async () => {
  await application?.close();
  await database?.drop();
  await rm(directory, { recursive: true, force: true });
});

const URL_A = 'https://agent.shop.example/investigate';

/** Secrets of the feed in the clear, the current one first. */
async function published(revision: number): Promise<string[]> {
  await platform.feed.atLeast(revision, 10_000);
  const workspace = platform.feed.workspace(workspaceId)!;
  return (workspace.body.investigator?.secrets ?? []).map(({ sealed }) =>
    platform.keyRing.open(workspace, workspaceId, sealed),
  );
}

it('names an investigator, shows the secret once, and rotates it with an overlap', async () => {
  const none = await call('GET', `workspaces/${workspaceId}/investigator`);
  expect(none.body).toMatchObject({ id: workspaceId, investigator: null });
  const made = await put({ url: URL_A });
  expect(made.body).toMatchObject({ investigator: { url: URL_A, timeout_seconds: 30, result_minutes: 60 } });
  const secret = made.body['secret'] as string;
  expect(secret).toMatch(/^whsec_/);
  expect(await published(made.body['revision'] as number)).toEqual([secret]);
  const again = await put({ url: URL_A, timeout_seconds: 5 });
  expect(again.body).not.toHaveProperty('secret');
  expect(again.body).toMatchObject({ investigator: { timeout_seconds: 5 } });
  expect(await published(again.body['revision'] as number)).toEqual([secret]);
  const rotated = await put({ url: URL_A, secret: 'a-secret-of-our-own' });
  expect(rotated.body).not.toHaveProperty('secret');
  expect(await published(rotated.body['revision'] as number)).toEqual(['a-secret-of-our-own', secret]);
  const moved = await put({ url: 'https://other.shop.example/' });
  expect(await published(moved.body['revision'] as number)).toEqual([moved.body['secret']]);
  const shown = JSON.stringify((await call('GET', `workspaces/${workspaceId}/investigator`)).body);
  expect(shown).not.toContain(moved.body['secret']);
  expect(JSON.stringify((await call('GET', `workspaces/${workspaceId}`)).body)).not.toContain('sealed');
  expect((await put({ url: URL_A }, { 'if-match': '"1"' })).status).toBe(412);
});

it('leaves it to Tocsin again', async () => {
  await put({ url: URL_A });
  expect((await call('DELETE', `workspaces/${workspaceId}/investigator`)).status).toBe(204);
  const { body } = await call('GET', `workspaces/${workspaceId}/investigator`);
  expect(body).toMatchObject({ investigator: null });
  expect(await published(body['revision'] as number)).toEqual([]);
  expect((await call('DELETE', `workspaces/${workspaceId}/investigator`)).status).toBe(404);
});

it.each([
  'https://10.0.0.1/',
  'http://shop.example/',
  'https://2130706433/',
  'https://[::ffff:127.0.0.1]/',
  'https://169.254.169.254/latest',
  'https://u:p@shop.example/',
  'ftp://shop.example/',
])('refuses %s', async (url) => {
  expect((await put({ url })).body).toMatchObject({ status: 422, code: 'url-not-allowed' });
});

it('names what is wrong, and keeps to its workspace', async () => {
  expect((await put({ url: URL_A, timeout_seconds: 500 })).status).toBe(422);
  expect((await put({ url: URL_A, secret: 'short' })).status).toBe(422);
  expect((await call('PUT', `workspaces/ws_${'a'.repeat(26)}/investigator`, { url: URL_A })).status).toBe(404);
});
