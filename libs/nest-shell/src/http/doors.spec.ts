import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { Body, Controller, Get, Module, Param, Post, Req, UseGuards } from '@nestjs/common';
import type { ApiKeyDocument } from '@tocsin/contracts';
import type { EventLog } from '@tocsin/event-log';
import { openJournal } from '@tocsin/event-log/journal';
import { Type } from 'class-transformer';
import { IsInt, IsString, Max, Min, ValidateNested } from 'class-validator';
import pg from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiKeyGuard, CallerOf, Scopes, type Caller } from '../access/api-key.guard.ts';
import { startApplication, type RunningApplication } from '../boot/application.ts';
import type { Platform } from '../boot/platform.ts';
import { StaticConfigurationFeed } from '../configuration/static-feed.ts';
import { Health } from '../health/health.ts';
import { Assignments } from '../log/assignments.ts';
import { createKeyRing } from '../secrets/key-ring.ts';
import { Problem } from './problem.ts';
import { body } from './validation.ts';

class Window {
  @IsInt() @Min(1) @Max(168) window_hours = 24;
}
class CreateThing {
  @IsString() name!: string;
  @ValidateNested() @Type(() => Window) dedup = new Window();
}

let begun: () => void;
let release: () => void;
const waiting = new Promise<void>((resolve) => (begun = resolve));
const gate = new Promise<void>((resolve) => (release = resolve));

@Controller('api/v1/things')
@UseGuards(ApiKeyGuard)
class ThingsController {
  @Post()
  @Scopes('respond')
  create(@Body(body(CreateThing)) thing: CreateThing, @CallerOf() caller: Caller) {
    return { thing, workspace: caller.workspaceId };
  }

  @Get(':id')
  @Scopes('read')
  read(@Param('id') id: string) {
    if (id === 'broken') throw new Error('secret detail of an inner part');
    if (id === 'database') throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    throw new Problem('wrong-state', 'It is resolved.', { body: { state: 'resolved' } });
  }
}

@Controller('webhook')
class RawController {
  @Post(':token/trigger')
  async receive(@Req() request: { body: unknown; url: string }) {
    if (request.url.includes('/slow/')) {
      begun();
      await gate;
    }
    return { raw: Buffer.isBuffer(request.body), bytes: (request.body as Buffer).length };
  }
}

@Module({ controllers: [ThingsController, RawController] })
class DoorsModule {}

let running: RunningApplication;
const keyRing = createKeyRing(`k:${randomBytes(32).toString('base64')}`, 'pepper of some length', randomBytes);
const secret = 'abcdefghijklmnopqrstuvwxyz234567';
const key = (
  id: string,
  scopes: ApiKeyDocument['body']['scopes'],
  expiresAt: string | null = null,
): ApiKeyDocument => ({
  revision: 1,
  kind: 'api-key',
  id,
  workspaceId: 'ws_one',
  deleted: false,
  body: { name: id, scopes, secretHmac: keyRing.pepperedHmac(secret), expiresAt },
});

function platformOf(feed: StaticConfigurationFeed, eventLog: EventLog): Platform {
  const pool = new pg.Pool();
  return {
    config: { publicUrl: '', databaseUrl: '', dataDirectory: '', development: true },
    environment: {},
    eventLog,
    pools: { pipeline: pool, rest: pool, close: async () => undefined },
    feed,
    keyRing,
    health: new Health({ pool, feed, eventLog }),
    assignments: new Assignments(),
    clock: () => new Date(),
    random: randomBytes,
    log: pino({ level: 'silent' }),
    close: () => eventLog.close(),
  };
}

beforeAll(async () => {
  const feed = new StaticConfigurationFeed([
    key('aaaaaaaa', ['read']),
    key('bbbbbbbb', ['admin']),
    key('cccccccc', ['admin'], '2020-01-01T00:00:00.000Z'),
  ]);
  running = await startApplication(platformOf(feed, await openJournal()), [DoorsModule], [], {
    host: '127.0.0.1',
    port: 0,
  });
});
afterAll(() => running.close());

const call = async (path: string, init: RequestInit = {}, id = 'bbbbbbbb') => {
  const response = await fetch(`${running.url}${path}`, {
    ...init,
    headers: { authorization: `Bearer tsk_${id}_${secret}`, 'content-type': 'application/json', ...init.headers },
  });
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    body: (await response.json()) as Record<string, unknown>,
  };
};
const post = (content: string, headers: Record<string, string> = {}) =>
  call('/api/v1/things', { method: 'POST', body: content, headers });

