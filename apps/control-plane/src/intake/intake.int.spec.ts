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
import { controlPlane } from '../index.ts';

const KEY = `tsk_bootstrapkeyaaaaaaaaaaaaaa_${'s'.repeat(52)}`;

let database: Awaited<ReturnType<typeof testDatabase>>;
let directory: string;
let platform: Platform;
let application: RunningApplication;
beforeAll(async () => {
  database = await testDatabase({ migrations: [{ schema: 'control_plane', directory: controlPlane.migrations! }] });
  directory = await mkdtemp(join(tmpdir(), 'tocsin-intake-'));
  const environment = {
    LOG_LEVEL: 'silent',
    TOCSIN_DATA_DIR: directory,
    TOCSIN_BOOTSTRAP_API_KEY: KEY,
    RATE_LIMIT_MAX_PER_HOUR: '5000',
  };
  platform = await startPlatform({
    name: 'intake-spec',
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
async function call(method: string, path: string, body?: unknown, key = KEY): Promise<Answer> {
  const response = await fetch(`${application.url}/api/v1/${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, ...(body ? { 'content-type': 'application/json' } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  return { status: response.status, body: (await response.json()) as Answer['body'] };
}
const newWebhook = (fields: object = {}, key?: string) =>
  call('POST', 'webhooks', { name: 'Shop', connector: 'generic', ...fields }, key);
const newWorkspace = async (settings?: object) => {
  const slug = `w${randomBytes(6).toString('hex')}`;
  const { status, body } = await call('POST', 'workspaces', { name: 'W', slug, ...(settings ? { settings } : {}) });
  return { status, body, id: String(body['id']), key: (body['api_key'] as { key: string } | undefined)?.key ?? '' };
};
const feedBody = async (id: unknown): Promise<Record<string, unknown>> => {
  const sql = 'select body from control_plane.configuration_feed where id = $1 order by revision desc limit 1';
  const { rows } = await platform.pools.pipeline.query<{ body: Record<string, unknown> }>(sql, [id]);
  return rows[0]?.body ?? {};
};

describe('limits of a webhook', () => {
  it('reject and are not strict until it is told otherwise', async () => {
    const { body: made } = await newWebhook();
    expect(made).toMatchObject({ over_limit: 'reject', limits: { strict: false }, unlocked_at: null });
    expect(await feedBody(made['id'])).toMatchObject({ overLimit: 'reject', limits: { strict: false } });
    const changed = await call('PATCH', `webhooks/${String(made['id'])}`, {
      over_limit: 'rollup',
      limits: { strict: true },
    });
    expect(changed).toMatchObject({ status: 200, body: { over_limit: 'rollup', limits: { strict: true } } });
    const later = await call('PATCH', `webhooks/${String(made['id'])}`, { description: 'x', limits: {} });
    expect(later.body).toMatchObject({ over_limit: 'rollup', limits: { strict: true } });
    expect(await feedBody(made['id'])).toMatchObject({ overLimit: 'rollup', limits: { strict: true } });
  });

  it.each([
    ['over_limit', { over_limit: 'drop' }, 'over_limit'],
    ['limits', { limits: { strict: 'yes' } }, 'limits.strict'],
    ['an unknown limit', { limits: { bytes: 5 } }, 'limits.bytes'],
    ['unlocked_at, which only an unlock sets', { unlocked_at: '2026-11-21T10:00:00Z' }, 'unlocked_at'],
  ])('are refused where %s is wrong', async (_name, fields, path) => {
    expect(await newWebhook(fields)).toMatchObject({
      status: 422,
      body: { code: 'validation-failed', errors: [{ path }] },
    });
  });
});

describe('POST webhooks/{id}/unlock', () => {
  it('says on the feed until when failures are forgiven, and later again', async () => {
    const { body: made } = await newWebhook();
    const path = `webhooks/${String(made['id'])}/unlock`;
    const before = Date.now();
    const first = await call('POST', path);
    expect(first.status).toBe(200);
    const at = Date.parse(first.body['unlocked_at'] as string);
    expect(at).toBeGreaterThanOrEqual(before);
    expect(at).toBeLessThanOrEqual(Date.now());
    expect(await feedBody(made['id'])).toMatchObject({ unlockedAt: first.body['unlocked_at'] });
    const second = await call('POST', path);
    expect(Date.parse(second.body['unlocked_at'] as string)).toBeGreaterThanOrEqual(at);
    expect(second.body['revision']).toBeGreaterThan(first.body['revision'] as number);
    expect(JSON.stringify(second.body)).not.toMatch(/"(token|secret)"/);
  });

  it('is a 404 for a webhook of another workspace, and a 403 without scope admin', async () => {
    const { body: made } = await newWebhook();
    const other = await newWorkspace();
    expect(await call('POST', `webhooks/${String(made['id'])}/unlock`, undefined, other.key)).toMatchObject({
      status: 404,
      body: { code: 'not-found' },
    });
    const { body: reader } = await call('POST', 'api-keys', { name: 'r', scopes: ['read', 'respond'] });
    expect(await call('POST', `webhooks/${String(made['id'])}/unlock`, undefined, String(reader['key']))).toMatchObject(
      { status: 403, body: { code: 'forbidden' } },
    );
    expect(await feedBody(made['id'])).toMatchObject({ unlockedAt: null });
  });
});

describe('settings of a workspace', () => {
  it('say when alerts flap and storm; what is not given stays, and both are published', async () => {
    const { id, key } = await newWorkspace();
    const change = async (settings: object) =>
      (await call('PATCH', `workspaces/${id}`, { settings }, key)).body as { revision: number; settings: object };
    await change({ flapping: { hold_minutes: 15 } });
    const { revision, settings } = await change({ storm: { new_incidents_per_minute: 50 } });
    expect(settings).toMatchObject({
      ...{ flapping: { toggles: 4, window_minutes: 10, hold_minutes: 15 }, storm: { new_incidents_per_minute: 50 } },
    });
    await platform.feed.atLeast(revision, 10_000);
    expect(platform.feed.workspace(id)?.body).toMatchObject({
      ...{ flapping: { toggles: 4, windowMinutes: 10, holdMinutes: 15 }, storm: { newIncidentsPerMinute: 50 } },
    });
    const calm = await change({ storm: { new_incidents_per_minute: null } });
    expect(calm.settings).toMatchObject({ storm: { new_incidents_per_minute: 0 } });
    await platform.feed.atLeast(calm.revision, 10_000);
    expect(platform.feed.workspace(id)?.body.storm).toBeUndefined();
  });

  it('give new webhooks 100 requests per hour, or the number that is set', async () => {
    const { key, id, body } = await newWorkspace();
    expect(body['settings']).toEqual({
      ...{ profile: 'standard', default_rate_limit_per_hour: null },
      flapping: { toggles: 4, window_minutes: 10, hold_minutes: 5 },
      storm: { new_incidents_per_minute: 0 },
    });
    const { body: first } = await newWebhook({}, key);
    const changed = await call('PATCH', `workspaces/${id}`, { settings: { default_rate_limit_per_hour: 750 } }, key);
    expect(changed.body['settings']).toMatchObject({ profile: 'standard', default_rate_limit_per_hour: 750 });
    expect((await newWebhook({}, key)).body['rate_limit_per_hour']).toBe(750);
    expect((await newWebhook({ rate_limit_per_hour: 20 }, key)).body['rate_limit_per_hour']).toBe(20);
    const again = await call('GET', `webhooks/${String(first['id'])}`, undefined, key);
    expect(again.body['rate_limit_per_hour']).toBe(100);
    await call('PATCH', `workspaces/${id}`, { name: 'Renamed', settings: {} }, key);
    expect((await newWebhook({}, key)).body['rate_limit_per_hour']).toBe(750);
    await call('PATCH', `workspaces/${id}`, { settings: { default_rate_limit_per_hour: null } }, key);
    expect((await newWebhook({}, key)).body['rate_limit_per_hour']).toBe(100);
  });

  it('switch to high volume at once: no hourly limit, and rollup over one', async () => {
    const { key, body } = await newWorkspace({ profile: 'high-volume' });
    expect(body['settings']).toMatchObject({
      ...{ profile: 'high-volume', default_rate_limit_per_hour: null },
      storm: { new_incidents_per_minute: 2_000 },
    });
    expect((await newWebhook({}, key)).body).toMatchObject({ rate_limit_per_hour: 0, over_limit: 'rollup' });
    const own = { rate_limit_per_hour: 10, over_limit: 'reject' };
    expect((await newWebhook(own, key)).body).toMatchObject(own);
  });

  it.each([
    [{ profile: 'huge' }, 'settings.profile'],
    [{ default_rate_limit_per_hour: -1 }, 'settings.default_rate_limit_per_hour'],
    [{ default_rate_limit_per_hour: 5_001 }, 'settings.default_rate_limit_per_hour'],
    [{ color: 'red' }, 'settings.color'],
    [{ flapping: { toggles: 1 } }, 'settings.flapping.toggles'],
    [{ storm: { new_incidents_per_minute: -1 } }, 'settings.storm.new_incidents_per_minute'],
  ])('are refused where they are wrong: %j', async (settings, path) => {
    const refusal = { status: 422, body: { code: 'validation-failed', errors: [{ path }] } };
    expect(await newWorkspace(settings)).toMatchObject(refusal);
    const { key, id } = await newWorkspace({ default_rate_limit_per_hour: 5_000 });
    expect(await call('PATCH', `workspaces/${id}`, { settings }, key)).toMatchObject(refusal);
  });
});
