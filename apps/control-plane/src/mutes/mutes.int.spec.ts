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
import { mintId } from '@tocsin/contracts';
import { testDatabase } from '@tocsin/testing';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { controlPlane } from '../index.ts';

const KEY = `tsk_bootstrapkeyaaaaaaaaaaaaaa_${'s'.repeat(52)}`;
type Json = Record<string, any>; // eslint-disable-line @typescript-eslint/no-explicit-any -- answers are read field by field

let database: Awaited<ReturnType<typeof testDatabase>>;
let directory: string;
let platform: Platform;
let application: RunningApplication;
let workspaceId: string;

beforeAll(async () => {
  database = await testDatabase({ migrations: [{ schema: 'control_plane', directory: controlPlane.migrations! }] });
  directory = await mkdtemp(join(tmpdir(), 'tocsin-mutes-'));
  const environment = { LOG_LEVEL: 'silent', TOCSIN_DATA_DIR: directory, TOCSIN_BOOTSTRAP_API_KEY: KEY };
  platform = await startPlatform({
    name: 'mutes-spec',
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
  const { items } = (await call('GET', 'workspaces')).body;
  workspaceId = String((items as Json[])[0]?.['id']);
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
/** Resolves when the feed has every change that was made until now. */
async function followed(): Promise<void> {
  const { rows } = await platform.pools.pipeline.query<{ revision: string }>(
    'select revision from control_plane.feed_head',
  );
  await platform.feed.atLeast(Number(rows[0]?.revision), 10_000);
}

const pathsOf = ({ status, body }: Awaited<ReturnType<typeof call>>): unknown[] => {
  expect(status).toBe(422);
  return (body['errors'] as Json[]).map(({ path, code }) => `${path}: ${code}`);
};

const matchers = { field: 'service', operator: 'equals', value: 'shop' };
const hours = (count: number): string => new Date(Date.now() + count * 3_600_000).toISOString();
const aSilence = (more: Json = {}): Json => ({ comment: 'Known: disk swap', matchers, duration_minutes: 60, ...more });
const made = async (more: Json = {}, path = 'silences') => (await call('POST', path, aSilence(more))).body;

describe('a silence', () => {
  it('is made for some time from now on, shown with its period, and published with its maker', async () => {
    const answer = await call('POST', 'silences', aSilence());
    expect(answer.status).toBe(201);
    const { id } = answer.body;
    expect(answer.body).toMatchObject({
      ...{ name: 'Known: disk swap', comment: 'Known: disk swap', status: 'active', matchers, time_zone: 'UTC' },
      ...{ recurrence: null, created_by: { name: expect.any(String) as string } },
    });
    expect(answer.body['id']).toMatch(/^sil_[a-z2-7]{26}$/);
    const { from, to } = answer.body;
    expect(Date.parse(String(to)) - Date.parse(String(from))).toBe(3_600_000);
    expect(answer.body['period']).toEqual({ from, to });
    expect(answer.headers.get('location')).toBe(`/api/v1/silences/${String(id)}`);
    expect((await call('GET', `silences/${String(id)}`)).body).toEqual(answer.body);
    await followed();
    expect(platform.feed.mutes(workspaceId).find((mute) => mute.id === id)).toMatchObject({
      ...{ kind: 'silence', body: { matchers, schedule: { from, to, timeZone: 'UTC', recurrence: null } } },
    });
  });

  it('takes a list of matchers as all of them', async () => {
    const both = [matchers, { field: 'severity', operator: 'in', value: ['low', 'info'] }];
    expect((await made({ matchers: both }))['matchers']).toEqual({ operator: 'and', items: both });
    expect((await made({ matchers: [matchers] }))['matchers']).toEqual(matchers);
  });

  it('says what its matchers name in vain', async () => {
    const { warnings } = await made({ matchers: { field: 'servise', operator: 'equals', value: 'shop' } });
    expect(warnings).toMatchObject([{ path: 'matchers.field', code: 'unknown-field' }]);
    expect((await made())['warnings']).toEqual([]);
  });

  it('is changed: what is not given stays, and a new start keeps its length', async () => {
    const { id, revision } = await made();
    const path = `silences/${String(id)}`;
    const moved = await call('PATCH', path, { from: hours(10) }, { 'if-match': `"${String(revision)}"` });
    expect(moved.body).toMatchObject({ status: 'scheduled', comment: 'Known: disk swap' });
    expect(Date.parse(String(moved.body['to'])) - Date.parse(String(moved.body['from']))).toBe(3_600_000);
    expect((await call('PATCH', path, { comment: 'x' }, { 'if-match': `"${String(revision)}"` })).status).toBe(412);
    const weekly = { recurrence: { frequency: 'weekly', weekdays: ['mo', 'th'] }, time_zone: 'Europe/Berlin' };
    expect((await call('PATCH', path, weekly)).body).toMatchObject({
      ...{ time_zone: 'Europe/Berlin', recurrence: { frequency: 'weekly', interval: 1, weekdays: ['mo', 'th'] } },
    });
    expect((await call('PATCH', path, { recurrence: null })).body['recurrence']).toBeNull();
  });

  it('is ended at once, whether it runs, is to come, or comes back', async () => {
    const running = await made();
    const ended = await call('POST', `silences/${String(running['id'])}/expire`);
    expect(ended).toMatchObject({ status: 200, body: { status: 'ended', period: null, from: running['from'] } });
    const again = await call('POST', `silences/${String(running['id'])}/expire`);
    expect(again.body).toEqual(ended.body);
    const coming = await made({ from: hours(5) });
    expect((await call('POST', `silences/${String(coming['id'])}/expire`)).body['status']).toBe('ended');
    const nightly = await made({ recurrence: { frequency: 'daily' } });
    const stopped = (await call('POST', `silences/${String(nightly['id'])}/expire`)).body;
    expect(stopped).toMatchObject({ status: 'ended', recurrence: { until: expect.any(String) as string } });
    await followed();
    expect(
      platform.feed.mutes(workspaceId).find(({ id }) => id === nightly['id'])?.body.schedule.recurrence,
    ).toMatchObject({
      until: stopped['recurrence'].until,
    });
  });

  it('is listed by status, page by page, and gone when deleted', async () => {
    const { id } = await made({ from: hours(100), comment: 'far away' });
    await made({ from: hours(101) });
    const idsOf = async (query: string): Promise<string[]> =>
      ((await call('GET', `silences?${query}`)).body['items'] as Json[]).map((item) => String(item['id']));
    expect(await idsOf('status=scheduled')).toContain(id);
    expect(await idsOf('status=active')).not.toContain(id);
    expect(await idsOf('status=ended')).not.toContain(id);
    const first = (await call('GET', 'silences?status=scheduled&limit=1')).body;
    const second = (await call('GET', `silences?status=scheduled&limit=1&cursor=${String(first['next_cursor'])}`)).body;
    expect((second['items'] as Json[])[0]?.['id']).not.toBe((first['items'] as Json[])[0]?.['id']);
    expect((await call('DELETE', `silences/${String(id)}`)).status).toBe(204);
    expect((await call('GET', `silences/${String(id)}`)).status).toBe(404);
    await followed();
    expect(platform.feed.mutes(workspaceId).some((mute) => mute.id === id)).toBe(false);
  });

  it('is made once however often it is sent with the same key', async () => {
    const headers = { 'idempotency-key': 'deploy 42' };
    const first = await call('POST', 'silences', aSilence(), headers);
    const second = await call('POST', 'silences', aSilence({ comment: 'again' }), headers);
    expect(second.body).toEqual(first.body);
  });

  it.each<[string, Json, string[]]>([
    ['no end', { duration_minutes: undefined }, ['to: is-needed']],
    ['two ends', { to: hours(1) }, ['duration_minutes: contradiction']],
    ['an end before its start', { duration_minutes: undefined, from: hours(2), to: hours(1) }, ['to: not-after-from']],
    ['a time without an offset', { from: '2026-11-21T10:00:00' }, ['from: matches']],
    ['no such time zone', { time_zone: 'Mars/Olympus' }, ['time_zone: unknown-time-zone']],
    [
      'days that daily has not',
      { recurrence: { frequency: 'daily', weekdays: ['mo'] } },
      ['recurrence.weekdays: not-applicable'],
    ],
    ['no matchers', { matchers: undefined }, ['matchers: not-a-condition']],
    ['an empty list of matchers', { matchers: [] }, ['matchers.items: empty-group']],
    [
      'a wrong matcher',
      { matchers: [matchers, { field: 'title', operator: 'like', value: 1 }] },
      ['matchers.items[1].operator: unknown-operator'],
    ],
    [
      'a comparison with an incident',
      { matchers: { field: 'services', operator: 'intersects', value: [] } },
      ['matchers.value: no-incident-here'],
    ],
    ['no comment', { comment: '' }, ['comment: is-length']],
  ])('is refused with %s', async (_what, more, problems) => {
    expect(pathsOf(await call('POST', 'silences', aSilence(more)))).toEqual(problems);
  });

  it('of another workspace is not there', async () => {
    const other = await call('POST', 'workspaces', { name: 'Other' });
    const key = String(other.body['api_key'].key);
    await platform.feed.atLeast(Number(other.body['api_key'].revision), 10_000);
    const { id } = await made();
    for (const [method, path] of [
      ['GET', `silences/${String(id)}`],
      ['PATCH', `silences/${String(id)}`],
      ['POST', `silences/${String(id)}/expire`],
      ['DELETE', `silences/${String(id)}`],
    ] as const)
      expect((await call(method, path, method === 'PATCH' ? {} : undefined, { key })).status).toBe(404);
    expect((await call('GET', 'silences', undefined, { key })).body['items']).toEqual([]);
  });

  it('may be made by whoever is on call, a maintenance window by administrators only', async () => {
    const onCall = (await call('POST', 'api-keys', { name: 'on call', scopes: ['respond'] })).body;
    await platform.feed.atLeast(Number(onCall['revision']), 10_000);
    const key = String(onCall['key']);
    expect((await call('POST', 'silences', aSilence(), { key })).status).toBe(201);
    const window = { name: 'w', matchers, duration_minutes: 5 };
    expect((await call('POST', 'maintenance-windows', window, { key })).status).toBe(403);
  });
});

describe('a maintenance window', () => {
  it('is named, needs no comment, comes back, and is published as its own kind', async () => {
    const night = { name: 'Patch night', matchers, from: '2026-11-10T22:00:00+01:00', duration_minutes: 120 };
    const monthly = { ...night, time_zone: 'Europe/Berlin', recurrence: { frequency: 'monthly', weekdays: ['2tu'] } };
    const { status, body } = await call('POST', 'maintenance-windows', monthly);
    expect(status).toBe(201);
    expect(body).toMatchObject({ name: 'Patch night', comment: '', recurrence: { weekdays: ['2tu'], month_days: [] } });
    expect(body['id']).toMatch(/^mnt_/);
    await followed();
    expect(platform.feed.mutes(workspaceId).find(({ id }) => id === body['id'])?.kind).toBe('maintenance-window');
    expect(pathsOf(await call('POST', 'maintenance-windows', { matchers, duration_minutes: 5 }))).toContain(
      'name: is-string',
    );
  });
});

describe('a preview', () => {
  let webhookId: string;
  /** Keeps requests as the inbound log does, minutes before now. */
  async function received(requests: { minutesAgo: number; body: Json }[]): Promise<void> {
    const client = new Client({ connectionString: database.url });
    await client.connect();
    for (const { minutesAgo, body } of requests) {
      const id = mintId('rcv', randomBytes(16));
      const at = new Date(Date.now() - minutesAgo * 60_000);
      await client.query(
        `insert into control_plane.inbound_deliveries (id, workspace_id, webhook_id, received_at, status, connector, method, query, headers)
         values ($1, $2, $3, $4, 'settled', 'generic', 'POST', '', '{}')`,
        [id, workspaceId, webhookId, at],
      );
      await client.query(
        `insert into control_plane.inbound_payloads (receipt_id, workspace_id, received_at, body, content_type, truncated, redacted)
         values ($1, $2, $3, $4, 'application/json', false, false)`,
        [id, workspaceId, at, Buffer.from(JSON.stringify(body))],
      );
    }
    await client.end();
  }
  const fires = (key: string, service: string, status = 'triggered'): Json => ({
    ...{ title: `${service} is slow`, severity: 'high', dedup_key: key, services: [service], status, region: 'eu' },
  });

  beforeAll(async () => {
    const webhook = await call('POST', 'webhooks', { name: 'Shop', connector: 'generic', auth: { method: 'bearer' } });
    webhookId = String(webhook.body['id']);
    await received([
      ...Array.from({ length: 6 }, (_, index) => ({ minutesAgo: 60 - index, body: fires(`shop-${index}`, 'shop') })),
      ...Array.from({ length: 3 }, (_, index) => ({ minutesAgo: 50 - index, body: fires(`mail-${index}`, 'mail') })),
      { minutesAgo: 40, body: fires('shop-0', 'shop') }, // a repeat
      { minutesAgo: 30, body: fires('shop-1', 'shop', 'resolved') },
      { minutesAgo: 60 * 30, body: fires('old', 'shop') },
      { minutesAgo: 20, body: { nothing: 'that is an alert' } },
    ]);
  });

  it('counts live and recent alerts that match, with the newest as samples', async () => {
    const { status, body } = await call('POST', 'silences/preview', { matchers });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      ...{ hours: 24, live: { total: expect.any(Number) as number, matched: 5 }, recent: { matched: 7 }, warnings: [] },
    });
    expect(body['samples'][0]).toMatchObject({
      ...{ title: 'shop is slow', dedup_key: 'shop-0', webhook_id: webhookId, webhook_name: 'Shop', live: true },
    });
    const mail = { field: 'metadata.region', operator: 'equals', value: 'eu' };
    expect((await call('POST', 'maintenance-windows/preview', { matchers: [mail] })).body['live'].matched).toBe(8);
    expect((await call('POST', 'silences/preview', { matchers, hours: 48 })).body['recent'].matched).toBe(8);
  });

  it('warns of fields that there are not, and refuses what is no matcher', async () => {
    const { body } = await call('POST', 'silences/preview', { matchers: [{ field: 'metdata.x', operator: 'exists' }] });
    expect(body).toMatchObject({ live: { matched: 0 }, warnings: [{ path: 'matchers.field', code: 'unknown-field' }] });
    expect(pathsOf(await call('POST', 'silences/preview', { matchers: { field: 'title' } }))).toEqual([
      'matchers.operator: unknown-operator',
    ]);
  });

  it('that matches too large a share of the live alerts refuses the silence, unless it is forced', async () => {
    const refused = await call('POST', 'silences', aSilence());
    expect(refused).toMatchObject({
      ...{ status: 409, body: { code: 'over-broad', preview: { over_broad: true, live: { matched: 5 } } } },
    });
    expect((await call('POST', 'silences', aSilence({ force: true }))).status).toBe(201);
    const narrow = await made({ matchers: { field: 'service', operator: 'equals', value: 'mail' } });
    const path = `silences/${String(narrow['id'])}`;
    expect((await call('PATCH', path, { matchers })).body).toMatchObject({ code: 'over-broad' });
    expect((await call('PATCH', path, { comment: 'as before' })).status).toBe(200);
    expect((await call('PATCH', path, { matchers, force: true })).status).toBe(200);
  });
});
