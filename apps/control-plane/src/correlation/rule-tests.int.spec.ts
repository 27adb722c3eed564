import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mintId } from '@tocsin/contracts';
import { openJournal } from '@tocsin/event-log/journal';
import {
  loadConfig,
  type Platform,
  type RunningApplication,
  ShellEnvironment,
  startApplication,
  startPlatform,
} from '@tocsin/nest-shell';
import { createPools } from '@tocsin/postgres';
import { testDatabase } from '@tocsin/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { controlPlane } from '../index.ts';

const KEY = `tsk_bootstrapkeyaaaaaaaaaaaaaa_${'s'.repeat(52)}`;
type Json = Record<string, any>; // eslint-disable-line @typescript-eslint/no-explicit-any -- answers are read field by field

let database: Awaited<ReturnType<typeof testDatabase>>;
let directory: string;
let platform: Platform;
let application: RunningApplication;
let pools: ReturnType<typeof createPools>;
let workspaceId: string;

beforeAll(async () => {
  database = await testDatabase({ migrations: [{ schema: 'control_plane', directory: controlPlane.migrations! }] });
  directory = await mkdtemp(join(tmpdir(), 'tocsin-rule-tests-'));
  const environment = { LOG_LEVEL: 'silent', TOCSIN_DATA_DIR: directory, TOCSIN_BOOTSTRAP_API_KEY: KEY };
  platform = await startPlatform({
    ...{ name: 'rule-tests-spec', shell: loadConfig(ShellEnvironment, environment), environment },
    ...{ databaseUrl: database.url, keyRing: `k1:${randomBytes(32).toString('base64')}`, pepper: 'pepper-of-the-spec' },
    openLog: () => openJournal({}),
    definitions: [controlPlane],
  });
  const listen = { host: '127.0.0.1', port: 0 };
  application = await startApplication(platform, [controlPlane.module], [controlPlane.name], listen);
  pools = createPools({ connectionString: database.url, applicationName: 'rule-tests.int.spec', max: 1 });
});
afterAll(async () => {
  await pools?.close();
  await application?.close();
  await database?.drop();
  await rm(directory, { recursive: true, force: true });
});

