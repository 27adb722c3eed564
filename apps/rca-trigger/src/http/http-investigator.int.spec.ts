import { createHmac, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type ApiKeyBody,
  decodeRecord,
  encodeRecord,
  eventIdOf,
  mintId,
  type PlatformEvent,
  type PublicIncident,
  type RcaEvent,
  readPlatformEvent,
} from '@tocsin/contracts';
import { openJournal } from '@tocsin/event-log/journal';
import {
  loadConfig,
  type Platform,
  type RunningApplication,
  ShellEnvironment,
  startApplication,
  startPlatform,
} from '@tocsin/nest-shell';
import { testDatabase, waitFor } from '@tocsin/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { rcaTrigger } from '../index.ts';

const id = <P extends string>(prefix: P) => mintId(prefix, randomBytes(16));
const [WS, OTHER_WS] = [id('ws'), id('ws')];
const KEY_SECRET = 's'.repeat(52);
const keyIds = { responder: 'responderkey', reader: 'readerkey', other: 'otherkey' };
const SECRET = 'whsec_' + randomBytes(32).toString('base64');
const OLD_SECRET = 'the-secret-before-it';

type Json = Record<string, any>; // eslint-disable-line @typescript-eslint/no-explicit-any -- answers are read field by field
interface Asked {
  headers: IncomingHttpHeaders;
  raw: string;
  body: Json;
}

let database: Awaited<ReturnType<typeof testDatabase>>;
let directory: string;
let platform: Platform;
let application: RunningApplication;
let agent: Server;
let answer: (request: Asked, response: ServerResponse) => void;
const asked: Asked[] = [];
const said: { rca: RcaEvent[]; platform: PlatformEvent[] } = { rca: [], platform: [] };

async function publish(kind: string, docId: string, workspaceId: string, body: unknown): Promise<void> {
  await platform.pools.pipeline.query(
    `with head as (update control_plane.feed_head set feed_id = 'feed_spec', revision = revision + 1 returning revision)
     insert into control_plane.configuration_documents select revision, $1, $2, $3, false, $4, now() from head`,
    [kind, docId, workspaceId, JSON.stringify(body)],
  );
  await platform.feed.refresh();
}

/** The workspace with this investigator, as the control-plane would have published it; null = Tocsin's. */
let dataKey: string;
async function workspace(url: string | null): Promise<void> {
  const body = { name: 'Spec', slug: 'spec', wrappedDataKey: dataKey };
  const seal = (text: string) => platform.keyRing.seal({ id: WS, body }, WS, text);
  const secrets = [
    { id: 'sec_2', sealed: seal(SECRET), notAfter: null },
    { id: 'sec_1', sealed: seal(OLD_SECRET), notAfter: new Date(Date.now() + 3_600_000).toISOString() },
    { id: 'sec_0', sealed: seal('long gone'), notAfter: '2020-01-01T00:00:00.000Z' },
  ];
  const investigator = url === null ? null : { url, secrets, timeoutSeconds: 2, resultMinutes: 5 };
  await publish('workspace', WS, WS, { ...body, investigator });
  await waitFor(() => (platform.feed.workspace(WS)?.body.investigator?.url ?? null) === url);
}

function follow<T>(
  topic: 'rca.events' | 'platform.events',
  read: (record: { headers: Record<string, string>; value: Uint8Array; timestamp: number }) => T,
  into: T[],
) {
  return platform.eventLog.consume({ topic, group: 'spec', mode: 'group' }, (batch) => {
    into.push(...batch.records.map((record) => read({ ...record, timestamp: Number(record.timestamp) })));
    return Promise.resolve({ kind: 'committed', next: batch.records.at(-1)!.offset + 1n });
  });
}

