import { randomBytes, verify } from 'node:crypto';
import {
  deriveId,
  encodeRecord,
  mintId,
  topics,
  type ApiKeyDocument,
  type AlertsCorrelated,
  type RcaEvent,
  type DeliveryEvent,
} from '@tocsin/contracts';
import { chainOf, checkpointText, digestOf, GENESIS_CHAIN, hashOf, type HashedEvent } from '@tocsin/domain/incident';
import { openJournal } from '@tocsin/event-log/journal';
import {
  Assignments,
  createKeyRing,
  Health,
  startApplication,
  StaticConfigurationFeed,
  type RunningApplication,
} from '@tocsin/nest-shell';
import { createPools, type Pools } from '@tocsin/postgres';
import { testDatabase, uniquePrefix, waitFor } from '@tocsin/testing';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Scene } from './correlated-builders.ts';
import { IncidentStoreModule } from './incident-store.module.ts';

const secret = 'abcdefghijklmnopqrstuvwxyz234567';
const keyRing = createKeyRing(`k:${randomBytes(32).toString('base64')}`, 'pepper of some length', randomBytes);
const scene = new Scene(mintId('ws', randomBytes(16)), mintId('whk', randomBytes(16)), Date.now() - 3_600_000);
const keyOf = (id: string, workspaceId: string, scopes: ApiKeyDocument['body']['scopes']): ApiKeyDocument => ({
  ...{ revision: 1, kind: 'api-key', id, workspaceId, deleted: false },
  body: { name: `key ${id}`, scopes, secretHmac: keyRing.pepperedHmac(secret), expiresAt: null },
});

let database: Awaited<ReturnType<typeof testDatabase>>;
let pools: Pools;
let eventLog: Awaited<ReturnType<typeof openJournal>>;
let running: RunningApplication;

beforeAll(async () => {
  database = await testDatabase({
    migrations: [{ schema: 'incident_store', directory: new URL('./migrations/', import.meta.url) }],
  });
  pools = createPools({ connectionString: database.url, applicationName: 'incident-store.int.spec' });
  eventLog = await openJournal();
  await eventLog.ensureTopics(topics);
  const feed = new StaticConfigurationFeed([
    keyOf('responder', scene.workspaceId, ['read', 'respond']),
    keyOf('readeronly', scene.workspaceId, ['read']),
    keyOf('stranger', `ws_${uniquePrefix()}`, ['admin']),
  ]);
  running = await startApplication(
    {
      config: { publicUrl: '', databaseUrl: '', dataDirectory: '', development: true },
      ...{ environment: {}, eventLog, pools, feed, keyRing, assignments: new Assignments(), random: randomBytes },
      health: new Health({ pool: pools.pipeline, feed, eventLog }),
      clock: () => new Date(),
      log: pino({ level: 'silent' }),
      close: () => eventLog.close(),
    },
    [IncidentStoreModule],
    ['incident-store'],
    { host: '127.0.0.1', port: 0 },
  );
});
afterAll(async () => {
  await running?.close();
  await pools?.close();
  await database?.drop();
});

interface Answer {
  status: number;
  body: Record<string, unknown> & { items: Record<string, unknown>[] };
  etag: string | null;
}
async function call(path: string, init: RequestInit & { key?: string } = {}): Promise<Answer> {
  const headers = {
    authorization: `Bearer tsk_${init.key ?? 'responder'}_${secret}`,
    'content-type': 'application/json',
    ...init.headers,
  };
  const response = await fetch(`${running.url}/api/v1/${path}`, { ...init, headers });
  return {
    status: response.status,
    body: (await response.json()) as Answer['body'],
    etag: response.headers.get('etag'),
  };
}
const post = (path: string, body: unknown = {}, headers: Record<string, string> = {}, key?: string): Promise<Answer> =>
  call(path, { method: 'POST', body: JSON.stringify(body), headers, ...(key ? { key } : {}) });

const say = (...records: AlertsCorrelated[]): Promise<void> =>
  eventLog.append(
    records.map((record) => ({
      ...{ topic: 'alert.correlated' as const, key: record.scope, value: encodeRecord('alerts.correlated.v1', record) },
      headers: { type: 'alerts.correlated.v1' },
    })),
  );