async function call(method: string, path: string, json?: unknown, key = KEY): Promise<{ status: number; body: Json }> {
  const response = await fetch(`http://127.0.0.1:${application.port}${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, ...(json === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
  });
  return { status: response.status, body: (await response.json()) as Json };
}

/** A receipt as the delivery log keeps it, so many minutes ago. */
async function stored(webhookId: string, minutesAgo: number, payload: unknown, more: { sampled?: boolean } = {}) {
  const id = mintId('rcv', randomBytes(16));
  const at = new Date(Date.now() - minutesAgo * 60_000);
  await pools.pipeline.query(
    `insert into control_plane.inbound_deliveries (id, workspace_id, webhook_id, received_at, status, query, headers, content_type, sampled, payload_absence)
     values ($1, $2, $3, $4, 'settled', '', '{}', 'application/json', $5, $6)`,
    [id, workspaceId, webhookId, at, more.sampled ?? false, payload === undefined ? 'unredactable' : null],
  );
  if (payload !== undefined)
    await pools.pipeline.query(
      `insert into control_plane.inbound_payloads (receipt_id, workspace_id, received_at, body, content_type, truncated, redacted)
       values ($1, $2, $3, $4, 'application/json', false, false)`,
      [id, workspaceId, at, Buffer.from(JSON.stringify(payload))],
    );
  return id;
}

const sameTeam = {
  correlation_rules: {
    rules: [
      {
        ...{ name: 'Same team', priority: 0, weight: 0.9 },
        conditions: {
          operator: 'and',
          items: [
            { field: 'metadata.team', operator: 'exists' },
            { field: 'tags', operator: 'intersects', value: [] },
            { field: 'severity', operator: 'in', value: ['critical', 'high'] },
          ],
        },
      },
    ],
  },
};

describe('POST webhooks/{id}/correlation-rules/test', () => {
  let webhook: string;

  beforeEach(async () => {
    const made = await call('POST', '/api/v1/webhooks', { name: 'shop', connector: 'generic' });
    [webhook, workspaceId] = [made.body['id'] as string, made.body['workspace_id'] as string];
    await pools.pipeline.query('delete from control_plane.inbound_deliveries');
  });
  const run = (json: unknown, query = '') =>
    call('POST', `/api/v1/webhooks/${webhook}/correlation-rules/test${query}`, json);
  const failing = (title: string, more: Json = {}) => ({
    ...{ title, severity: 'critical', dedup_key: title, tags: ['region:eu'], team: 'checkout' },
    ...more,
  });

  it('says which incidents of the last hours would join, by which rule and with which values', async () => {
    const [first, second] = [await stored(webhook, 90, failing('a')), await stored(webhook, 60, failing('b'))];
    await stored(webhook, 30, failing('c', { severity: 'low' }));
    const { status, body } = await run(sameTeam);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      ...{ id: webhook, hours: 24, alerts: 3, complete: true, changes_total: 1 },
      incidents: { now: 3, proposed: 2, unchanged: 1 },
      receipts: { read: 3, skipped: {} },
    });
    const [change] = body['changes'] as Json[];
    expect(change).toMatchObject({ kind: 'join', differing_alerts: 1 });
    expect(change?.['now']).toHaveLength(2);
    expect(change?.['proposed']).toMatchObject([{ title: 'a', alert_count: 2 }]);
    expect(change?.['deciding']).toMatchObject([
      {
        receipt_id: second,
        now: { outcome: 'created', reason: 'new-alert', rule: null },
        proposed: { outcome: 'correlated', reason: 'rule', rule: 'Same team', rules_of: 'webhook' },
      },
    ]);
    expect(first).not.toBe(second);
  });

  it('says what would split, with the nearest miss of the changed rules', async () => {
    await stored(webhook, 90, failing('a'));
    await stored(webhook, 60, failing('b', { severity: 'medium' }));
    const loose = structuredClone(sameTeam);
    loose.correlation_rules.rules[0]!.conditions.items.pop();
    expect((await call('PUT', `/api/v1/webhooks/${webhook}/correlation-rules`, loose)).status).toBe(200);
    const { body } = await run(sameTeam);
    expect(body['changes']).toMatchObject([
      {
        kind: 'split',
        now: [{ alert_count: 2 }],
        proposed: [{ alert_count: 1 }, { alert_count: 1 }],
        deciding: [
          {
            now: { rule: 'Same team' },
            proposed: {
              outcome: 'created',
              nearest_miss: { rule: 'Same team', held: 2, of: 3, failed: [{ field: 'severity', found: ['medium'] }] },
            },
          },
        ],
      },
    ]);
  });

  it('looks at so many hours, and says what it could not look at', async () => {
    await stored(webhook, 200, failing('long ago'));
    await stored(webhook, 50, undefined);
    await stored(webhook, 40, failing('one of many'), { sampled: true });
    expect((await run({}, '?hours=3')).body).toMatchObject({
      ...{ alerts: 1, complete: false, changes: [] },
      receipts: { read: 1, skipped: { unredactable: 1 } },
    });
  });

  it('lets rules of other webhooks of the workspace, and ends, have their say', async () => {
    const other = (await call('POST', '/api/v1/webhooks', { name: 'b', connector: 'generic' })).body['id'] as string;
    await stored(other, 90, failing('a'));
    await stored(other, 70, { dedup_key: 'a', status: 'resolved', title: 'a' });
    await stored(webhook, 60, failing('b'));
    expect((await run(sameTeam)).body).toMatchObject({ alerts: 3, changes: [], incidents: { now: 2, unchanged: 2 } });
  });

  it('refuses what PUT refuses, and knows no webhook of others', async () => {
    const wrong = { rules: [{ name: 'x', conditions: { field: 'title', operator: 'regex', value: '(a' } }] };
    const { status, body } = await run(wrong);
    expect(status).toBe(422);
    expect(body['errors']).toMatchObject([{ path: 'rules[0].conditions.value', code: 'bad-regex' }]);
    expect((await run({}, '?hours=0')).status).toBe(422);
    expect((await run({}, '?hours=soon')).status).toBe(422);
    expect((await call('POST', '/api/v1/webhooks/whk_nobody/correlation-rules/test', {})).status).toBe(404);
    expect(
      (await run({ rules: [{ name: 'x', conditions: { field: 'titel', operator: 'exists' } }] })).body,
    ).toMatchObject({
      warnings: expect.arrayContaining([expect.objectContaining({ code: 'unknown-field' })]) as unknown,
    });
  });
});

describe('a webhook that is saved', () => {
  const save = (json: Json) => call('POST', '/api/v1/webhooks', { name: 'shop', connector: 'generic', ...json });

  it('says which of its conditions name what is not there', async () => {
    const rules = { rules: [{ name: 'r', conditions: { field: 'titel', operator: 'equals', value: 'x' } }] };
    const { status, body } = await save({
      correlation: { rules },
      open_when: { field: 'sevrity', operator: 'exists' },
    });
    expect(status).toBe(201);
    const said = (body['warnings'] as Json[]).map(({ path, code }) => `${path}: ${code}`);
    expect(said).toContain('correlation.rules.rules[0].conditions.field: unknown-field');
    expect(said).toContain('open_when.field: unknown-field');
    expect((await save({})).body['warnings']).toEqual([]);
  });

  it('keeps how its keys are made, and refuses a recipe of what is no field', async () => {
    const { body } = await save({ dedup: { recipe: ['title', 'metadata.host'] } });
    expect(body['dedup']).toMatchObject({ key: 'auto', recipe: ['title', 'metadata.host'], window_hours: 24 });
    const path = `/api/v1/webhooks/${body['id'] as string}`;
    const changed = await call('PATCH', path, { dedup: { key: 'recipe', window_hours: 2 } });
    expect(changed.body['dedup']).toMatchObject({ key: 'recipe', recipe: ['title', 'metadata.host'], window_hours: 2 });
    expect((await save({})).body['dedup']).toMatchObject({
      key: 'auto',
      recipe: ['title', 'severity', 'connection_id'],
    });
    for (const recipe of [['titel'], [], ['status']]) {
      const refused = await call('PATCH', path, { dedup: { recipe } });
      expect(refused.status).toBe(422);
      expect(refused.body['errors']).toMatchObject([{ path: expect.stringContaining('dedup.recipe') as string }]);
    }
  });
});
