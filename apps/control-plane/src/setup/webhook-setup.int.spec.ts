import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { connectors } from '@tocsin/connectors';
import { openJournal } from '@tocsin/event-log/journal';
import { ingressGateway } from '@tocsin/ingress-gateway';
import {
  loadConfig,
  type Platform,
  type RunningApplication,
  ShellEnvironment,
  startApplication,
  startPlatform,
} from '@tocsin/nest-shell';
import { freePort, testDatabase, waitFor } from '@tocsin/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { controlPlane } from '../index.ts';

const run = promisify(execFile);
const KEY = `tsk_bootstrapkeyaaaaaaaaaaaaaa_${'s'.repeat(52)}`;
const definitions = [controlPlane, ingressGateway];

let database: Awaited<ReturnType<typeof testDatabase>>;
let directory: string;
let platform: Platform;
let application: RunningApplication;

beforeAll(async () => {
  database = await testDatabase({
    migrations: definitions.flatMap(({ name, migrations }) =>
      migrations ? [{ schema: name.replaceAll('-', '_'), directory: migrations }] : [],
    ),
  });
  directory = await mkdtemp(join(tmpdir(), 'tocsin-setup-'));
  const port = await freePort();
  const environment = {
    LOG_LEVEL: 'silent',
    TOCSIN_DATA_DIR: directory,
    TOCSIN_PUBLIC_URL: `http://127.0.0.1:${port}`,
    TOCSIN_BOOTSTRAP_API_KEY: KEY,
  };
  platform = await startPlatform({
    name: 'webhook-setup-spec',
    shell: loadConfig(ShellEnvironment, environment),
    environment,
    databaseUrl: database.url,
    keyRing: `k1:${randomBytes(32).toString('base64')}`,
    pepper: 'pepper-of-the-test-installation',
    openLog: () => openJournal({}),
    definitions,
  });
  application = await startApplication(
    platform,
    definitions.map(({ module }) => module),
    definitions.map(({ name }) => name),
    { host: '127.0.0.1', port },
  );
});
afterAll(async () => {
  await application?.close();
  await database?.drop();
  await rm(directory, { recursive: true, force: true });
});

interface Setup {
  url: string;
  integration_url: string;
  auth: { method: string; secret_variable: string | null };
  headers: { name: string; value: string }[];
  query: { name: string; value: string }[];
  steps: string[];
  guide: Record<string, string>;
  examples: { curl: string; javascript: string; python: string } | null;
  examples_reason: string | null;
}