const incident = (id: string): Promise<Answer['body']> =>
  waitFor(
    async () => {
      const { status, body } = await call(`incidents/${id}`);
      return status === 200 ? body : undefined;
    },
    { timeoutMs: 20_000 },
  );
async function open(receipt: string): Promise<string> {
  await say(scene.record(scene.opened(receipt, 0)));
  const id = scene.incidentId(receipt);
  await incident(id);
  return id;
}

describe('an incident over HTTP', () => {
  it('is read, listed, filtered and counted', async () => {
    const id = await open('read');
    expect(await call(`incidents/${id}`)).toMatchObject({
      status: 200,
      etag: '"1"',
      body: { id, status: 'open', webhook_occurrence_count: 1 },
    });
    const found = await call('incidents?text=Alert%20read&status=open&service=orders&source=spec');
    expect(found.body).toMatchObject({
      items: [{ id }],
      next_cursor: null,
      counts: { status: { open: 1, resolved: 0 }, severity: { high: 1 } },
    });
    expect((await call('incidents?service=other')).body.items).toEqual([]);
    const alerts = await call(`incidents/${id}/alerts`);
    expect(alerts.body.items).toMatchObject([
      { occurrence_count: 1, outcome: 'created', why: { reason: 'new-alert', tried: [{ step: 'open' }] } },
    ]);
  });

  it('is paged without gaps or repeats', async () => {
    for (const name of ['p1', 'p2', 'p3']) await open(name);
    const all = (await call('incidents')).body.items.map(({ id }) => id as string);
    const seen: string[] = [];
    for (let cursor = ''; ;) {
      const { body } = await call(`incidents?limit=2${cursor}`);
      seen.push(...body.items.map(({ id }) => id as string));
      if (body['next_cursor'] === null) break;
      cursor = `&cursor=${body['next_cursor'] as string}`;
    }
    expect(seen).toEqual(all);
    expect(await call('incidents?cursor=bm9uc2Vuc2U')).toMatchObject({
      status: 422,
      body: { code: 'validation-failed' },
    });
    expect(await call('incidents?status=sleepy')).toMatchObject({ status: 422 });
  });

  it('of another workspace, and one with a malformed id, does not exist', async () => {
    const id = await open('hidden');
    for (const path of [`incidents/${id}`, `incidents/${id}/timeline`, `incidents/${id}/alerts`])
      expect(await call(path, { key: 'stranger' })).toMatchObject({ status: 404, body: { code: 'not-found' } });
    expect(await post(`incidents/${id}/resolve`, {}, {}, 'stranger')).toMatchObject({ status: 404 });
    expect((await call('incidents', { key: 'stranger' })).body.items).toEqual([]);
    expect(await call('incidents/not-an-id')).toMatchObject({ status: 404 });
    expect(await post('incidents/inc_x/acknowledge')).toMatchObject({ status: 404 });
  });
});

