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
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { controlPlane } from '../index.ts';

const KEY = `tsk_bootstrapkeyaaaaaaaaaaaaaa_${'s'.repeat(52)}`;
const RING = `k1:${randomBytes(32).toString('base64')}`;
const PEPPER = 'pepper-of-the-test-installation';
const PUBLIC_URL = 'https://tocsin.example';

let database: Awaited<ReturnType<typeof testDatabase>>;
let directory: string;
let platform: Platform;
let application: RunningApplication;

beforeAll(async () => {
  database = await testDatabase({ migrations: [{ schema: 'control_plane', directory: controlPlane.migrations! }] });
  directory = await mkdtemp(join(tmpdir(), 'tocsin-correlation-'));
  const environment = {
    LOG_LEVEL: 'silent',
    TOCSIN_DATA_DIR: directory,
    TOCSIN_PUBLIC_URL: PUBLIC_URL,
    TOCSIN_BOOTSTRAP_API_KEY: KEY,
    OUTBOUND_ALLOW: '10.1.0.0/16',
  };
  platform = await startPlatform({
    name: 'correlation-spec',
    shell: loadConfig(ShellEnvironment, environment),
    environment,
    databaseUrl: database.url,
    keyRing: RING,
    pepper: PEPPER,
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

type Json = Record<string, any>; // eslint-disable-line @typescript-eslint/no-explicit-any -- answers are read field by field
interface Answer {
  status: number;
  etag: string | null;
  location: string | null;
  cache: string | null;
  type: string | null;
  body: Json;
  text: string;
}

async function call(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
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
  const type = response.headers.get('content-type');
  return {
    status: response.status,
    etag: response.headers.get('etag'),
    location: response.headers.get('location'),
    cache: response.headers.get('cache-control'),
    type,
    text,
    body: text === '' ? {} : (JSON.parse(text) as Json),
  };
}

const newWebhook = async (fields: Json = {}): Promise<Answer> =>
  call('POST', 'webhooks', { name: 'Shop', connector: 'generic', auth: { method: 'bearer' }, ...fields });
const idOf = async (): Promise<string> => String((await newWebhook()).body['id']);
const pathsOf = ({ status, body }: Answer): unknown[] => {
  expect(status).toBe(422);
  return (body['errors'] as { path: string; code: string }[]).map(({ path, code }) => `${path}: ${code}`);
};
const sameHost = {
  ...{ name: 'Same service, bad enough', priority: 1, weight: 0.8 },
  conditions: {
    operator: 'and',
    items: [
      { field: 'services', operator: 'intersects', value: [] },
      { field: 'severity', operator: 'in', value: ['critical', 'high'] },
    ],
  },
};

describe('open_when', () => {
  const severe = { field: 'severity', operator: 'in', value: ['critical', 'high'] };

  it('is kept, shown, published on the feed and taken away again', async () => {
    const made = await newWebhook({ open_when: severe });
    expect(made.body).toMatchObject({ open_when: severe });
    const path = `webhooks/${String(made.body['id'])}`;
    await platform.feed.refresh();
    expect(platform.feed.webhook(String(made.body['id']))?.body.openWhen).toEqual(severe);
    expect((await call('PATCH', path, { name: 'Other' })).body).toMatchObject({ open_when: severe });
    expect((await call('PATCH', path, { open_when: null })).body).toMatchObject({ open_when: null });
  });

  it.each([
    ['a word that is no operator', { ...severe, operator: 'among' }, 'open_when.operator: unknown-operator'],
    [
      'a condition deep inside',
      { operator: 'or', items: [severe, { field: 'title', operator: 'regex', value: '(' }] },
      'open_when.items[1].value: bad-regex',
    ],
    [
      'an incident, which there is none yet',
      { field: 'services', operator: 'intersects', value: [] },
      'open_when.value: no-incident-here',
    ],
    ['text that cannot be stored', { ...severe, value: ['a\u0000'] }, 'open_when: unstorable-text'],
  ])('is refused for %s, with its path', async (_what, open_when, problem) => {
    expect(pathsOf(await newWebhook({ open_when }))).toEqual([problem]);
  });
});

describe('correlation rules', () => {
  it('of a webhook are replaced as a whole, with defaults, and published', async () => {
    const id = await idOf();
    const path = `webhooks/${id}/correlation-rules`;
    expect((await call('GET', path)).body).toMatchObject({
      enable_correlation: true,
      correlation_rules: null,
      warnings: [],
    });
    const document = {
      enable_correlation: true,
      correlation_rules: { enabled: true, min_match_weight: 0.5, rules: [sameHost] },
    };
    const put = await call('PUT', path, document);
    expect(put).toMatchObject({ status: 200, body: document });
    expect(put.body).toMatchObject({
      correlation_rules: { strategy: 'first', candidate_max_age_hours: 24, rules: [{ applies_to: 'both' }] },
    });
    expect((await call('GET', path)).body).toEqual(put.body);
    await platform.feed.refresh();
    expect(platform.feed.webhook(id)?.body.correlation.rules).toMatchObject({
      minMatchWeight: 0.5,
      rules: [{ name: sameHost.name }],
    });
    expect((await call('PUT', path, { rules: [] }, { 'if-match': '"1"' })).status).toBe(412);
    expect((await call('PUT', path, { enable_correlation: false })).body).toMatchObject({
      enable_correlation: false,
      correlation_rules: null,
    });
  });

  it('are taken bare, and beside the other settings of a webhook', async () => {
    const bare = await call('PUT', `webhooks/${await idOf()}/correlation-rules`, {
      strategy: 'sum',
      rules: [sameHost],
    });
    expect(bare.body).toMatchObject({ correlation_rules: { strategy: 'sum', rules: [{ name: sameHost.name }] } });
    const made = await newWebhook({ correlation: { by: 'tag:env', rules: { rules: [sameHost] } } });
    expect(made.body).toMatchObject({ correlation: { by: 'tag:env', rules: { rules: [{ name: sameHost.name }] } } });
  });

  it('are refused with the path of every condition that is wrong', async () => {
    const broken = {
      ...sameHost,
      conditions: { operator: 'and', items: [{ field: 'title', operator: 'like', value: 'x' }] },
    };
    const answer = await call('PUT', `webhooks/${await idOf()}/correlation-rules`, {
      correlation_rules: { rules: [broken, sameHost, { ...sameHost, conditions: {} }] },
    });
    expect(pathsOf(answer)).toEqual([
      'correlation_rules.rules[0].conditions.items[0].operator: unknown-operator',
      'correlation_rules.rules[2].conditions.field: bad-field',
    ]);
    expect(pathsOf(await newWebhook({ correlation: { by: 'host' } }))).toEqual([
      expect.stringMatching(/^correlation\.by: /),
    ]);
  });

  it('warn of an unknown field, and of a rule that can only look at the newest incidents', async () => {
    const odd = { name: 'odd', conditions: { field: 'metdata.x', operator: 'exists' } };
    const { status, body } = await call('PUT', `webhooks/${await idOf()}/correlation-rules`, { rules: [odd] });
    expect(status).toBe(200);
    expect((body['warnings'] as { path: string; code: string }[]).map(({ path, code }) => [path, code])).toEqual([
      ['rules[0].conditions.field', 'unknown-field'],
      ['rules[0].conditions', 'looks-at-newest'],
    ]);
  });

  it('of a workspace are published for all its webhooks; those of another are not there', async () => {
    const { items } = (await call('GET', 'workspaces')).body as { items: { id: string }[] };
    const id = items[0]?.id ?? '';
    const put = await call('PUT', `workspaces/${id}/correlation-rules`, { rules: [sameHost] });
    expect(put).toMatchObject({ status: 200, body: { id, correlation_rules: { rules: [{ name: sameHost.name }] } } });
    await platform.feed.refresh();
    expect(platform.feed.workspace(id)?.body.correlationRules).toMatchObject({ rules: [{ name: sameHost.name }] });
    expect((await call('PUT', `workspaces/${id}/correlation-rules`, { enable_correlation: true })).status).toBe(422);
    for (const path of ['workspaces/ws_other', 'webhooks/whk_other'])
      expect((await call('GET', `${path}/correlation-rules`)).status).toBe(404);
  });
});
