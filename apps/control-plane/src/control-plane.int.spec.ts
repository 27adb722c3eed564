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
import { controlPlane } from './index.ts';

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
  directory = await mkdtemp(join(tmpdir(), 'tocsin-control-plane-'));
  const environment = {
    LOG_LEVEL: 'silent',
    TOCSIN_DATA_DIR: directory,
    TOCSIN_PUBLIC_URL: PUBLIC_URL,
    TOCSIN_BOOTSTRAP_API_KEY: KEY,
    OUTBOUND_ALLOW: '10.1.0.0/16',
  };
  platform = await startPlatform({
    name: 'control-plane-spec',
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
  call('POST', 'webhooks', { name: 'Shop', connector: 'generic', ...fields });
const newSubscription = async (fields: Json = {}): Promise<Answer> =>
  call('POST', 'subscriptions', { url: 'https://receiver.example/hook', events: ['*'], ...fields });
const feedBody = async (id: string): Promise<Json> =>
  (
    await platform.pools.pipeline.query(
      'select body from control_plane.configuration_feed where id = $1 order by revision desc limit 1',
      [id],
    )
  ).rows[0].body;

describe('a webhook', () => {
  it('raises alerts of failed deployments until it is told otherwise', async () => {
    const { body: made } = await newWebhook({ connector: 'harness-deployment' });
    expect(made).toMatchObject({ changes: { alert_on_failure: true } });
    const changed = await call('PATCH', `webhooks/${made['id']}`, { changes: { alert_on_failure: false } });
    expect(changed).toMatchObject({ status: 200, body: { changes: { alert_on_failure: false } } });
    expect(await feedBody(made['id'] as string)).toMatchObject({ changes: { alertOnFailure: false } });
    expect(await call('PATCH', `webhooks/${made['id']}`, { changes: { alert_on_failure: 'no' } })).toMatchObject({
      status: 422,
      body: { code: 'validation-failed', errors: [{ path: 'changes.alert_on_failure' }] },
    });
  });

  it('rings the bell for its incidents only where it is told to', async () => {
    const { body: made } = await newWebhook();
    expect(made).toMatchObject({ rca: { auto_trigger: true, notify_workspace: false } });
    const changed = await call('PATCH', `webhooks/${made['id']}`, { rca: { notify_workspace: true } });
    expect(changed.body).toMatchObject({ rca: { auto_trigger: true, notify_workspace: true } });
    expect(await feedBody(made['id'] as string)).toMatchObject({ rca: { autoTrigger: true, notifyWorkspace: true } });
  });

  it('is made with its address, token and secret, which no later answer shows', async () => {
    const made = await newWebhook();
    expect(made.status).toBe(201);
    const { id, token, secret } = made.body;
    expect(made).toMatchObject({
      etag: `"${made.body['revision']}"`,
      location: `/api/v1/webhooks/${id}`,
      cache: 'no-store',
    });
    expect(made.body).toMatchObject({
      url: `${PUBLIC_URL}/webhook/${token}/trigger`,
      integration_url: `${PUBLIC_URL}/api/integrations/webhook?integrationId=${id}`,
      auth: { method: 'bearer' },
      respond: 'wait',
      rate_limit_per_hour: 100,
      has_secret: true,
    });
    for (const later of [
      await call('GET', `webhooks/${id}`),
      await call('GET', 'webhooks?limit=200'),
      await call('PATCH', `webhooks/${id}`, { name: 'Shop 2' }),
    ]) {
      expect(later.status).toBe(200);
      expect(later.text).toContain(id);
      expect(later.text).not.toContain(token);
      expect(later.text).not.toContain(secret);
      expect(later.text).not.toContain('v1.');
    }
  });

  it.each<[string, Json, string, string]>([
    ['an unknown connector', { connector: 'carrier-pigeon' }, 'connector', 'unknown-connector'],
    ['no name', { name: undefined }, 'name', 'is-length'],
    ['a name with a line break', { name: 'a\nb' }, 'name', 'matches'],
    ['a name with half a character', { name: 'a\ud800' }, 'name', 'matches'],
    ['a null name', { name: null }, 'name', 'is-length'],
    ['a negative rate', { rate_limit_per_hour: -1 }, 'rate_limit_per_hour', 'min'],
    ['a rate over the top', { rate_limit_per_hour: 10_001 }, 'rate_limit_per_hour', 'max'],
    ['a rate that is a text', { rate_limit_per_hour: '100' }, 'rate_limit_per_hour', 'is-int'],
    ['a dedup window of 0 h', { dedup: { window_hours: 0 } }, 'dedup.window_hours', 'min'],
    ['a dedup window of 169 h', { dedup: { window_hours: 169 } }, 'dedup.window_hours', 'max'],
    ['a correlation window of 0 min', { correlation: { window_minutes: 0 } }, 'correlation.window_minutes', 'min'],
    [
      'a correlation window over a day',
      { correlation: { window_minutes: 1_441 } },
      'correlation.window_minutes',
      'max',
    ],
    ['a group that is a list', { dedup: [] }, 'dedup', 'is-object'],
    ['a group that is null', { rca: null }, 'rca', 'is-object'],
    ['an unknown severity', { rca: { min_severity: 'apocalyptic' } }, 'rca.min_severity', 'is-in'],
    ['an unknown field', { colour: 'red' }, 'colour', 'whitelist-validation'],
    ['an unknown field inside a group', { dedup: { windowHours: 3 } }, 'dedup.windowHours', 'whitelist-validation'],
    ['an unknown method', { auth: { method: 'handshake' } }, 'auth.method', 'is-in'],
    [
      'a scheme of its own that the platform has not',
      { connector: 'prometheus', auth: { method: 'vendor' } },
      'auth.method',
      'no-vendor-scheme',
    ],
    ['a user name with a colon', { auth: { method: 'basic', username: 'a:b' } }, 'auth.username', 'no-colon'],
    ['a negative alert rate', { rate_limit_alerts_per_minute: -1 }, 'rate_limit_alerts_per_minute', 'min'],
    ['a subject that is no text', { auth: { method: 'bearer', subjects: [1] } }, 'auth.subjects', 'is-string'],
    ['a header name with a space', { auth: { method: 'hmac', header: 'X Signature' } }, 'auth.header', 'matches'],
    ['a short secret', { secret: 'short' }, 'secret', 'is-length'],
  ])('is refused with %s', async (_name, fields, path, code) => {
    const refused = await newWebhook(fields);
    expect(refused.status).toBe(422);
    expect(refused.type).toContain('application/problem+json');
    expect(refused.body['code']).toBe('validation-failed');
    expect(refused.body['errors']).toEqual(expect.arrayContaining([expect.objectContaining({ path, code })]));
  });

  it.each([
    ['rate_limit_per_hour', 0],
    ['rate_limit_per_hour', 1],
    ['rate_limit_per_hour', 10_000],
  ])('may have %s %i', async (field, value) => expect((await newWebhook({ [field]: value })).body[field]).toBe(value));

  it('has no secret when "none" is asked for, and gets one when it leaves "none"', async () => {
    const made = await newWebhook({ auth: { method: 'none' } });
    expect(made.body).toMatchObject({ auth: { method: 'none' }, has_secret: false });
    expect(made.body).not.toHaveProperty('secret');
    const changed = await call('PATCH', `webhooks/${made.body['id']}`, { auth: { method: 'hmac' } });
    expect(changed.body).toMatchObject({
      auth: { method: 'hmac' },
      has_secret: true,
      secret: expect.stringMatching(/^[a-z2-7]{52}$/),
    });
  });

  it.each(['bearer', 'api_key', 'basic', 'query_token', 'hmac', 'vendor'])('may authenticate by %s', async (method) => {
    const made = await newWebhook({ auth: { method } });
    expect(made.body).toMatchObject({ auth: { method }, has_secret: true, secret: expect.any(String) });
  });

  it('cuts the old method at once, with its header, and keeps its secret', async () => {
    const { id } = (await newWebhook({ auth: { method: 'bearer', header: 'X-Ours' } })).body;
    const before = await feedBody(id);
    const changed = await call('PATCH', `webhooks/${id}`, { auth: { method: 'hmac' } });
    expect(changed.body).toMatchObject({ auth: { method: 'hmac', header: null }, previous_auth: null });
    expect(changed.body).not.toHaveProperty('secret');
    const after = await feedBody(id);
    expect(after).not.toHaveProperty('previousAuth');
    expect(after['secrets']).toEqual(before['secrets']);
  });

  it('keeps the old method with its secrets where an overlap is asked for, and cuts it with the next change', async () => {
    const { id } = (await newWebhook({ auth: { method: 'bearer' } })).body;
    const before = await feedBody(id);
    const changed = await call('PATCH', `webhooks/${id}`, { auth: { method: 'none' }, overlap_hours: 2 });
    expect(changed.body['previous_auth']).toEqual({ method: 'bearer', not_after: expect.any(String) });
    const end = Date.parse(changed.body['previous_auth'].not_after) - Date.parse(changed.body['updated_at']);
    expect(end).toBe(2 * 3_600_000);
    expect(await feedBody(id)).toMatchObject({
      auth: { method: 'none' },
      secrets: [],
      previousAuth: { auth: { method: 'bearer' }, secrets: before['secrets'] },
    });
    await call('PATCH', `webhooks/${id}`, { auth: { method: 'hmac' } });
    expect(await feedBody(id)).not.toHaveProperty('previousAuth');
  });

  it('takes another platform, where that can be authenticated in the same way', async () => {
    const { id } = (await newWebhook({ connector: 'prometheus', auth: { method: 'bearer' } })).body;
    expect((await call('PATCH', `webhooks/${id}`, { connector: 'generic' })).body).toMatchObject({
      connector: 'generic',
      auth: { method: 'bearer' },
    });
    expect(await feedBody(id)).toMatchObject({ connector: 'generic' });
    expect((await call('PATCH', `webhooks/${id}`, { connector: 'no-such' })).status).toBe(422);
    const vendor = (await newWebhook({ connector: 'gitlab', auth: { method: 'vendor' } })).body;
    const refused = await call('PATCH', `webhooks/${vendor.id}`, { connector: 'prometheus' });
    expect(refused).toMatchObject({ status: 422, body: { errors: [{ code: 'no-vendor-scheme' }] } });
    expect(await feedBody(vendor.id)).toMatchObject({ connector: 'gitlab' });
  });

  it('changes only what is given', async () => {
    const { id } = (await newWebhook({ dedup: { window_hours: 12 } })).body;
    const changed = await call('PATCH', `webhooks/${id}`, { dedup: { reopen_minutes: 5 } });
    expect(changed.body['dedup']).toMatchObject({
      window_hours: 12,
      window_from: 'last',
      reopen_minutes: 5,
      resolve_policy: 'all',
    });
  });

  it('refuses a change that was made on an older revision', async () => {
    const made = await newWebhook();
    const path = `webhooks/${made.body['id']}`;
    const changed = await call('PATCH', path, { name: 'First' }, { 'if-match': made.etag! });
    expect(changed.status).toBe(200);
    expect(changed.etag).toBe(`"${changed.body['revision']}"`);
    const late = await call('PATCH', path, { name: 'Second' }, { 'if-match': made.etag! });
    expect(late).toMatchObject({ status: 412, etag: changed.etag, body: { code: 'precondition-failed' } });
    expect((await call('DELETE', path, undefined, { 'if-match': made.etag! })).status).toBe(412);
    expect((await call('GET', path)).body['name']).toBe('First');
    expect((await call('PATCH', path, {}, { 'if-match': 'yesterday' })).status).toBe(412);
  });

  it('is gone after its removal, from the feed too', async () => {
    const { id } = (await newWebhook()).body;
    expect((await call('DELETE', `webhooks/${id}`)).status).toBe(204);
    for (const method of ['GET', 'DELETE']) expect((await call(method, `webhooks/${id}`)).status).toBe(404);
    await platform.feed.refresh();
    await expect.poll(() => platform.feed.webhook(id)).toBeUndefined();
  });

  it('keeps a rotated secret for the overlap, and not at all with an overlap of 0', async () => {
    const { id } = (await newWebhook()).body;
    const first = await call('POST', `webhooks/${id}/rotate`, { what: 'secret', overlap_hours: 24 });
    expect(first).toMatchObject({ status: 200, body: { secret: expect.any(String) } });
    expect(first.body).not.toHaveProperty('token');
    const kept = await feedBody(id);
    expect(kept['secrets']).toHaveLength(2);
    expect(kept['secrets'][0].notAfter).toBeNull();
    const left = Date.parse(kept['secrets'][1].notAfter) - Date.parse(first.body['updated_at']);
    expect(left).toBe(24 * 3_600_000);
    await call('POST', `webhooks/${id}/rotate`, {
      what: 'secret',
      overlap_hours: 0,
      secret: 'made-by-the-sender-itself',
    });
    const cut = await feedBody(id);
    expect(cut['secrets']).toHaveLength(1);
    const workspace = platform.feed.workspace(first.body['workspace_id'])!;
    expect(platform.keyRing.open(workspace, id, cut['secrets'][0].sealed)).toBe('made-by-the-sender-itself');
  });

  it('keeps a rotated token for the overlap, and not at all with an overlap of 0', async () => {
    const made = (await newWebhook()).body;
    const second = (await call('POST', `webhooks/${made['id']}/rotate`, { what: 'token' })).body;
    expect(second['url']).toBe(`${PUBLIC_URL}/webhook/${second['token']}/trigger`);
    expect(second).not.toHaveProperty('secret');
    const both = await feedBody(made['id']);
    expect(both['tokenHmac']).toBe(platform.keyRing.pepperedHmac(second['token']));
    expect(both['previousTokens']).toEqual([
      { tokenHmac: platform.keyRing.pepperedHmac(made['token']), notAfter: expect.any(String) },
    ]);
    await call('POST', `webhooks/${made['id']}/rotate`, { what: 'token', overlap_hours: 0 });
    // The first token's own overlap still runs; the second ended at once.
    expect((await feedBody(made['id']))['previousTokens']).toEqual(both['previousTokens']);
  });

  it.each([
    [{}, 'what'],
    [{ what: 'everything' }, 'what'],
    [{ what: 'secret', overlap_hours: -1 }, 'overlap_hours'],
    [{ what: 'secret', overlap_hours: 169 }, 'overlap_hours'],
    [{ what: 'token', secret: 'a-secret-for-no-reason' }, 'secret'],
  ])('refuses to rotate with %j', async (input, path) => {
    const { id } = (await newWebhook()).body;
    const refused = await call('POST', `webhooks/${id}/rotate`, input);
    expect(refused).toMatchObject({
      status: 422,
      body: { errors: expect.arrayContaining([expect.objectContaining({ path })]) },
    });
  });
});

describe('a subscription', () => {
  it('is named after its host, unsigned without a secret and active', async () => {
    const made = await newSubscription();
    expect(made).toMatchObject({
      status: 201,
      body: {
        name: 'receiver.example',
        active: true,
        signed: false,
        envelope: 'cloudthinker',
        retry_schedule: [0, 60, 300, 1800, 7200, 28800],
        timeout_seconds: 30,
        update_interval_seconds: 60,
        headers: {},
      },
    });
    expect(made.body).not.toHaveProperty('secret');
  });

  it('takes a given secret or makes one, and shows it once', async () => {
    const given = await newSubscription({ secret: 'a secret of the receiver' });
    expect(given.body).toMatchObject({ secret: 'a secret of the receiver', signed: true });
    const made = await newSubscription({
      secret: 'generate',
      events: ['incident.*', 'incident.resolved'],
      enabled: false,
    });
    expect(made.body).toMatchObject({ secret: expect.stringMatching(/^whsec_[A-Za-z0-9+/]{43}=$/), active: false });
    const later = await call('GET', `subscriptions/${made.body['id']}`);
    expect(later.text).not.toContain(made.body['secret']);
    const rotated = await call('POST', `subscriptions/${made.body['id']}/rotate`, { overlap_hours: 1 });
    expect(rotated).toMatchObject({ status: 200, body: { secret: expect.stringMatching(/^whsec_/) } });
    expect(rotated.body['secret']).not.toBe(made.body['secret']);
    expect((await feedBody(made.body['id']))['secrets']).toHaveLength(2);
  });

  it('keeps envelope, transform and signatures, and drops a transform on request', async () => {
    const transform = { text: 'New {{type}}: {{data.title}}' };
    const made = await newSubscription({ envelope: 'opsknight', transform, events: ['finding.*', 'task.failed'] });
    expect(made.body).toMatchObject({
      envelope: 'opsknight',
      transform,
      signatures: ['x-cloudthinker', 'x-webhook', 'standard-v1'],
      public_keys: [],
    });
    expect(await feedBody(made.body['id'])).toMatchObject({ envelope: 'opsknight', transform });
    const changed = await call('PATCH', `subscriptions/${made.body['id']}`, { transform: null });
    expect(changed.body['transform']).toBeNull();
    expect(await feedBody(made.body['id'])).not.toHaveProperty('transform');
  });

  it('makes an ed25519 key for standard-v1a, shows its public half, and rotates it with the secret', async () => {
    const made = await newSubscription({ signatures: ['standard-v1a'] });
    const [first] = made.body['public_keys'] as { key: string; not_after: string | null }[];
    expect(first).toEqual({ key: expect.stringMatching(/^whpk_[A-Za-z0-9+/]{43}=$/), not_after: null });
    const stored = (await feedBody(made.body['id']))['signingKeys'] as { sealed: string }[];
    const workspace = platform.feed.workspace(made.body['workspace_id'])!;
    expect(platform.keyRing.open(workspace, made.body['id'], stored[0]?.sealed ?? '')).toMatch(/^whsk_/);
    const rotated = await call('POST', `subscriptions/${made.body['id']}/rotate`, { overlap_hours: 1 });
    const keys = rotated.body['public_keys'] as { key: string; not_after: string | null }[];
    expect(keys).toHaveLength(2);
    expect(keys[1]).toEqual({ key: first?.key, not_after: expect.any(String) });
    expect(rotated.text).not.toContain('whsk_');
  });

  it('seals the values of its headers, masks them, and keeps them where the mask comes back', async () => {
    const made = await newSubscription({ headers: { 'X-Api-Key': 'value-of-the-key', 'X-Team': 'blue' } });
    expect(made.body['headers']).toEqual({ 'X-Api-Key': '********', 'X-Team': '********' });
    const changed = await call('PATCH', `subscriptions/${made.body['id']}`, {
      headers: { 'X-Api-Key': '********', 'X-Team': 'green' },
    });
    const workspace = platform.feed.workspace(made.body['workspace_id'])!;
    const stored = (await feedBody(made.body['id']))['headers'] as { name: string; sealed: string }[];
    expect(stored.map(({ name, sealed }) => [name, platform.keyRing.open(workspace, made.body['id'], sealed)])).toEqual(
      [
        ['X-Api-Key', 'value-of-the-key'],
        ['X-Team', 'green'],
      ],
    );
    expect(changed.text).not.toContain('green');
  });

  it.each<[string, Json, string, string, boolean]>([
    ['plain http', { url: 'http://receiver.example/hook' }, 'url-not-allowed', 'https-required', true],
    ['a private address', { url: 'https://192.168.1.10/' }, 'url-not-allowed', 'private-address', true],
    ['a disguised loopback address', { url: 'https://2130706433/' }, 'url-not-allowed', 'private-address', true],
    ['localhost', { url: 'https://localhost/' }, 'url-not-allowed', 'local-name', true],
    ['no URL', { url: 'receiver.example' }, 'url-not-allowed', 'not-a-url', false],
    ['a file', { url: 'file:///etc/passwd' }, 'url-not-allowed', 'scheme-not-allowed', false],
    [
      'credentials in the URL',
      { url: 'https://me:word@receiver.example/' },
      'url-not-allowed',
      'userinfo-not-allowed',
      false,
    ],
  ])('is refused with %s', async (_name, fields, code, reason, opened) => {
    const refused = await newSubscription(fields);
    expect(refused).toMatchObject({ status: 422, body: { code, errors: [{ path: 'url', code: reason }] } });
    if (opened) expect(refused.body['detail']).toContain('OUTBOUND_ALLOW');
    expect(refused.body['setting']).toBe(opened ? 'OUTBOUND_ALLOW' : undefined);
  });

  it('reaches a private address that OUTBOUND_ALLOW opens', async () =>
    expect((await newSubscription({ url: 'https://10.1.2.3/hook' })).status).toBe(201));

  it.each<[string, Json, string]>([
    ['no events', { events: [] }, 'events'],
    ['an event that there is not', { events: ['incident.created', 'incident.exploded'] }, 'events[1]'],
    ['a family that there is not', { events: ['weather.*'] }, 'events[0]'],
    ['a header that Tocsin sets', { headers: { 'Webhook-Id': 'x' } }, 'headers.Webhook-Id'],
    ['the Host header', { headers: { host: 'x' } }, 'headers.host'],
    ['a line break in a header', { headers: { 'X-A': 'a\r\nX-B: b' } }, 'headers.X-A'],
    ['a header that is no text', { headers: { 'X-A': 1 } }, 'headers.X-A'],
    ['21 headers', { headers: Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`X-${i}`, 'v'])) }, 'headers'],
    ['a short secret', { secret: 'short' }, 'secret'],
    ['a whsec_ secret that is not base64', { secret: 'whsec_!!!!!!!!!!!!!!!!!!!!!!!!' }, 'secret'],
    ['an envelope that there is not', { envelope: 'soap' }, 'envelope'],
    ['a signature that there is not', { signatures: ['md5'] }, 'signatures'],
    ['a broken template', { transform: { text: ['ok', '{{type'] } }, 'transform.text[1]'],
    ['a template that is a text', { transform: '{{type}}' }, 'transform'],
    ['a contradiction', { active: true, enabled: false }, 'enabled'],
    ['a retry in the past', { retry_schedule: [0, -60] }, 'retry_schedule'],
    ['a timeout of 0', { timeout_seconds: 0 }, 'timeout_seconds'],
    ['another envelope', { envelope: 'telegram' }, 'envelope'],
    ['a field that does not exist', { webhooks: ['a'] }, 'webhooks'],
  ])('is refused with %s', async (_name, fields, path) => {
    const refused = await newSubscription(fields);
    expect(refused).toMatchObject({
      status: 422,
      body: { errors: expect.arrayContaining([expect.objectContaining({ path })]) },
    });
  });
});