describe('a command', () => {
  it('acknowledges, refuses the wrong state and the wrong version, and resolves', async () => {
    const id = await open('cmd');
    expect(await post(`incidents/${id}/acknowledge`, {}, { 'if-match': '"9"' })).toMatchObject({
      status: 412,
      body: { version: 1 },
    });
    expect(await post(`incidents/${id}/acknowledge`, { note: 'mine' }, { 'if-match': '"1"' })).toMatchObject({
      status: 200,
      body: { status: 'acknowledged', version: 2 },
    });
    expect(await post(`incidents/${id}/acknowledge`)).toMatchObject({
      status: 409,
      body: { code: 'wrong-state', current_status: 'acknowledged' },
    });
    expect(await post(`incidents/${id}/resolve`)).toMatchObject({
      status: 200,
      body: { status: 'resolved', events: [{ type: 'IncidentResolved' }] },
    });
    const held = await pools.pipeline.query('select from incident_store.key_holders where incident_id = $1', [id]);
    expect(held.rowCount).toBe(0);
    const { body } = await call(`incidents/${id}/timeline`);
    expect(body.items.map(({ type }) => type)).toEqual(['IncidentOpened', 'IncidentAcknowledged', 'IncidentResolved']);
  });

  it('with the same Idempotency-Key has one effect, and another body is refused', async () => {
    const id = await open('idem');
    const key = { 'idempotency-key': 'k-1' };
    const first = await post(`incidents/${id}/comments`, { text: 'hello' }, key);
    const again = await post(`incidents/${id}/comments`, { text: 'hello' }, key);
    expect([first.status, again.status]).toEqual([201, 201]);
    expect(again.body['events']).toEqual(first.body['events']);
    expect((await call(`incidents/${id}`)).body['version']).toBe(2);
    expect(await post(`incidents/${id}/comments`, { text: 'other' }, key)).toMatchObject({
      status: 409,
      body: { code: 'conflict' },
    });
  });

  it('needs the scope and a body that fits', async () => {
    const id = await open('scope');
    expect(await post(`incidents/${id}/resolve`, {}, {}, 'readeronly')).toMatchObject({ status: 403 });
    expect(await post(`incidents/${id}/comments`, {})).toMatchObject({
      status: 422,
      body: { errors: [{ path: 'text' }, {}, {}] },
    });
    expect(await post(`incidents/${id}/comments`, { text: 'x', extra: 1 })).toMatchObject({ status: 422 });
  });
});

describe('commands and batches at the same time', () => {
  it('lose no update', async () => {
    const id = await open('busy');
    const comments = Array.from({ length: 20 }, (_, index) => post(`incidents/${id}/comments`, { text: `c${index}` }));
    const batches = Array.from({ length: 20 }, (_, index) =>
      say(scene.record(scene.repeat(`busy${index}`, 1, 'busy'))),
    );
    const answers = await Promise.all(comments);
    await Promise.all(batches);
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(201));
    const after = await waitFor(
      async () => {
        const { body } = await call(`incidents/${id}`);
        return body['webhook_occurrence_count'] === 21 ? body : undefined;
      },
      { timeoutMs: 20_000 },
    );
    const events = await pools.pipeline.query<{ type: string; version: string }>(
      'select type, version from incident_store.events where stream_id = $1 order by version',
      [id],
    );
    expect(events.rows.map(({ version }) => Number(version))).toEqual(events.rows.map((_, index) => index + 1));
    expect(events.rows.filter(({ type }) => type === 'CommentAdded')).toHaveLength(20);
    expect(after['version']).toBe(events.rowCount);
  });
});

