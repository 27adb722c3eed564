import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkEventData, eventTypeNames, eventTypeOf, type EventTypeName } from '@tocsin/contracts';
import { AppProcess, freePort, testDatabase, waitFor } from '@tocsin/testing';
import pg from 'pg';
import { Webhook as StandardWebhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client, type MadeWebhook } from './client.ts';
import { Receiver, type Received } from './receiver.ts';

// Every event that the catalogue advertises is caused as a user would cause it, and arrives at a subscriber of everything.

let directory: string;
let database: Awaited<ReturnType<typeof testDatabase>>;
let process: AppProcess;
let client: Client;
let receiver: Receiver;
/** Receivers in trouble: one fails for a while, one says that it is gone. */
let failing: Receiver;
let gone: Receiver;
let failingStatus = 500;
let secret: string;

const received = (type: EventTypeName): Received[] => receiver.received.filter(({ json }) => json.type === type);
const arrival = (type: EventTypeName, where: (one: Received) => boolean = () => true): Promise<Received> =>
  waitFor(() => received(type).find(where), { timeoutMs: 60_000, what: `${type} at the receiver` });
const about = (id: unknown) => (one: Received) => one.json.data.id === id;

async function post(path: string, content: unknown = {}, status = [200, 201, 202]): Promise<Record<string, unknown>> {
  const answer = await client.api('POST', path, content);
  if (!status.includes(answer.status)) throw new Error(`POST ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
}
async function newWebhook(fields: Record<string, unknown> = {}): Promise<MadeWebhook> {
  return client.make<MadeWebhook>('/api/v1/webhooks', {
    name: 'Catalogue',
    connector: 'generic',
    respond: 'wait',
    ...fields,
  });
}
async function open(webhook: MadeWebhook, title: string): Promise<string> {
  const { body } = await client.bearer(webhook, { title, severity: 'critical', service: title, dedup_key: title });
  if (!body.incident_id) throw new Error(`no incident: ${JSON.stringify(body)}`);
  return body.incident_id;
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tocsin-e2e-'));
  database = await testDatabase({ migrations: [] });
  const port = await freePort();
  const data = join(directory, 'data');
  const environment = { PORT: String(port), TOCSIN_DATA_DIR: data, DATABASE_URL: database.url, RCA_SETTLE_MS: '0' };
  process = new AppProcess({ app: 'all-in-one', logDirectory: directory, environment });
  process.start();
  const url = `http://127.0.0.1:${port}`;
  await process.ready(url);
  const { apiKey } = JSON.parse(await readFile(join(data, 'demo.json'), 'utf8')) as { apiKey: string };
  client = new Client({ apiKey, at: () => url });
  receiver = await Receiver.start();
  failing = await Receiver.start(() => failingStatus);
  gone = await Receiver.start(() => 410);
  const subscribe = (name: string, to: Receiver, more: Record<string, unknown>) =>
    client.make<{ id: string; secret: string }>('/api/v1/subscriptions', {
      name,
      url: to.url,
      retry_schedule: [0],
      ...more,
    });
  secret = (await subscribe('Everything', receiver, { events: ['*'], secret: 'generate', update_interval_seconds: 0 }))
    .secret;
  await subscribe('Failing', failing, { events: ['finding.created'], disable_after_days: 2 });
  await subscribe('Gone', gone, { events: ['finding.resolved'] });
});
afterAll(async () => {
  await process?.stop();
  for (const one of [receiver, failing, gone]) await one?.close();
  await database?.drop();
  await rm(directory, { recursive: true, force: true });
});

const publish = (type: EventTypeName, changes: Record<string, unknown> = {}) =>
  post('/api/v1/events', { type, data: { ...eventTypeOf(type).example, ...changes } });