describe('access', () => {
  it('needs a key, and the scope admin', async () => {
    expect(
      (await call('GET', 'webhooks', undefined, { authorization: 'Bearer tsk_nobodynobody_aaaaaaaaaaaaaaaaaaaa' }))
        .status,
    ).toBe(401);
    const reader = await call('POST', 'api-keys', { name: 'Reader', scopes: ['read'] });
    expect(reader).toMatchObject({
      status: 201,
      body: { key: expect.stringMatching(/^tsk_[a-z2-7]{26}_[a-z2-7]{52}$/), scopes: ['read'] },
    });
    const authorization = `Bearer ${reader.body['key']}`;
    for (const path of ['webhooks', 'subscriptions', 'api-keys', 'workspaces'])
      await expect
        .poll(async () => (await call('GET', path, undefined, { authorization })).body['code'])
        .toBe('forbidden');
    expect((await call('GET', `api-keys/${reader.body['id']}`)).text).not.toContain(reader.body['key'].split('_')[2]);
    expect((await call('DELETE', `api-keys/${reader.body['id']}`)).status).toBe(204);
    await expect.poll(async () => (await call('GET', 'webhooks', undefined, { authorization })).status).toBe(401);
  });

  it('keeps the last administrator', async () => {
    const { items } = (await call('GET', 'api-keys')).body as { items: Json[] };
    const admin = items.find(({ name }) => name === 'Bootstrap key')!;
    expect(await call('DELETE', `api-keys/${admin['id']}`)).toMatchObject({ status: 409, body: { code: 'conflict' } });
    expect(await call('PATCH', `api-keys/${admin['id']}`, { scopes: ['read'] })).toMatchObject({ status: 409 });
  });

  it.each([
    [{ name: 'x', scopes: [] }, 'scopes'],
    [{ name: 'x', scopes: ['everything'] }, 'scopes'],
    [{ name: 'x', scopes: ['read'], expires_at: 'tomorrow' }, 'expires_at'],
    [{ name: 'x', scopes: ['read'], expires_at: '2020-01-01T00:00:00Z' }, 'expires_at'],
  ])('refuses the key %j', async (input, path) =>
    expect(await call('POST', 'api-keys', input)).toMatchObject({
      status: 422,
      body: { errors: expect.arrayContaining([expect.objectContaining({ path })]) },
    }),
  );

  it('answers 404 for everything of another workspace', async () => {
    const other = await call('POST', 'workspaces', { name: 'Another Team' });
    expect(other).toMatchObject({ status: 201, body: { slug: 'another-team', api_key: { key: expect.any(String) } } });
    const authorization = `Bearer ${other.body['api_key'].key}`;
    const theirs: [string, Json][] = [
      ['webhooks', (await newWebhook()).body],
      ['subscriptions', (await newSubscription()).body],
      ['api-keys', (await call('POST', 'api-keys', { name: 'Mine', scopes: ['read'] })).body],
      ['workspaces', (await call('GET', 'workspaces')).body['items'][0]],
    ];
    await expect.poll(async () => (await call('GET', 'webhooks', undefined, { authorization })).status).toBe(200);
    for (const [path, { id }] of theirs) {
      expect((await call('GET', path, undefined, { authorization })).text).not.toContain(id);
      expect((await call('GET', `${path}/${id}`, undefined, { authorization })).status).toBe(404);
      expect((await call('PATCH', `${path}/${id}`, { name: 'Taken' }, { authorization })).status).toBe(404);
      if (path !== 'workspaces')
        expect((await call('DELETE', `${path}/${id}`, undefined, { authorization })).status).toBe(404);
      expect((await call('GET', `${path}/${id}`)).body['name']).not.toBe('Taken');
    }
    expect(
      (await call('POST', `webhooks/${theirs[0]![1]['id']}/rotate`, { what: 'secret' }, { authorization })).status,
    ).toBe(404);
  });

  it('refuses a slug that is taken', async () => {
    await call('POST', 'workspaces', { name: 'Once', slug: 'once' });
    expect(await call('POST', 'workspaces', { name: 'Twice', slug: 'once' })).toMatchObject({
      status: 409,
      body: { code: 'conflict' },
    });
  });
});