beforeAll(async () => {
  agent = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const raw = Buffer.concat(chunks).toString();
      const one = { headers: request.headers, raw, body: JSON.parse(raw) as Json };
      asked.push(one);
      answer(one, response);
    });
  });
  await new Promise<void>((resolve) => agent.listen(0, '127.0.0.1', resolve));
  const controlPlane = new URL('../../../control-plane/src/migrations/', import.meta.url);
  database = await testDatabase({
    migrations: [
      { schema: 'control_plane', directory: controlPlane },
      { schema: 'rca_trigger', directory: rcaTrigger.migrations! },
    ],
  });
  directory = await mkdtemp(join(tmpdir(), 'tocsin-investigator-'));
  const environment = {
    ...{ LOG_LEVEL: 'silent', TOCSIN_DATA_DIR: directory, RCA_SETTLE_MS: '0' },
    OUTBOUND_ALLOW: '127.0.0.1+http',
  };
  platform = await startPlatform({
    name: 'http-investigator-spec',
    shell: loadConfig(ShellEnvironment, environment),
    environment,
    databaseUrl: database.url,
    keyRing: `k1:${randomBytes(32).toString('base64')}`,
    pepper: 'pepper-of-the-test-installation',
    openLog: () => openJournal({}),
    definitions: [rcaTrigger],
  });
  dataKey = platform.keyRing.newDataKey(WS);
  const secretHmac = platform.keyRing.pepperedHmac(KEY_SECRET);
  const key = (scopes: ApiKeyBody['scopes']): ApiKeyBody => ({ name: 'agent', scopes, secretHmac, expiresAt: null });
  await publish('api-key', keyIds.responder, WS, key(['respond', 'read']));
  await publish('api-key', keyIds.reader, WS, key(['read']));
  await publish('api-key', keyIds.other, OTHER_WS, key(['respond']));
  await waitFor(() => platform.feed.apiKey(keyIds.other));
  const where = { host: '127.0.0.1', port: 0 };
  application = await startApplication(platform, [rcaTrigger.module], [rcaTrigger.name], where);
  await follow('rca.events', ({ value }) => decodeRecord('rca.event.v1', value), said.rca);
  const event = ({
    headers,
    value,
    timestamp,
  }: {
    headers: Record<string, string>;
    value: Uint8Array;
    timestamp: number;
  }) => {
    const read = readPlatformEvent({ type: headers['type'] ?? '', headers, value, timestamp });
    if ('refused' in read) throw new Error(read.refused.detail);
    return read.event;
  };
  await follow('platform.events', event, said.platform);
});
afterAll(async () => {
  await application?.close();
  agent.closeAllConnections();
  agent.close();
  await database?.drop();
  await rm(directory, { recursive: true, force: true });
});

const agentUrl = () => `http://127.0.0.1:${(agent.address() as AddressInfo).port}/investigate?token=abc`;
const answers = (status: number, body?: unknown) => (_request: Asked, response: ServerResponse) =>
  response
    .writeHead(status, { 'content-type': 'application/json' })
    .end(body === undefined ? '' : JSON.stringify(body));
beforeEach(async () => {
  asked.length = 0;
  answer = answers(202);
  await workspace(agentUrl());
});

let number = 0;
/** An incident opens, as incident-store says it. */
async function opened(): Promise<string> {
  const at = new Date().toISOString();
  const incident: PublicIncident = {
    ...{ id: id('inc'), number: ++number, workspace_id: WS, title: 'Search is down', description: '', status: 'open' },
    ...{ severity: 'critical', urgency: 'HIGH', priority: null, services: ['search'], tags: [], source: null },
    ...{ connector: 'generic', webhook_id: null, url: null, incident_type: null, assignee: null, created_at: at },
    ...{ updated_at: at, last_alert_at: null, acknowledged_at: null, resolved_at: null, webhook_occurrence_count: 1 },
    ...{ correlated_alert_count: 0, custom_fields: {}, external_links: [], version: 1 },
  };
  const event = {
    ...{ id: eventIdOf(incident.id, 1), stream: incident.id, version: 1, type: 'Something', schema_version: 1, at },
    ...{ actor: { kind: 'webhook' as const, id: null, name: null }, cause_id: 'alr_spec', cause_ordinal: 0 },
    ...{ reason: null, config_revision: 1, data: {}, digest: '', prev_hash: '', hash: '' },
  };
  const value = encodeRecord('incident.event.v1', {
    ...{ event, incident, changed: [], sequence: 1, outbound_name: 'incident.created' },
  });
  const headers = { type: 'incident.event.v1', mark: `${incident.id};1;0` };
  await platform.eventLog.append([{ topic: 'incident.events', key: incident.id, value, headers }]);
  return incident.id;
}