describe('what other services say', () => {
  it('comes into the timeline: results as events, deliveries as facts, each once', async () => {
    const id = await open('notes');
    const base = { incident_id: id, workspace_id: scene.workspaceId, at: scene.minute(3) };
    const rca: RcaEvent = {
      ...base,
      ...{
        id: mintId('evt', randomBytes(16)),
        rca_id: mintId('rca', randomBytes(16)),
        type: 'rca.completed',
        investigator: 'built-in',
      },
      ...{ incident_version: 1, reason: null, summary: 'a deployment', hypotheses: [], config_revision: 1 },
    };
    const delivery: DeliveryEvent = {
      ...base,
      ...{
        id: mintId('evt', randomBytes(16)),
        delivery_id: 'dlv_1',
        subscription_id: 'sub_1',
        subscription_name: 'pager',
        event_id: 'evt_1',
      },
      ...{ event_type: 'incident.created', type: 'delivery.delivered', attempt: 1, response_status: 200, detail: null },
      external_link: { system: 'jira', id: 'OPS-7', url: 'https://jira.example/browse/OPS-7' },
    };
    for (let time = 0; time < 2; time++) {
      await eventLog.append([
        { topic: 'rca.events', key: id, value: encodeRecord('rca.event.v1', rca), headers: { type: 'rca.event.v1' } },
        {
          topic: 'delivery.events',
          key: id,
          value: encodeRecord('delivery.event.v1', delivery),
          headers: { type: 'delivery.event.v1' },
        },
      ]);
    }
    await post(`incidents/${id}/comments`, { text: 'after' });
    const kinds = await waitFor(
      async () => {
        const { body } = await call(`incidents/${id}/timeline`);
        return body.items.length >= 5 ? body.items.map(({ type }) => type as string).sort() : undefined;
      },
      { timeoutMs: 20_000 },
    );
    expect(kinds).toEqual(['CommentAdded', 'ExternalLinkAdded', 'IncidentOpened', 'RcaNoted', 'delivery.delivered']);
    expect((await call(`incidents/${id}`)).body).toMatchObject({ external_links: [delivery.external_link] });
  });

  it('settles receipts that never became alerts', async () => {
    const receiptId = deriveId('rcv', uniquePrefix());
    const { workspaceId, webhookId } = scene;
    const item = {
      receiptId,
      workspaceId,
      webhookId,
      receivedAt: scene.minute(1),
      settledAt: scene.minute(1),
      total: 0,
      alerts: [],
    };
    const value = encodeRecord('receipts.settled.v1', {
      items: [{ ...item, outcome: 'ignored', reason: 'handshake' }],
    });
    const waiting = call(`receipts/${receiptId}`);
    await eventLog.append([
      { topic: 'webhook.outcomes', key: webhookId, value, headers: { type: 'receipts.settled.v1' } },
    ]);
    expect(await waiting).toMatchObject({
      status: 200,
      body: { receipt_id: receiptId, status: 'ignored', reason: 'handshake', incident_id: null, alerts: [] },
    });
    expect(await call(`receipts/${receiptId}`, { key: 'stranger' })).toMatchObject({ status: 404 });
  });
});