describe('a list', () => {
  it('goes through everything once, page by page', async () => {
    const { key, id } = await (async () => {
      const { body } = await call('POST', 'workspaces', { name: `Paged ${randomBytes(4).toString('hex')}` });
      return { key: body['api_key'].key as string, id: body['id'] as string };
    })();
    const headers = { authorization: `Bearer ${key}` };
    await expect.poll(async () => (await call('GET', 'webhooks', undefined, headers)).status).toBe(200);
    const made = await Promise.all(
      Array.from({ length: 7 }, (_, n) => call('POST', 'webhooks', { name: `n${n}`, connector: 'generic' }, headers)),
    );
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page: Answer = await call(
        'GET',
        `webhooks?limit=3${cursor === '' ? '' : `&cursor=${cursor}`}`,
        undefined,
        headers,
      );
      seen.push(...(page.body['items'] as Json[]).map((item) => item['id'] as string));
      expect(page.body['items'].every((item: Json) => item['workspace_id'] === id)).toBe(true);
      cursor = page.body['next_cursor'] as string | null;
    }
    expect([...seen].sort()).toEqual(made.map(({ body }) => body['id'] as string).sort());
  });

  it.each(['limit=0', 'limit=201', 'limit=ten', 'cursor=nonsense', 'colour=red'])('refuses ?%s', async (text) =>
    expect((await call('GET', `webhooks?${text}`)).status).toBe(422),
  );
});