async function call<T>(
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; body: T; text: string }> {
  const response = await fetch(`${application.url}/api/v1/${path}`, {
    method,
    headers: {
      authorization: `Bearer ${KEY}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, text, body: JSON.parse(text) as T };
}

interface Made {
  id: string;
  token: string;
  secret?: string;
}
async function made(connector: string, auth: object = {}): Promise<Made> {
  const answer = await call<Made>('POST', 'webhooks', { name: connector, connector, respond: 'accept', auth });
  expect(answer, answer.text).toMatchObject({ status: 201 });
  return answer.body;
}
const setupOf = async (id: string): Promise<Setup> => (await call<Setup>('GET', `webhooks/${id}/setup`)).body;

/** Runs an example as somebody would who pasted it, and gives back what it printed. */
async function execute(language: 'curl' | 'javascript' | 'python', code: string, secret = ''): Promise<string> {
  const suffix = { curl: 'sh', javascript: 'mjs', python: 'py' }[language];
  const program = { curl: 'bash', javascript: process.execPath, python: 'python3' }[language];
  const file = join(directory, `${randomBytes(6).toString('hex')}.${suffix}`);
  await writeFile(file, code);
  const environment = { PATH: process.env['PATH'], HOME: process.env['HOME'], TOCSIN_WEBHOOK_SECRET: secret };
  const { stdout } = await run(program, [file], { env: environment });
  return stdout;
}
const languages = ['curl', 'javascript', 'python'] as const;

/** The gateway follows the configuration a moment later. */
const accepted = (code: string, language: (typeof languages)[number], secret?: string): Promise<unknown> =>
  waitFor(() => execute(language, code, secret).then((out) => JSON.parse(out) as unknown), {
    timeoutMs: 30_000,
    what: `an accepted ${language} example`,
  });

const methods: [string, string, object][] = [
  ['generic', 'bearer', {}],
  ['generic', 'api_key with a header and a word', { method: 'api_key', header: 'X-My-Key', prefix: "It's $HOME" }],
  ['generic', 'basic with an awkward name', { method: 'basic', username: `o'Neil "$(id)" \\` }],
  ['generic', 'query_token', { method: 'query_token' }],
  ['generic', 'hmac', { method: 'hmac' }],
  ['generic', 'none', { method: 'none' }],
  ['github', 'hmac', {}],
  ['gitlab', 'vendor', {}],
  ['pagerduty', 'hmac', {}],
  ['grafana', 'hmac with a signed time', { method: 'hmac', timestamp_header: 'X-Signed-At' }],
  ['grafana-incident', 'hmac over a digest', { method: 'hmac' }],
  ['splunk-observability', 'hmac in base64', { method: 'hmac' }],
];

describe('the examples of a webhook', () => {
  it.each(methods)('of %s are accepted under %s, in curl, node and python3', async (connector, _name, auth) => {
    const webhook = await made(connector, auth);
    const setup = await setupOf(webhook.id);
    for (const language of languages) {
      const code = setup.examples?.[language] ?? '';
      if (webhook.secret) expect(code).not.toContain(webhook.secret);
      expect(await accepted(code, language, webhook.secret)).toMatchObject({
        status: 'accepted',
        receipt_id: expect.stringMatching(/^rcv_/) as string,
      });
    }
  });

  it.each(connectors.map(({ source }) => source.id))('of %s are accepted with the preset method', async (connector) => {
    const preset = connectors.find(({ source }) => source.id === connector)?.source.auth.default;
    const webhook = await made(connector, preset === 'none' ? { method: 'none' } : {});
    const { examples, examples_reason: reason } = await setupOf(webhook.id);
    if (examples === null) return expect(reason).toContain('only the platform has');
    expect(await accepted(examples.javascript, 'javascript', webhook.secret)).toMatchObject({ status: 'accepted' });
  });

  it('are refused with another secret, and fail as a program then', async () => {
    const webhook = await made('github');
    const setup = await setupOf(webhook.id);
    await accepted(setup.examples?.curl ?? '', 'curl', webhook.secret);
    for (const language of languages)
      await expect(execute(language, setup.examples?.[language] ?? '', 'wrong')).rejects.toMatchObject({
        code: expect.any(Number) as number,
      });
  });
});

describe('the set-up of a webhook', () => {
  it('shows the address, the header to set and the steps, and never the secret', async () => {
    const webhook = await made('prometheus');
    const answer = await call<Setup>('GET', `webhooks/${webhook.id}/setup`);
    const url = `${application.url}/webhook/${webhook.token}/trigger`;
    expect(answer.body).toMatchObject({
      url,
      integration_url: `${application.url}/api/integrations/prometheus?integrationId=${webhook.id}`,
      auth: { method: 'bearer', secret_variable: 'TOCSIN_WEBHOOK_SECRET' },
      headers: [
        { name: 'Content-Type', value: 'application/json' },
        { name: 'Authorization', value: 'Bearer <secret>' },
      ],
      query: [],
    });
    expect(answer.body.steps.join('\n')).toContain(`- url: ${url}`);
    expect(answer.text).not.toContain(webhook.secret);
  });

  it('follows a changed method and a rotated token', async () => {
    const webhook = await made('generic');
    await call('PATCH', `webhooks/${webhook.id}`, { auth: { method: 'query_token' } });
    const rotated = await call<Made>('POST', `webhooks/${webhook.id}/rotate`, { what: 'token' });
    const setup = await setupOf(webhook.id);
    expect(setup.url).toContain(`/webhook/${rotated.body.token}/`);
    expect(setup.headers.map(({ name }) => name)).toEqual(['Content-Type']);
    expect(setup.query).toEqual([{ name: 'token', value: '<secret>' }]);
  });

  it('is a 404 for what is not there, and no one’s without a key', async () => {
    expect(await call('GET', 'webhooks/whk_aaaaaaaaaaaaaaaaaaaaaaaaaa/setup')).toMatchObject({
      status: 404,
      body: { code: 'not-found' },
    });
    const response = await fetch(`${application.url}/api/v1/webhooks/whk_aaaaaaaaaaaaaaaaaaaaaaaaaa/setup`);
    expect(response.status).toBe(401);
  });
});

interface Row {
  id: string;
  default_auth: { method: string; headers: string[] };
  variants: { method: string; suggested: boolean }[];
  setup_steps: string[];
  samples: { name: string; body?: string }[];
}

describe('the catalogue of connectors', () => {
  it('lists every connector in pages', async () => {
    const ids: string[] = [];
    let cursor = '';
    do {
      const { body } = await call<{ items: Row[]; next_cursor: string | null }>('GET', `connectors?limit=7${cursor}`);
      expect(body.items.length).toBeLessThanOrEqual(7);
      ids.push(...body.items.map(({ id }) => id));
      cursor = body.next_cursor === null ? '' : `&cursor=${body.next_cursor}`;
    } while (cursor !== '');
    expect(ids).toEqual(connectors.map(({ source }) => source.id));
  });

  it('shows one with its authentication, mapping, steps and sample payloads', async () => {
    const { status, body } = await call<Row>('GET', 'connectors/github');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      id: 'github',
      title: 'GitHub',
      category: 'source-control',
      kind: 'alert',
      default_auth: { method: 'hmac', headers: ['X-Hub-Signature-256'] },
      default_mapping: { fields: { source: ['$.repository.html_url'] } },
    });
    expect(body.variants.map(({ method }) => method)).toContain('bearer');
    expect(body.setup_steps.length).toBeGreaterThanOrEqual(3);
    const ping = body.samples.find(({ name }) => name === 'ping');
    expect(JSON.parse(ping?.body ?? '')).toHaveProperty('zen');
  });

  it('refuses what is no connector and no cursor', async () => {
    expect(await call('GET', 'connectors/nothing')).toMatchObject({ status: 404, body: { code: 'not-found' } });
    expect(await call('GET', 'connectors/..%2Fkit')).toMatchObject({ status: 422 });
    expect(await call('GET', 'connectors?cursor=nothing')).toMatchObject({ status: 422 });
  });
});