async function call(method: string, path: string, body?: unknown, keyId = keyIds.responder) {
  const response = await fetch(`${application.url}/api/v1/${path}`, {
    method,
    headers: { authorization: `Bearer tsk_${keyId}_${KEY_SECRET}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Json };
}
const investigation = async (incident: string) => {
  const { body } = await call('GET', `incidents/${incident}/rca`);
  return (body['items'] as Json[] | undefined)?.[0];
};
const becomes = (incident: string, status: string): Promise<Json> =>
  waitFor(
    async () => {
      const found = await investigation(incident);
      return found?.['status'] === status && found;
    },
    { timeoutMs: 15_000, what: `the investigation ${status}` },
  );
/** Time passes for the investigations of an incident. */
const later = (incident: string) =>
  platform.pools.pipeline.query(`update rca_trigger.investigations set due_at = now() where incident_id = $1`, [
    incident,
  ]);
const saidOf = (incident: string) => ({
  rca: said.rca
    .filter(({ incident_id }) => incident_id === incident)
    .map(({ type, investigator }) => [type, investigator]),
  platform: said.platform.filter(({ data }) => data['incident_id'] === incident),
});
const RESULT = {
  status: 'completed',
  summary: 'Version 4.2.0 leaks connections.',
  hypotheses: [
    { summary: 'The pool is too small', score: 0.2 },
    {
      kind: 'change',
      summary: 'search 4.2.0',
      score: 0.9,
      evidence: [{ kind: 'change', id: 'c1', at: '2026-01-01T00:00:00Z', detail: 'an hour before' }],
    },
  ],
  recommendations: [{ title: 'Take back search 4.2.0', effort: 'low', risk: 'medium', potential_savings: 12.5 }],
};

describe('an investigator that answers with its result', () => {
  it('is asked once, signed with every live secret, and what it found is told as that of the investigation', async () => {
    answer = answers(200, RESULT);
    const incident = await opened();
    const done = await becomes(incident, 'completed');
    expect(done).toMatchObject({
      investigator: 'http',
      summary: RESULT.summary,
      hypotheses: [
        { rank: 1, kind: 'change', score: 0.9 },
        { rank: 2, kind: 'unknown' },
      ],
    });
    expect(asked).toHaveLength(1);
    const { headers, raw, body } = asked[0]!;
    expect(body).toMatchObject({
      ...{ id: done['id'], type: 'investigation.requested', workspace_id: WS },
      data: {
        rca_id: done['id'],
        incident: { id: incident, title: 'Search is down', severity: 'critical', status: 'open', services: ['search'] },
        result_url: expect.stringMatching(
          new RegExp(`/api/v1/incidents/${incident}/rca/${String(done['id'])}/result$`),
        ),
      },
    });
    const signed = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${raw}`;
    const signature = (key: Buffer) => `v1,${createHmac('sha256', key).update(signed).digest('base64')}`;
    const keys = [Buffer.from(SECRET.slice(6), 'base64'), Buffer.from(OLD_SECRET)];
    expect(String(headers['webhook-signature']).split(' ')).toEqual(keys.map(signature));
    expect(headers['webhook-id']).toBe(done['id']);
    await waitFor(() => saidOf(incident).platform.length === 4);
    expect(saidOf(incident).rca).toEqual([
      ['rca.requested', 'http'],
      ['rca.completed', 'http'],
    ]);
    const names = saidOf(incident).platform.map(({ name }) => name);
    expect(names.sort()).toEqual([
      'conversation.completed',
      'recommendation.created',
      'task.completed',
      'task.started',
    ]);
    const { body: list } = await call('GET', `recommendations?incident_id=${incident}`);
    expect(list['items']).toMatchObject([
      { title: 'Take back search 4.2.0', potential_savings: 12.5, created_by: { kind: 'investigation', name: 'http' } },
    ]);
  });

  it('may say that it failed', async () => {
    answer = answers(200, { status: 'failed', summary: 'No access to the logs.' });
    expect(await becomes(await opened(), 'failed')).toMatchObject({ summary: 'No access to the logs.' });
  });
});