describe('commands of people', () => {
  const types = (answer: Answer) => (answer.body['events'] as { type: string }[]).map(({ type }) => type);
  const hence = (seconds: number): string => new Date(Date.now() + seconds * 1000).toISOString();

  it('assign, edit, suppress, reopen, each told once to subscribers', async () => {
    const id = await open('people');
    expect(await post(`incidents/${id}/assign`, { assignee: 'ada@example.org' })).toMatchObject({
      status: 200,
      body: { assignee: 'ada@example.org', version: 2 },
    });
    expect((await post(`incidents/${id}/assign`, { assignee: 'ada@example.org' })).body).toMatchObject({
      version: 2,
      events: [],
    });
    const edit = { title: 'Corrected', priority: 'P1', severity: 'low', tags: ['team:db'], url: null };
    const edited = await call(`incidents/${id}`, { method: 'PATCH', body: JSON.stringify(edit) });
    expect(edited).toMatchObject({ status: 200, body: edit });
    expect(types(edited)).toEqual(['IncidentEdited', 'SeverityChanged']);
    expect(await post(`incidents/${id}/suppress`, { note: 'known' })).toMatchObject({ body: { status: 'suppressed' } });
    expect(await post(`incidents/${id}/suppress`)).toMatchObject({ status: 409, body: { code: 'wrong-state' } });
    expect(await post(`incidents/${id}/reopen`)).toMatchObject({ status: 200, body: { status: 'open' } });
    expect(await post(`incidents/${id}/reopen`)).toMatchObject({ status: 409, body: { current_status: 'open' } });
    expect(await call(`incidents/${id}`)).toMatchObject({ body: { title: 'Corrected', assignee: 'ada@example.org' } });
    expect((await call('incidents?text=Corrected')).body.items).toMatchObject([{ id, severity: 'low' }]);
  });

  it('reopen a resolved incident, which alerts of its service may join again', async () => {
    const id = await open('again');
    await post(`incidents/${id}/resolve`);
    expect(await post(`incidents/${id}/reopen`, { note: 'not over' })).toMatchObject({
      status: 200,
      body: { status: 'open', resolved_at: null },
    });
  });

  it('snooze until an instant; the timer gives it back, and is not fooled by an earlier snooze', async () => {
    const id = await open('snooze');
    await post(`incidents/${id}/acknowledge`);
    expect(await post(`incidents/${id}/snooze`, { until: hence(1) })).toMatchObject({ body: { status: 'snoozed' } });
    expect(await post(`incidents/${id}/snooze`, { until: hence(3600) })).toMatchObject({ status: 200 });
    expect(await post(`incidents/${id}/snooze`, { until: hence(2) })).toMatchObject({ status: 200 });
    await waitFor(async () => (await call(`incidents/${id}`)).body['status'] === 'acknowledged', { timeoutMs: 20_000 });
    const { rows } = await pools.pipeline.query('select from incident_store.timers where incident_id = $1', [id]);
    expect(rows).toHaveLength(0);
    const timeline = (await call(`incidents/${id}/timeline`)).body.items;
    expect(timeline.filter(({ type }) => type === 'SnoozeEnded')).toMatchObject([{ actor: { name: 'snooze timer' } }]);
  });

  it('end a snooze by hand, and by a resolve, which clears the timer', async () => {
    const id = await open('unsnooze');
    await post(`incidents/${id}/snooze`, { until: hence(3600) });
    expect(await post(`incidents/${id}/unsnooze`)).toMatchObject({ status: 200, body: { status: 'open' } });
    expect(await post(`incidents/${id}/unsnooze`)).toMatchObject({ status: 409 });
    await post(`incidents/${id}/snooze`, { until: hence(3600) });
    expect(await post(`incidents/${id}/resolve`)).toMatchObject({ body: { status: 'resolved' } });
    const { rows } = await pools.pipeline.query('select from incident_store.timers where incident_id = $1', [id]);
    expect(rows).toHaveLength(0);
  });

  it.each([
    ['snooze', {}, 'until'],
    ['snooze', { until: 'tomorrow' }, 'until'],
    ['snooze', { until: '2020-01-01T00:00:00Z' }, 'until'],
    ['assign', {}, 'assignee'],
    ['assign', { assignee: '' }, 'assignee'],
  ])('are refused: %s with %j', async (name, body, path) => {
    const id = await open('refused');
    expect(await post(`incidents/${id}/${name}`, body)).toMatchObject({
      status: 422,
      body: { errors: expect.arrayContaining([expect.objectContaining({ path })]) as unknown },
    });
  });

  it('are repeated under their Idempotency-Key without a second effect', async () => {
    const id = await open('idempotent');
    const key = { 'idempotency-key': 'snooze-1' };
    const until = hence(3600);
    const first = await post(`incidents/${id}/snooze`, { until }, key);
    const again = await post(`incidents/${id}/snooze`, { until }, key);
    expect(again.body['events']).toEqual(first.body['events']);
    expect(await post(`incidents/${id}/snooze`, { until: hence(60) }, key)).toMatchObject({ status: 409 });
  });
});

describe('an incident in the past', () => {
  it('is shown as it was, and was not there before it was opened', async () => {
    const id = await open('past');
    const { body: before } = await call(`incidents/${id}`);
    await waitFor(() => new Date().toISOString() > String(before['updated_at']), { timeoutMs: 5_000 });
    const between = new Date().toISOString();
    await waitFor(() => new Date().toISOString() > between, { timeoutMs: 5_000 });
    await post(`incidents/${id}/acknowledge`);
    await post(`incidents/${id}/assign`, { assignee: 'ada' });
    expect((await call(`incidents/${id}?at=${between}`)).body).toEqual(before);
    expect((await call(`incidents/${id}?at=${new Date().toISOString()}`)).body).toMatchObject({ assignee: 'ada' });
    expect(await call(`incidents/${id}?at=2020-01-01T00:00:00Z`)).toMatchObject({ status: 404 });
    expect(await call(`incidents/${id}?at=yesterday`)).toMatchObject({ status: 422 });
  });

  it('shows its events with hashes that anybody can recompute', async () => {
    const id = await open('hashed');
    await post(`incidents/${id}/comments`, { text: 'for the record' });
    const { body } = await call(`incidents/${id}/audit?limit=1`);
    expect(body).toMatchObject({ intact: true, findings: [], next_cursor: expect.any(String) });
    const rest = await call(`incidents/${id}/audit?cursor=${String(body['next_cursor'])}`);
    type Audited = HashedEvent & { prev_hash: string; hash: string; salt: string; body: string };
    const events = [...body.items, ...rest.body.items] as unknown as Audited[];
    expect(events.map(({ type }) => type)).toEqual(['IncidentOpened', 'CommentAdded']);
    for (const { prev_hash, hash, salt, body: content, ...event } of events) {
      expect(hashOf(prev_hash, event)).toBe(hash);
      expect(digestOf(Buffer.from(salt, 'hex'), Buffer.from(content))).toBe(event.digest);
    }
    expect(events[1]?.prev_hash).toBe(events[0]?.hash);
  });
});