describe('each event of the catalogue arrives', () => {
  it('incident.*: alerts and commands of people', async () => {
    const id = await open(await newWebhook(), 'lifecycle');
    const path = `/api/v1/incidents/${id}`;
    await arrival('incident.created', about(id));
    await post(`${path}/acknowledge`);
    await post(`${path}/comments`, { text: 'Looking into it' });
    await post(`${path}/assign`, { assignee: 'ada' });
    await post(`${path}/snooze`, { until: new Date(Date.now() + 3_600_000).toISOString() });
    await post(`${path}/resolve`);
    await post(`${path}/reopen`);
    await post(`${path}/suppress`);
    await arrival('incident.suppressed', about(id));
    const own = receiver.of(id).map(({ json }) => json.type);
    expect(own).toEqual([
      ...['incident.created', 'incident.acknowledged', 'incident.comment', 'incident.updated', 'incident.snoozed'],
      ...['incident.resolved', 'incident.reopened', 'incident.suppressed'],
    ]);
  });

  it('task.*, conversation.* and recommendation.*: an investigation, and what people do with its advice', async () => {
    await post('/api/v1/changes', { service: 'advice', version: '2', finished: new Date().toISOString() });
    const id = await open(await newWebhook(), 'advice');
    const ofIncident = ({ json }: Received) => json.data['incident_id'] === id;
    for (const type of ['task.started', 'task.completed', 'conversation.completed'] as const)
      await arrival(type, ofIncident);
    const made = await arrival('recommendation.created', ofIncident);
    const path = `/api/v1/recommendations/${made.json.data.id}`;
    await post(`${path}/comments`, { text: 'Planned' });
    await client.api('PATCH', path, { status: 'accepted' });
    await client.api('PATCH', path, { status: 'implemented' });
    for (const type of ['recommendation.comment', 'recommendation.updated', 'recommendation.implemented'] as const)
      await arrival(type, about(made.json.data.id));
  });

  it.each([
    'task.failed',
    'approval.requested',
    'approval.granted',
    'finding.created',
    'finding.resolved',
    'compliance.changed',
    'resource.discovered',
    'resource.changed',
    'resource.deleted',
  ] as const)('%s: another service publishes it', async (type) => {
    const { id } = await publish(type);
    await arrival(type, ({ json }) => json.id === id);
  });

  it('webhook.*: a client is locked out, a limit is reached', async () => {
    const locked = await newWebhook();
    for (let n = 0; n < 10; n += 1) await client.bearer({ ...locked, secret: 'wrong' }, { title: 'x' });
    await arrival('webhook.locked_out', ({ json }) => json.data['webhook_id'] === locked.id);
    const limited = await newWebhook({ rate_limit_per_hour: 1 });
    for (let n = 0; n < 3; n += 1) await client.bearer(limited, { title: `limited ${n}` });
    await arrival('webhook.rate_limited', ({ json }) => json.data['webhook_id'] === limited.id);
  });

  it('delivery.* and subscription.*: receivers fail, go, and come back', async () => {
    // What was published above met both receivers.
    await arrival('delivery.exhausted', ({ json }) => json.data['subscription_name'] === 'Failing');
    await arrival('subscription.disabled', ({ json }) => json.data['subscription_name'] === 'Gone');
    const days = new pg.Client({ connectionString: database.url });
    await days.connect();
    await days.query(
      `update outbound_dispatcher.endpoints set failing_since = now() - interval '30 hours' where failing_since is not null`,
    );
    await days.end();
    await publish('finding.created', { id: 'after a day' });
    await arrival('subscription.failing');
    failingStatus = 204;
    await publish('finding.created', { id: 'it works again' });
    await arrival('subscription.recovered', ({ json }) => json.data['subscription_name'] === 'Failing');
  });

  it('all of them, each valid by its schema and signed', () => {
    const types = new Set(receiver.received.map(({ json }) => json.type));
    expect([...types].sort()).toEqual([...eventTypeNames].sort());
    const verifier = new StandardWebhook(secret);
    for (const { json, headers, body } of receiver.received) {
      expect([json.type, checkEventData(json.type as EventTypeName, json.data)]).toEqual([json.type, []]);
      expect(headers['x-webhook-event']).toBe(json.type);
      expect(headers['webhook-id']).toBe(json.id);
      expect(() => verifier.verify(body, headers as Record<string, string>)).not.toThrow();
    }
    expect(new Set(receiver.received.map(({ json }) => json.id)).size).toBe(receiver.received.length);
  });

  it('an erasure of personal data empties what was sent of the incident', async () => {
    const id = await open(await newWebhook(), 'Ada Lovelace called');
    await arrival('incident.created', about(id));
    await post(`/api/v1/incidents/${id}/resolve`);
    await arrival('incident.resolved', about(id));
    await post(`/api/v1/incidents/${id}/erase`, { note: 'Request 4711' });
    const told = await arrival('incident.updated', about(id));
    expect(told.body).not.toContain('Ada');
    // What was sent but not yet booked when the erasure came is emptied with the next round, within a minute.
    await waitFor(
      async () => {
        const { items } = await client.get<{ items: { erased_at: string | null; sequence: number }[] }>(
          `/api/v1/deliveries?incident_id=${id}&limit=100`,
        );
        const emptied = items.filter((one) => one.erased_at !== null);
        return emptied.length >= 2 && !JSON.stringify(items).includes('Ada');
      },
      { timeoutMs: 90_000, what: 'that all of its deliveries are emptied' },
    );
  });

  it('is what GET /api/v1/event-types lists', async () => {
    const { items } = await client.get<{ items: { name: string }[] }>('/api/v1/event-types');
    expect(items.map(({ name }) => name).sort()).toEqual([...eventTypeNames].sort());
  });
});