describe('a body', () => {
  it('of the right form reaches the handler with its defaults', async () => {
    expect(await post('{"name":"x"}')).toMatchObject({
      status: 201,
      body: { thing: { name: 'x', dedup: { window_hours: 24 } }, workspace: 'ws_one' },
    });
  });

  it.each([
    ['a value out of range', '{"name":"x","dedup":{"window_hours":500}}', 'dedup.window_hours', 'max'],
    ['a missing field', '{}', 'name', 'is-string'],
    ['an unknown field', '{"name":"x","extra":1}', 'extra', 'whitelist-validation'],
    ['a list', '[]', '$', 'is-object'],
    ['nothing', '', 'name', 'is-string'],
  ])('with %s is refused with the path', async (_what, content, path, code) => {
    const answer = await post(content);
    expect(answer).toMatchObject({
      status: 422,
      type: expect.stringContaining('application/problem+json'),
      body: { code: 'validation-failed' },
    });
    expect(answer.body.errors).toEqual(expect.arrayContaining([expect.objectContaining({ path, code })]));
  });

  it('that is not JSON is refused with its position', async () => {
    expect(await post('{\n  "name": oops}')).toMatchObject({
      status: 400,
      body: { code: 'malformed-body', detail: 'Not JSON at line 2, column 11.' },
    });
  });

  it('of another media type is refused', async () => {
    expect(await post('name=x', { 'content-type': 'text/plain' })).toMatchObject({
      status: 415,
      body: { code: 'unsupported-media-type' },
    });
  });

  it('cannot pollute prototypes', async () => {
    const plain = await post('{"name":"x"}');
    for (const key of ['__proto__', '\\u005f_proto__', '__pro\\u0074o__']) {
      expect(await post(`{"name":"x","${key}":{"polluted":true}}`)).toEqual(plain); // it is not there
      expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    }
  });

  it('reaches webhook routes as the bytes that were sent, whatever its type', async () => {
    const response = await fetch(`${running.url}/webhook/t/trigger`, {
      method: 'POST',
      body: '{"a": 1 }',
      headers: { 'content-type': 'application/json' },
    });
    expect(await response.json()).toEqual({ raw: true, bytes: 9 });
  });

  it('over 1 MiB is refused while it still streams', async () => {
    const socket = connect(running.port, '127.0.0.1');
    socket.write(
      'POST /webhook/t/trigger HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n',
    );
    const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
    for (let sent = 0; sent <= 17; sent++) socket.write(chunk); // no end: the server must not wait for one
    const answer = await new Promise<string>((resolve) =>
      socket.once('data', (data: Buffer) => resolve(data.toString())),
    );
    socket.destroy();
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer).toContain('"code":"body-too-large"');
  });
});

describe('a request in flight at shutdown', () => {
  it('is answered, and its connection does not hold the process', async () => {
    const own = await startApplication(
      platformOf(new StaticConfigurationFeed([]), await openJournal()),
      [DoorsModule],
      [],
      { host: '127.0.0.1', port: 0 },
    );
    const answer = fetch(`${own.url}/webhook/slow/trigger`, { method: 'POST', body: '{}' });
    await waiting;
    const closed = own.close();
    release();
    expect((await answer).headers.get('connection')).toBe('close');
    await closed; // would take the keep-alive timeout (65 s) otherwise, which is longer than this test may
  });
});

describe('an API key', () => {
  it.each([
    ['of no form', 'Bearer nonsense'],
    ['of an unknown id', `Bearer tsk_zzzzzzzz_${secret}`],
    ['with a wrong secret', `Bearer tsk_bbbbbbbb_${'a'.repeat(32)}`],
    ['that has expired', `Bearer tsk_cccccccc_${secret}`],
    ['given as Basic', 'Basic dXNlcjpwYXNz'],
  ])('%s gets the one answer of all failures', async (_what, authorization) => {
    const { status, body: problem } = await call('/api/v1/things/1', { headers: { authorization } });
    expect({ status, problem }).toMatchObject({ status: 401, problem: { code: 'authentication-failed' } });
  });

  it('without the scope is told which one is needed', async () => {
    const answer = await call('/api/v1/things', { method: 'POST', body: '{"name":"x"}' }, 'aaaaaaaa');
    expect(answer).toMatchObject({
      status: 403,
      body: { code: 'forbidden', detail: 'This needs a key with scope respond.' },
    });
  });
});

describe('an error', () => {
  it('that was foreseen carries its code and extra members', async () => {
    expect(await call('/api/v1/things/1')).toMatchObject({
      status: 409,
      body: { code: 'wrong-state', state: 'resolved' },
    });
  });
  it('that was not foreseen says nothing of the inside', async () => {
    const answer = await call('/api/v1/things/broken');
    expect(answer).toMatchObject({ status: 500, body: { code: 'internal' } });
    expect(JSON.stringify(answer.body)).not.toContain('secret detail');
  });
  it('of a component that is away asks to come back', async () => {
    expect(await call('/api/v1/things/database')).toMatchObject({ status: 503, body: { code: 'unavailable' } });
  });
  it.each([
    ['longer than any id', '/api/v1/things/'.padEnd(300, 'x'), 404, 'not-found'],
    ['no valid address', '/api/v1/things/%zz', 400, 'malformed-request'],
  ])('at an address that is %s is a problem, too', async (_what, path, status, code) => {
    const answer = await fetch(`${running.url}${path}`);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([
      status,
      'application/problem+json; charset=utf-8',
    ]);
    expect(await answer.json()).toMatchObject({ status, code });
  });
  it('at an unknown address is a 404 problem', async () => {
    expect(await call('/api/v1/nothing')).toMatchObject({ status: 404, body: { code: 'not-found' } });
  });
});
