import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { base32, type FilledTemplate } from '@tocsin/contracts';
import { vendorTemplateNames } from '@tocsin/domain/vendor-templates';
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

const KEY = `tsk_${base32(randomBytes(10))}_${base32(randomBytes(32))}`;
const SLACK = 'https://hooks.slack.com/services/T01/B01/canaryOfTheSlackAddress';
const TOKEN = '123456:canaryOfTheBotTokenAAAAAAAAAAAA';
const MASK = '********';

let database: Awaited<ReturnType<typeof testDatabase>>;
let directory: string;
let platform: Platform;
let application: RunningApplication;

beforeAll(async () => {
  database = await testDatabase({ migrations: [{ schema: 'control_plane', directory: controlPlane.migrations! }] });
  directory = await mkdtemp(join(tmpdir(), 'tocsin-templates-'));
  const environment = { LOG_LEVEL: 'silent', TOCSIN_DATA_DIR: directory, TOCSIN_BOOTSTRAP_API_KEY: KEY };
  platform = await startPlatform({
    name: 'templates-spec',
    shell: loadConfig(ShellEnvironment, environment),
    environment,
    databaseUrl: database.url,
    keyRing: `k1:${randomBytes(32).toString('base64')}`,
    pepper: base32(randomBytes(32)),
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
async function call(method: string, path: string, body?: unknown) {
  const response = await fetch(`${application.url}/api/v1/${path}`, {
    method,
    headers: { authorization: `Bearer ${KEY}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, text, body: (text === '' ? {} : JSON.parse(text)) as Json };
}
const newSubscription = (fields: Json) => call('POST', 'subscriptions', fields);
const stored = async (id: string): Promise<{ text: string; template: FilledTemplate; url: string }> => {
  const { rows } = await platform.pools.pipeline.query<{ body: Json }>(
    'select body from control_plane.configuration_feed where id = $1 order by revision desc limit 1',
    [id],
  );
  const body = rows[0]!.body;
  return { text: JSON.stringify(body), template: body['template'] as FilledTemplate, url: body['url'] as string };
};
const opened = async (made: Json, name: string): Promise<string> => {
  await platform.feed.refresh();
  const workspace = platform.feed.workspace(made['workspace_id'] as string)!;
  return platform.keyRing.open(
    workspace,
    made['id'] as string,
    (await stored(made['id'] as string)).template.sealed[name] ?? '',
  );
};

describe('the templates', () => {
  it('are listed with their parameters, events and example requests, without a secret', async () => {
    const { status, body, text } = await call('GET', 'templates');
    expect(status).toBe(200);
    expect((body['items'] as Json[]).map(({ name }) => name as string)).toEqual([...vendorTemplateNames]);
    for (const { parameters, default_events: events, examples } of body['items'] as Json[]) {
      expect((parameters as Json[]).length).toBeGreaterThan(0);
      expect((examples as Json[]).map(({ event }) => event as string)).toEqual(events);
    }
    expect(text).not.toContain('XXXX');
    expect((await call('GET', 'templates/pagerduty')).body).toMatchObject({
      ...{ name: 'pagerduty', platforms: ['pagerduty'] },
      examples: expect.arrayContaining([
        expect.objectContaining({
          event: 'incident.resolved',
          body: expect.objectContaining({ event_action: 'resolve' }),
        }),
      ]),
    });
    expect((await call('GET', 'templates/fax')).status).toBe(404);
  });
});

describe('a subscription with a template', () => {
  it('needs neither address nor events, and keeps an address that is a credential sealed', async () => {
    const made = await newSubscription({ template: { name: 'slack', parameters: { webhook_url: SLACK } } });
    expect(made).toMatchObject({
      status: 201,
      body: {
        ...{ name: 'hooks.slack.com', url: 'https://hooks.slack.com/***', allow_own_origin: false },
        events: expect.arrayContaining(['incident.created', 'incident.resolved']),
        template: { name: 'slack', parameters: { webhook_url: MASK } },
      },
    });
    expect(made.text).not.toContain('canary');
    expect((await stored(made.body['id'] as string)).text).not.toContain('canary');
    expect(await opened(made.body, 'webhook_url')).toBe(SLACK);
    expect((await call('GET', 'subscriptions')).text).not.toContain('canary');
  });

  it('takes the address as url, as other receivers have it', async () => {
    const made = await newSubscription({ url: SLACK, template: 'slack', events: ['incident.created'] });
    expect(made).toMatchObject({
      status: 201,
      body: { url: 'https://hooks.slack.com/***', events: ['incident.created'] },
    });
    expect(await opened(made.body, 'webhook_url')).toBe(SLACK);
    const same = await call('PATCH', `subscriptions/${made.body['id']}`, { url: made.body['url'], name: 'Renamed' });
    expect(same).toMatchObject({ status: 200, body: { name: 'Renamed', url: 'https://hooks.slack.com/***' } });
    expect(await opened(made.body, 'webhook_url')).toBe(SLACK);
  });

  it('keeps a secret that is left out or masked, and takes another', async () => {
    const template = { name: 'telegram', parameters: { bot_token: TOKEN, chat_id: '-100' } };
    const made = await newSubscription({ template });
    expect(made.body).toMatchObject({ url: 'https://api.telegram.org/bot***/sendMessage' });
    const change = (parameters: Json) =>
      call('PATCH', `subscriptions/${made.body['id']}`, { template: { name: 'telegram', parameters } });
    expect(await change({ chat_id: '-200' })).toMatchObject({
      status: 200,
      body: { template: { parameters: { chat_id: '-200', bot_token: MASK } } },
    });
    expect(await opened(made.body, 'bot_token')).toBe(TOKEN);
    await change({ bot_token: MASK, silent: true });
    expect(await opened(made.body, 'bot_token')).toBe(TOKEN);
    expect((await stored(made.body['id'] as string)).template.parameters).toMatchObject({
      chat_id: '-200',
      silent: true,
    });
    await change({ bot_token: '654321:anotherTokenAAAAAAAAAAAAAAAAAA' });
    expect(await opened(made.body, 'bot_token')).toMatch(/^654321:/);
  });

  it('can be paused and renamed without its parameters, and given back to an address', async () => {
    const made = await newSubscription({ template: { name: 'slack', parameters: { webhook_url: SLACK } } });
    const path = `subscriptions/${made.body['id']}`;
    expect(await call('PATCH', path, { active: false, allow_own_origin: true })).toMatchObject({
      status: 200,
      body: { active: false, allow_own_origin: true, template: { name: 'slack' } },
    });
    expect(await call('PATCH', path, { template: null })).toMatchObject({
      status: 422,
      body: { errors: [{ path: 'url' }] },
    });
    expect(await call('PATCH', path, { template: null, url: 'https://receiver.example/hook' })).toMatchObject({
      status: 200,
      body: { template: null, url: 'https://receiver.example/hook', allow_own_origin: false },
    });
  });

  it.each<[string, Json, string, string]>([
    ['a template that there is not', { template: 'fax' }, 'template.name', 'unknown-template'],
    ['a number', { template: 7 }, 'template', 'is-object'],
    [
      'a field that there is not',
      { template: { name: 'slack', params: {} } },
      'template.params',
      'whitelist-validation',
    ],
    ['no parameters', { template: 'slack' }, 'template.parameters.webhook_url', 'is-needed'],
    [
      'an unknown parameter',
      { template: { name: 'slack', parameters: { webhook_url: SLACK, colour: 1 } } },
      'template.parameters.colour',
      'unknown-parameter',
    ],
    [
      'a key called constructor',
      { template: { name: 'slack', parameters: { webhook_url: SLACK, constructor: 1 } } },
      'template.parameters.constructor',
      'unknown-parameter',
    ],
    [
      'a broken token',
      { template: { name: 'telegram', parameters: { bot_token: 'canary', chat_id: '1' } } },
      'template.parameters.bot_token',
      'matches',
    ],
    [
      'a private address',
      { template: { name: 'raw', parameters: { url: 'https://10.0.0.1/canary' } } },
      'template.parameters',
      'private-address',
    ],
    [
      'plain http',
      {
        template: {
          name: 'jira',
          parameters: {
            base_url: 'http://jira.example',
            email: 'a@b.c',
            api_token: 'canary-token',
            project_key: 'OPS',
          },
        },
      },
      'template.parameters',
      'https-required',
    ],
    [
      'an event that the vendor cannot say',
      { template: { name: 'slack', parameters: { webhook_url: SLACK } }, events: ['incident.created', 'nothing.*'] },
      'events[1]',
      'unknown-event',
    ],
    [
      'an event that PagerDuty has no word for',
      { template: { name: 'pagerduty', parameters: { routing_key: 'R'.repeat(32) } }, events: ['task.*'] },
      'events[0]',
      'event-not-supported',
    ],
    [
      'an address that the template knows',
      { template: { name: 'pagerduty', parameters: { routing_key: 'R'.repeat(32) } }, url: 'https://x.example' },
      'url',
      'known-by-template',
    ],
    [
      'own origin without a template',
      { url: 'https://x.example', events: ['*'], allow_own_origin: true },
      'allow_own_origin',
      'no-template',
    ],
  ])('is refused with %s', async (_name, fields, path, code) => {
    const refused = await newSubscription(fields);
    expect(refused).toMatchObject({ status: 422, body: { errors: [{ path, code }] } });
    expect(refused.text).not.toContain('canary');
  });

  it('still needs address and events where there is no template', async () => {
    const refusedAt = async (fields: Json) => {
      const { status, body } = await newSubscription(fields);
      return [status, ...new Set((body['errors'] as Json[]).map(({ path }) => path as string))];
    };
    expect(await refusedAt({ template: null })).toEqual([422, 'events']);
    expect(await refusedAt({ template: null, events: ['incident.*'] })).toEqual([422, 'url']);
  });
});

describe('options of updates', () => {
  it('are off until somebody asks for them', async () => {
    const made = await newSubscription({ url: 'https://receiver.example/hook', events: ['incident.*'] });
    expect(made.body).toMatchObject({ legacy_updates: false, occurrences: false, update_interval_seconds: 60 });
    const changed = await call('PATCH', `subscriptions/${made.body['id']}`, {
      legacy_updates: true,
      occurrences: true,
      update_interval_seconds: 0,
    });
    expect(changed.body).toMatchObject({ legacy_updates: true, occurrences: true, update_interval_seconds: 0 });
    expect(JSON.parse((await stored(made.body['id'] as string)).text)).toMatchObject({
      legacyUpdates: true,
      occurrences: true,
    });
  });
});

it('a transform reaches the feed as it was given, also a key called constructor', async () => {
  const transform = { constructor: '{{data.title}}', text: { toString: 'x' } };
  const made = await newSubscription({ url: 'https://receiver.example/hook', events: ['*'], transform });
  expect(made).toMatchObject({ status: 201, body: { transform } });
  expect(JSON.parse((await stored(made.body['id'] as string)).text)).toMatchObject({ transform });
});
