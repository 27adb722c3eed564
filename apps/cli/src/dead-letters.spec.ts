import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { run } from './run.ts';
import { FakeTerminal } from './spec/fake-terminal.ts';

const KEY = 'tsk_one_secretsecret';
const idOf = (letter: string) => `dlt_${letter.repeat(26)}`;
const letter = (name: string, over: Record<string, unknown> = {}) => ({
  ...{ id: idOf(name), at: '2026-11-21T09:00:00.000Z', service: 'normalizer', topic: 'webhook.received' },
  ...{ reason: 'undecodable-payload', detail: 'no JSON', webhook_id: 'whk_one', receipt_id: 'rcv_one' },
  ...{ size_bytes: 3, status: 'open', ...over },
});

interface Seen {
  method: string;
  path: string;
  key: string | undefined;
  body: string;
}
let seen: Seen[];
let answer: (request: Seen) => { status?: number; body: unknown };
let server: Server;
let url: string;

/** An installation's doors as the CLI meets them: real HTTP, answers of the spec. */
beforeEach(async () => {
  seen = [];
  const heard = async (request: IncomingMessage): Promise<Seen> => ({
    method: request.method ?? '',
    path: request.url ?? '',
    key: request.headers.authorization,
    body: await text(request),
  });
  server = createServer((request, response) => {
    void heard(request).then((one) => {
      seen.push(one);
      const { status = 200, body } = answer(one);
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => new Promise((resolve) => server.close(resolve)));

const tocsin = async (args: string[], environment: Record<string, string | undefined> = {}) => {
  const terminal = new FakeTerminal({}, { TOCSIN_URL: url, TOCSIN_API_KEY: KEY, ...environment });
  return { code: await run(['dlq', ...args], terminal), out: terminal.printed, err: terminal.complained };
};

describe('dlq list', () => {
  it('goes through the pages with its filters, up to the limit', async () => {
    answer = ({ path }) => ({
      body: path.includes('cursor=next')
        ? { items: [letter('b', { webhook_id: null })], next_cursor: 'more' }
        : { items: [letter('a')], next_cursor: 'next' },
    });
    const { code, out } = await tocsin([
      'list',
      '--reason',
      'undecodable-payload',
      '--webhook',
      'whk_one',
      '--limit',
      '2',
    ]);
    expect(code).toBe(0);
    expect(seen.map(({ path }) => path)).toEqual([
      '/api/v1/dead-letters?reason=undecodable-payload&webhook_id=whk_one&limit=2',
      '/api/v1/dead-letters?reason=undecodable-payload&webhook_id=whk_one&limit=1&cursor=next',
    ]);
    expect(seen[0]?.key).toBe(`Bearer ${KEY}`);
    const [head, first, second] = out.split('\n');
    expect(head).toMatch(/^ID +AT +SERVICE +REASON +WEBHOOK +STATUS +DETAIL$/);
    expect(first).toContain(`${idOf('a')}  2026-11-21T09:00:00.000Z  normalizer  undecodable-payload  whk_one`);
    expect(second).toMatch(/ - +open +no JSON$/);
  });

  it('prints what a script reads with --json', async () => {
    answer = () => ({ body: { items: [letter('a')], next_cursor: null } });
    expect(JSON.parse((await tocsin(['list', '--json'])).out)).toEqual({ items: [letter('a')] });
  });

  it('says that there are none', async () => {
    answer = () => ({ body: { items: [], next_cursor: null } });
    expect((await tocsin(['list'])).out).toBe('No dead letters.\n');
  });

  it('lets no sender steer the terminal', async () => {
    answer = () => ({ body: { items: [letter('a', { detail: 'a\u001b[2Jb\nc' })], next_cursor: null } });
    const { out } = await tocsin(['list']);
    expect(out).toContain('a\uFFFD[2Jb\uFFFDc');
    expect(out).not.toContain('\u001b');
  });
});

describe('dlq show', () => {
  it('prints the facts, then the original bytes', async () => {
    answer = () => ({ body: { ...letter('a'), parts: [1], encoding: 'text', value: '{"a"\n:\u0007', json: null } });
    const { code, out } = await tocsin(['show', idOf('a')]);
    expect({ code, path: seen[0]?.path }).toEqual({ code: 0, path: `/api/v1/dead-letters/${idOf('a')}` });
    expect(out).toContain('reason: undecodable-payload\n');
    expect(out).toContain('parts: [1]\n');
    expect(out.endsWith('\nOriginal bytes:\n{"a"\n:\uFFFD\n')).toBe(true);
  });

  it('says where the bytes are gone', async () => {
    answer = () => ({ body: { ...letter('a'), encoding: null, value: null, json: null } });
    expect((await tocsin(['show', idOf('a')])).out).toContain('no longer kept');
  });
});

describe('dlq redrive', () => {
  it('sends ids and prints what became of each', async () => {
    answer = () => ({
      body: {
        items: [
          { id: idOf('a'), result: 'redriven' },
          { id: idOf('b'), result: 'already-redriven' },
        ],
        more: false,
      },
    });
    const { code, out } = await tocsin(['redrive', idOf('a'), idOf('b')]);
    expect(code).toBe(0);
    expect(seen).toMatchObject([{ method: 'POST', path: '/api/v1/dead-letters/redrive' }]);
    expect(JSON.parse(seen[0]?.body ?? '')).toEqual({ ids: [idOf('a'), idOf('b')] });
    expect(out).toBe(`${idOf('a')}  redriven\n${idOf('b')}  already-redriven\n1 of 2 redriven\n`);
  });

  it('sends a filter and says that there are more', async () => {
    answer = () => ({ body: { items: [], more: true } });
    const { out } = await tocsin(['redrive', '--reason', 'connector-failed', '--limit', '3']);
    expect(JSON.parse(seen[0]?.body ?? '')).toEqual({ reason: 'connector-failed', limit: 3 });
    expect(out).toBe('0 of 0 redriven; there are more: run it again\n');
  });
});

describe('a refusal', () => {
  it.each([
    [
      'the key is wrong',
      401,
      { code: 'authentication-failed', detail: 'no such key' },
      'authentication-failed: no such key (TOCSIN_API_KEY)',
    ],
    ['the key may not', 403, { code: 'forbidden', detail: 'no' }, 'the key needs the scope admin'],
    [
      'a filter is wrong',
      422,
      { code: 'validation-failed', detail: 'x', errors: [{ path: 'reason', message: 'must be one of' }] },
      '  reason: must be one of',
    ],
    ['it is something else', 200, 'hello', 'is TOCSIN_URL right?'],
    ['it is a proxy', 502, '<html>', 'answered 502, and not as Tocsin does'],
  ])('is printed where %s', async (_what, status, body, expected) => {
    answer = () => ({ status, body });
    const { code, err, out } = await tocsin(['list']);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toContain(expected);
    expect(err).not.toContain(KEY);
  });

  it('says where nobody listens, with the variable, and never shows the key', async () => {
    await new Promise((resolve) => server.close(resolve));
    const { code, err } = await tocsin(['list']);
    expect(code).toBe(1);
    expect(err).toContain(`${url} cannot be reached (TOCSIN_URL): ECONNREFUSED`);
    expect(err).not.toContain(KEY);
  });

  it.each([
    ['TOCSIN_API_KEY', { TOCSIN_API_KEY: undefined }],
    ['TOCSIN_API_KEY', { TOCSIN_API_KEY: 'two words\n' }],
    ['TOCSIN_URL', { TOCSIN_URL: 'tocsin.example' }],
    ['TOCSIN_URL', { TOCSIN_URL: 'file:///etc/passwd' }],
  ])('names %s and ends with 78', async (name, environment) => {
    const { code, err } = await tocsin(['list'], environment);
    expect(code).toBe(78);
    expect(err).toContain(name);
    expect(seen).toEqual([]);
  });

  it.each([
    ['there is list, show, redrive', []],
    ['there is list, show, redrive', ['constructor']],
    ['exactly one id', ['show']],
    ['exactly one id', ['show', idOf('a'), idOf('b')]],
    ["'../workspaces' is no id", ['show', '../workspaces']],
    ['either ids', ['redrive']],
    ['either ids', ['redrive', idOf('a'), '--reason', 'connector-failed']],
    ['--limit: a number', ['list', '--limit', '0']],
    ["Unknown option '--all'", ['redrive', '--all']],
  ])('of a wrong line says "%s" and ends with 2', async (message, args) => {
    const { code, err } = await tocsin(args);
    expect(code).toBe(2);
    expect(err).toContain(message);
    expect(seen).toEqual([]);
  });
});