describe('one command on many incidents', () => {
  it('says for each what became of it', async () => {
    const [first, second] = [await open('bulk-1'), await open('bulk-2')];
    await post(`incidents/${second}/acknowledge`);
    const missing = deriveId('inc', 'nobody');
    const ids = [first, second, missing, 'inc_bad'];
    expect(await post('incidents/bulk', { ids, command: 'acknowledge', note: 'all mine' })).toMatchObject({
      status: 200,
      body: {
        results: [
          { id: first, ok: true, status: 'acknowledged', version: 2 },
          { id: second, ok: false, code: 'wrong-state' },
          { id: missing, ok: false, code: 'not-found' },
          { id: 'inc_bad', ok: false, code: 'not-found' },
        ],
      },
    });
    const key = { 'idempotency-key': 'bulk-1' };
    const assign = { ids: [first, second], command: 'assign', assignee: 'ada' };
    const once = await post('incidents/bulk', assign, key);
    expect(await post('incidents/bulk', assign, key)).toEqual(once);
  });

  it.each([
    [{ ids: [], command: 'resolve' }, 'ids'],
    [{ ids: Array.from({ length: 501 }, (_, n) => `inc_${n}`), command: 'resolve' }, 'ids'],
    [{ ids: ['inc_1'], command: 'explode' }, 'command'],
    [{ ids: ['inc_1'], command: 'snooze' }, 'until'],
    [{ ids: ['inc_1'], command: 'comment' }, 'text'],
    [{ ids: ['inc_1'], command: 'assign' }, 'assignee'],
  ])('refuses %j', async (input, path) => {
    const refused = await post('incidents/bulk', input);
    expect(refused.status).toBe(422);
    expect(refused.body['errors']).toEqual(expect.arrayContaining([expect.objectContaining({ path })]));
  });
});

