import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openJournal } from '@tocsin/event-log/journal';
import {
  loadConfig,
  ShellEnvironment,
  startApplication,
  startPlatform,
  type Platform,
  type RunningApplication,
} from '@tocsin/nest-shell';
import { testDatabase } from '@tocsin/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { controlPlane } from './index.ts';

const KEY = `tsk_bootstrapkeyaaaaaaaaaaaaaa_${'s'.repeat(52)}`;

let database: Awaited<ReturnType<typeof testDatabase>>;
let directory: string;
let platform: Platform;
let application: RunningApplication;
beforeAll(async () => {
  database = await testDatabase({ migrations: [{ schema: 'control_plane', directory: controlPlane.migrations! }] });
  directory = await mkdtemp(join(tmpdir(), 'tocsin-incident-rules-'));
  const environment = {
    LOG_LEVEL: 'silent',
    TOCSIN_DATA_DIR: directory,
    TOCSIN_BOOTSTRAP_API_KEY: KEY,
  };
  platform = await startPlatform({
    name: 'incident-rules-spec',
    shell: loadConfig(ShellEnvironment, environment),
    environment,
    databaseUrl: database.url,
    keyRing: `k1:${randomBytes(32).toString('base64')}`,
    pepper: 'pepper-of-the-test-installation',
    openLog: () => openJournal({}),
    definitions: [controlPlane],
  });
  const at = { host: '127.0.0.1', port: 0 };
  application = await startApplication(platform, [controlPlane.module], [controlPlane.name], at);
});
afterAll(async () => {
  await application?.close();
  await database?.drop();
  await rm(directory, { recursive: true, force: true });
});

interface Answer {
  status: number;
  body: Record<string, unknown>;
}
async function call(method: string, path: string, body?: unknown): Promise<Answer> {
  const response = await fetch(`${application.url}/api/v1/${path}`, {
    method,
    headers: { authorization: `Bearer ${KEY}`, ...(body ? { 'content-type': 'application/json' } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  return { status: response.status, body: (await response.json()) as Answer['body'] };
}
const newWebhook = (fields: object = {}) => call('POST', 'webhooks', { name: 'Shop', connector: 'generic', ...fields });
const feedBody = async (id: unknown): Promise<Record<string, unknown>> => {
  const sql = 'select body from control_plane.configuration_feed where id = $1 order by revision desc limit 1';
  const { rows } = await platform.pools.pipeline.query<{ body: Record<string, unknown> }>(sql, [id]);
  return rows[0]?.body ?? {};
};

describe('what alerts of a webhook do to their incident', () => {
  it('is the usual until it is told otherwise', async () => {
    const { body: made } = await newWebhook();
    expect(made).toMatchObject({
      dedup: { severity_policy: 'highest', ack_from_source: true },
      auto_resolve_after_minutes: null,
    });
    expect(await feedBody(made['id'])).not.toHaveProperty('autoResolveAfterMinutes');
  });

  it('is set and changed part by part, and goes to every service by the feed', async () => {
    const { body: made } = await newWebhook({
      dedup: { severity_policy: 'latest', ack_from_source: false },
      auto_resolve_after_minutes: 60,
    });
    const id = String(made['id']);
    expect(await feedBody(id)).toMatchObject({
      dedup: { severityPolicy: 'latest', ackFromSource: false },
      autoResolveAfterMinutes: 60,
    });
    const { body: changed } = await call('PATCH', `webhooks/${id}`, {
      dedup: { severity_policy: 'first', window_hours: 48 },
      auto_resolve_after_minutes: null,
    });
    expect(changed).toMatchObject({
      dedup: { severity_policy: 'first', ack_from_source: false, window_hours: 48 },
      auto_resolve_after_minutes: null,
    });
    expect((await call('GET', `webhooks/${id}`)).body).toMatchObject({ dedup: { severity_policy: 'first' } });
    expect(await feedBody(id)).not.toHaveProperty('autoResolveAfterMinutes');
  });

  it.each([
    [{ dedup: { severity_policy: 'loudest' } }, 'dedup.severity_policy'],
    [{ dedup: { ack_from_source: 'no' } }, 'dedup.ack_from_source'],
    [{ auto_resolve_after_minutes: 0 }, 'auto_resolve_after_minutes'],
    [{ auto_resolve_after_minutes: 43_201 }, 'auto_resolve_after_minutes'],
  ])('is refused: %j', async (fields, path) => {
    const { status, body } = await newWebhook(fields);
    expect({ status, errors: body['errors'] }).toMatchObject({
      status: 422,
      errors: expect.arrayContaining([expect.objectContaining({ path })]) as unknown,
    });
  });

  it('is suggested for a source that never resolves, by its connector', async () => {
    const { body } = await call('GET', 'connectors?limit=200');
    const items = body['items'] as { resolves: boolean; suggested_auto_resolve_after_minutes: number | null }[];
    expect(items.some(({ resolves }) => !resolves)).toBe(true);
    for (const { resolves, suggested_auto_resolve_after_minutes: suggested } of items)
      expect(suggested === null).toBe(resolves);
  });
});