describe('the database', () => {
  it('holds no secret, token or header value in plain text', async () => {
    const webhook = (await newWebhook()).body;
    const rotated = (await call('POST', `webhooks/${webhook['id']}/rotate`, { what: 'secret' })).body;
    const subscription = (
      await newSubscription({ secret: 'generate', headers: { Authorization: 'Bearer planted-canary-value' } })
    ).body;
    const apiKey = (await call('POST', 'api-keys', { name: 'Canary', scopes: ['read'] })).body;
    const planted = [
      webhook['token'],
      webhook['secret'],
      rotated['secret'],
      subscription['secret'],
      'planted-canary-value',
      apiKey['key'].split('_')[2],
      KEY.split('_')[2]!,
    ];
    const { rows: tables } = await platform.pools.pipeline.query<{ name: string }>(
      `select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where n.nspname = 'control_plane' and c.relkind in ('r', 'v') and has_table_privilege(c.oid, 'select')`,
    );
    expect(tables.length).toBeGreaterThan(6);
    let dump = '';
    for (const { name } of tables)
      dump += (
        await platform.pools.pipeline.query<{ row: string }>(
          `select row_to_json(t)::text as row from control_plane.${name} t`,
        )
      ).rows
        .map(({ row }) => row)
        .join('\n');
    expect(dump).toContain(webhook['id']);
    for (const secret of planted)
      expect(dump.includes(secret as string), `a secret of ${(secret as string).length} characters`).toBe(false);
  });
});