describe('the events of a workspace in their order', () => {
  interface Item {
    position: string;
    outbound_name: string | null;
    event: { id: string; stream: string; version: number; type: string; hash: string };
  }
  const page = async (after: string, limit = 500): Promise<{ items: Item[]; next_after: string }> =>
    (await call(`events?after=${after}&limit=${limit}`)).body as never;
  const all = async (): Promise<Item[]> => {
    const found: Item[] = [];
    for (let after = '0'; ;) {
      const { items, next_after } = await page(after, 7);
      if (items.length === 0) return found;
      found.push(...items);
      after = next_after;
    }
  };
  const allSequenced = () =>
    waitFor(async () => (await pools.pipeline.query('select from incident_store.unsequenced')).rowCount === 0, {
      timeoutMs: 20_000,
    });

  it('hold every stored event once, each stream by version, without a gap over all', async () => {
    const id = await open('ordered');
    await Promise.all(Array.from({ length: 20 }, (_, n) => post(`incidents/${id}/comments`, { text: `comment ${n}` })));
    await allSequenced();
    const items = await all();
    const { rows } = await pools.pipeline.query<{ n: string; top: string }>(
      `select (select count(*) from incident_store.events where workspace_id = $1) as n,
              (select count(*) - max(position) from incident_store.commit_order) as top`,
      [scene.workspaceId],
    );
    expect(items).toHaveLength(Number(rows[0]?.n));
    expect(Number(rows[0]?.top)).toBe(0);
    const versions = new Map<string, number>();
    for (const { event } of items) {
      expect(event.version).toBe((versions.get(event.stream) ?? 0) + 1);
      versions.set(event.stream, event.version);
    }
    expect(items.filter(({ event }) => event.stream === id)).toHaveLength(21);
    expect(items.find(({ event }) => event.stream === id)?.outbound_name).toBe('incident.created');
  });

  it('are another workspace’s own, and refuse a position that is none', async () => {
    expect((await call('events', { key: 'stranger' })).body).toMatchObject({ items: [], next_after: '0' });
    for (const after of ['-1', 'x', '1e3']) expect(await call(`events?after=${after}`)).toMatchObject({ status: 422 });
  });

  it('have signed checkpoints over a chain that anybody can recompute', async () => {
    await allSequenced();
    const orders = await pools.pipeline.query<{
      position: string;
      stream_id: string;
      version: string;
      hash: string;
      chain: string;
    }>('select position, stream_id, version, hash, chain from incident_store.commit_order order by position');
    let chain = GENESIS_CHAIN;
    for (const { position, stream_id: stream, version, hash, chain: stored } of orders.rows) {
      chain = chainOf(chain, { position: BigInt(position), stream, version: Number(version), hash });
      expect(stored).toBe(chain);
    }
    const { rows } = await pools.pipeline.query<{
      position: string;
      chain: string;
      at: Date;
      key_id: string;
      signature: string;
    }>('select * from incident_store.audit_checkpoints');
    expect(rows.length).toBeGreaterThan(0);
    for (const { position, chain: signed, at, key_id, signature } of rows) {
      const text = checkpointText({ position: BigInt(position), chain: signed, at: at.toISOString() });
      expect(verify(null, Buffer.from(text), keyRing.auditPublicKey(key_id)!, Buffer.from(signature, 'base64'))).toBe(
        true,
      );
      expect(orders.rows[Number(position) - 1]?.chain).toBe(signed);
    }
  });

  it.each(['update incident_store.commit_order set hash = chain', 'delete from incident_store.audit_checkpoints'])(
    'cannot be changed: %s',
    async (sql) => {
      await expect(pools.pipeline.query(sql)).rejects.toThrow();
    },
  );
});

describe('the event stream', () => {
  /** Reads Server-Sent Events until `done`; returns id and event name of each. */
  async function listen(headers: Record<string, string>, done: (seen: string[]) => boolean): Promise<string[]> {
    const abort = new AbortController();
    const response = await fetch(`${running.url}/api/v1/incidents/stream`, {
      headers: { authorization: `Bearer tsk_responder_${secret}`, ...headers },
      signal: abort.signal,
    });
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    const seen: string[] = [];
    let text = '';
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        const [, id, name] = /^id: (\d+)\nevent: (\S+)\ndata: /.exec(text.slice(0, end)) ?? [];
        if (id && name) seen.push(`${id} ${name}`);
        text = text.slice(end + 2);
      }
      if (done(seen)) break;
    }
    abort.abort();
    return seen;
  }

  it('tells events as they come, and resumes after the last id without a gap or a repeat', async () => {
    const id = await open('streamed');
    let started = () => {};
    const connected = new Promise<void>((resolve) => (started = resolve));
    const live = listen({}, (seen) => {
      started();
      return seen.some((item) => item.endsWith('incident.acknowledged'));
    });
    await connected;
    await post(`incidents/${id}/acknowledge`);
    const seen = await live;
    const from = seen.at(-1)!.split(' ')[0]!;
    await post(`incidents/${id}/comments`, { text: 'one' });
    await post(`incidents/${id}/resolve`);
    const resumed = await listen({ 'last-event-id': from }, (items) =>
      items.some((item) => item.endsWith('incident.resolved')),
    );
    expect(resumed.map((item) => item.split(' ')[1])).toEqual(['incident.comment', 'incident.resolved']);
    const again = await listen({ 'last-event-id': from }, (items) => items.length === 2);
    expect(again).toEqual(resumed);
  });

  it('refuses an id that is none, and a caller without the scope', async () => {
    expect(await call('incidents/stream', { headers: { 'last-event-id': 'abc' } })).toMatchObject({ status: 400 });
    const response = await fetch(`${running.url}/api/v1/incidents/stream`);
    expect(response.status).toBe(401);
  });
});