describe('an investigator that takes its time', () => {
  it('tells of its progress, asks for approval once, and brings the result by call', async () => {
    answer = answers(200, { ok: true });
    const incident = await opened();
    const { id: rca } = await becomes(incident, 'running');
    const path = `incidents/${incident}/rca/${String(rca)}`;
    const approval = { id: 'apr-1', action: 'Roll back', requested_by: 'agent', incident_id: 'inc_of_somebody_else' };
    const progress = { message: 'Reading logs', events: [{ type: 'approval.requested', data: approval }] };
    for (let time = 0; time < 2; time += 1)
      expect(await call('POST', `${path}/progress`, progress)).toMatchObject({
        status: 200,
        body: { status: 'running' },
      });
    expect(await investigation(incident)).toMatchObject({ progress: { message: 'Reading logs' } });
    const granted = { type: 'approval.granted', data: { ...approval, approved_by: 'ada@example.org' } };
    const task = { type: 'task.completed', data: { id: 't1', name: 'Rolled back' } };
    const result = await call('POST', `${path}/result`, { ...RESULT, events: [granted, task] });
    expect(result).toMatchObject({ status: 200, body: { id: rca, status: 'completed' } });
    expect(await call('POST', `${path}/result`, RESULT)).toMatchObject({ status: 409, body: { code: 'wrong-state' } });
    await waitFor(() => saidOf(incident).platform.length >= 7);
    const { platform: events } = saidOf(incident);
    const approvals = events.filter(({ name }) => name.startsWith('approval.'));
    expect(approvals.map(({ name }) => name)).toEqual(['approval.requested', 'approval.granted']);
    expect(approvals[0]!.data).toEqual({ ...approval, incident_id: incident });
    expect(events.filter(({ name }) => name === 'task.completed')).toHaveLength(2); // its own, and that of the investigation
  });

  it('has failed when it is not heard of', async () => {
    const incident = await opened();
    await becomes(incident, 'running');
    await later(incident);
    const failed = await becomes(incident, 'failed');
    expect(failed['summary']).toMatch(/not heard of in time/);
    await waitFor(() => saidOf(incident).platform.some(({ name }) => name === 'task.failed'));
  });

  it('is refused what does not fit, what is not its own, and a key that may not', async () => {
    const incident = await opened();
    const { id: rca } = await becomes(incident, 'running');
    const path = `incidents/${incident}/rca/${String(rca)}`;
    const bad = { events: [{ type: 'approval.requested', data: { id: 'a' } }] };
    expect(await call('POST', `${path}/progress`, bad)).toMatchObject({
      status: 422,
      body: { errors: [{ path: expect.stringMatching(/^events\[0\]\.data/) as string }] },
    });
    const finding = { events: [{ type: 'finding.created', data: { id: 'a' } }] };
    expect((await call('POST', `${path}/progress`, finding)).status).toBe(422);
    expect((await call('POST', `${path}/result`, { ...RESULT, hypotheses: [{ summary: 'x', score: 2 }] })).status).toBe(
      422,
    );
    expect((await call('POST', `${path}/result`, RESULT, keyIds.other)).status).toBe(404);
    expect((await call('POST', `${path}/result`, RESULT, keyIds.reader)).status).toBe(403);
    expect((await call('POST', `incidents/${id('inc')}/rca/${String(rca)}/result`, RESULT)).status).toBe(404);
    expect(await investigation(incident)).toMatchObject({ status: 'running' });
  });
});

describe('an investigator that cannot be asked', () => {
  it('is asked three times, and its failure is told', async () => {
    answer = answers(500);
    const incident = await opened();
    for (const attempts of [1, 2, 3]) {
      await waitFor(() => asked.length === attempts, { timeoutMs: 15_000, what: `request ${attempts}` });
      if (attempts < 3) {
        await waitFor(
          async () => {
            const { rows } = await platform.pools.pipeline.query<{ paused: boolean }>(
              `select due_at between now() + interval '1 second' and now() + interval '70 seconds' as paused
               from rca_trigger.investigations where incident_id = $1`,
              [incident],
            );
            return rows[0]?.paused;
          },
          { timeoutMs: 15_000, what: 'a pause' },
        );
        await later(incident);
      }
    }
    expect(await becomes(incident, 'failed')).toMatchObject({
      summary: 'The investigator could not be asked: it answered 500',
    });
    expect(new Set(asked.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    expect(asked.map(({ headers }) => headers['x-tocsin-attempt'])).toEqual(['1', '2', '3']);
    await waitFor(() => saidOf(incident).rca.some(([type]) => type === 'rca.failed'));
  });

  it.each(['http://10.1.2.3/agent', 'http://[::ffff:169.254.169.254]/', 'http://2130706434:1/'])(
    'because its address is private is not dialled: %s',
    async (url) => {
      await workspace(url);
      const failed = await becomes(await opened(), 'failed');
      expect(failed['summary']).toMatch(/^The investigator could not be asked: .*/);
      expect(failed['summary']).not.toMatch(/ECONN|timeout/i);
    },
  );

  it('because the workspace names none any more leaves it to Tocsin', async () => {
    answer = answers(503);
    const incident = await opened();
    await waitFor(() => asked.length === 1);
    await workspace(null);
    await waitFor(async () => (await investigation(incident))?.['status'] === 'requested');
    await waitFor(
      async () => {
        await later(incident);
        return (await investigation(incident))?.['status'] === 'completed';
      },
      { timeoutMs: 20_000, what: 'an investigation of Tocsin' },
    );
    expect(await investigation(incident)).toMatchObject({ investigator: 'built-in' });
  });
});
