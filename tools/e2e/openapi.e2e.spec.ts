import { waitFor } from '@tocsin/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openApiDocument } from '../openapi/document.ts';
import { ids } from '../openapi/example-ids.ts';
import { answerOf, type ExampleRequest, exampleRequests, operationsOf } from '../openapi/requests.ts';
import { Validator } from '../openapi/validate.ts';
import { Client, type MadeWebhook } from './client.ts';
import { allInOneSite } from './sites.ts';

// The document is held against a running installation: what it shows is sent, what it promises is what comes back.

const document = openApiDocument();
const validator = new Validator(document);
let site: Awaited<ReturnType<typeof allInOneSite>>;
/** Ids of the running installation for those that the examples show. */
let live: Readonly<Record<keyof typeof ids, string>>;

/** A request, with what is behind the names that the examples use. */
const lived = (text: string): string =>
  (Object.keys(ids) as (keyof typeof ids)[]).reduce((all, name) => all.replaceAll(ids[name], live[name]), text);

function credentialOf({ operation }: Pick<ExampleRequest, 'operation'>): Record<string, string> {
  const [scheme = ''] = Object.keys(operation.security[0] ?? {});
  if (scheme === 'apiKey') return { authorization: `Bearer ${site.apiKey}` };
  return scheme === 'webhookBearer' ? { authorization: `Bearer ${live.webhookSecret}` } : {};
}

interface Sent {
  status: number;
  type: string;
  text: string;
}

async function send(request: ExampleRequest, change: Partial<ExampleRequest> = {}): Promise<Sent> {
  const { method, target, headers, body } = { ...request, ...change };
  const response = await fetch(`${site.url}${target}`, { method, headers, ...(body === undefined ? {} : { body }) });
  const type = response.headers.get('content-type') ?? '';
  if (!type.startsWith('text/event-stream')) return { status: response.status, type, text: await response.text() };
  await response.body?.cancel(); // it would never end
  return { status: response.status, type, text: '' };
}

/** What is wrong with an answer by the document; empty = nothing. */
function faultsOf({ operation }: Pick<ExampleRequest, 'operation'>, { status, type, text }: Sent): string[] {
  const said = answerOf(document, operation, status);
  if (said === undefined) return [`status ${status} is not documented: ${text}`];
  if (said === null) return text === '' ? [] : [`status ${status} should have no body: ${text}`];
  if (!type.startsWith(said.type)) return [`content type ${type} instead of ${said.type}`];
  const value: unknown = said.type.endsWith('json') ? JSON.parse(text) : text;
  return said.schema ? validator.errors(said.schema, value).map((error) => `${error} in ${text.slice(0, 300)}`) : [];
}

async function seed(): Promise<typeof live> {
  const client = new Client(site);
  const webhook = await client.make<MadeWebhook>('/api/v1/webhooks', { name: 'Examples', connector: 'generic' });
  const query = await client.make<MadeWebhook>('/api/v1/webhooks', {
    name: 'In the query',
    connector: 'uptimerobot',
    auth: { method: 'none' },
  });
  const events = await client.make<MadeWebhook>('/api/v1/webhooks', {
    name: 'Events',
    connector: 'pagerduty',
    auth: { method: 'none' },
  });
  const alertmanager = await client.make<MadeWebhook>('/api/v1/webhooks', {
    name: 'Rules',
    connector: 'prometheus',
    auth: { method: 'none' },
  });
  await client.trigger(events, '{"what":"nobody can read"}');
  const quiet = await client.make<MadeWebhook>('/api/v1/webhooks', {
    name: 'Recorded',
    connector: 'generic',
    open_when: { field: 'severity', operator: 'equals', value: 'critical' },
  });
  const recorded = await client.bearer(quiet, { title: 'Disk is filling', severity: 'low', service: 'disk' });
  const answer = await client.bearer(webhook, { title: 'Search is slow', service: 'search', dedup_key: 'search' });
  const incident = answer.body.incident_id;
  if (!incident) throw new Error(`no incident: ${JSON.stringify(answer)}`);
  const another = (title: string, service: string) => client.bearer(webhook, { title, service });
  const other = await another('Search is slow too', 'search-index');
  const merged = await another('Search has no answers', 'search-api');
  const duplicate = await another('Search does not answer', 'search-proxy');
  const mixed = await another('Bills are late', 'billing');
  const mixedToo = await another('Payments fail', 'billing');
  const subscription = await client.make<{ id: string }>('/api/v1/subscriptions', {
    name: 'Examples',
    url: `${site.url}/sink`,
    events: ['incident.*'],
  });
  const pulling = await client.make<{ id: string }>('/api/v1/subscriptions', {
    events: ['incident.*'],
    delivery: 'pull',
  });
  const tried = await client.api<{ id: string }>('POST', `/api/v1/subscriptions/${subscription.id}/test`, {});
  await client.api('POST', `/api/v1/subscriptions/${pulling.id}/test`, {});
  const feed = () => client.get<{ items: { cursor: string }[] }>(`/api/v1/subscriptions/${pulling.id}/feed`);
  const feedCursor = await waitFor(async () => (await feed()).items[0]?.cursor, { what: 'an event in the feed' });
  const recommendation = await client.make<{ id: string }>('/api/v1/recommendations', { title: 'Add a replica' });
  const planned = { matchers: { field: 'service', operator: 'equals', value: 'nothing' }, duration_minutes: 60 };
  const syncLink = await client.make<{ id: string }>('/api/v1/sync-links', {
    ...{ name: 'Examples', system: 'jira', base_url: 'https://tickets.example.com', project: 'OPS' }, // nobody is there: `check` says so
    auth: { method: 'token', username: 'bot@shop.example', secret: 'token-of-the-example' },
  });
  const silence = await client.make<{ id: string }>('/api/v1/silences', { comment: 'Examples', ...planned });
  const window = await client.make<{ id: string }>('/api/v1/maintenance-windows', { name: 'Examples', ...planned });
  const topology = await client.api<{ nodes: { id: string }[] }>('PUT', '/api/v1/topology', {
    edges: [{ from: 'ledger', to: 'ledger-db' }],
  });
  const key = await client.make<{ id: string }>('/api/v1/api-keys', { name: 'Examples', scopes: ['read'] });
  const workspaces = await client.get<{ items: { id: string }[] }>('/api/v1/workspaces');
  const letters = () => client.get<{ items: { id: string }[] }>('/api/v1/dead-letters');
  const log = `/api/v1/webhooks/${webhook.id}/deliveries/${answer.body.receipt_id}`;
  // Services behind the incident hear of it a moment later.
  await waitFor(async () => (await client.api('GET', `/api/v1/incidents/${incident}/rca`)).status === 200, {
    timeoutMs: 60_000,
    what: 'the incident at rca-trigger',
  });
  const agent = await investigated(client, webhook, workspaces.items[0]?.id ?? '');
  const deadLetter = await waitFor(async () => (await letters()).items[0]?.id, {
    timeoutMs: 60_000,
    what: 'a dead letter',
  });
  const notification = await waitFor(
    async () => (await client.get<typeof workspaces>('/api/v1/notifications')).items[0]?.id,
    {
      timeoutMs: 60_000,
      what: 'a notification of the dead letter',
    },
  );
  await waitFor(async () => (await client.api('GET', log)).status === 200, {
    timeoutMs: 60_000,
    what: 'the delivery log',
  });
  return {
    workspace: workspaces.items[0]?.id ?? '',
    webhook: webhook.id,
    subscription: subscription.id,
    pulling: pulling.id,
    delivery: tried.body.id,
    feedCursor,
    recommendation: recommendation.id,
    notification,
    syncLink: syncLink.id,
    silence: silence.id,
    maintenanceWindow: window.id,
    service: topology.body.nodes[0]?.id ?? '',
    incident,
    ...agent,
    otherIncident: other.body.incident_id ?? '',
    mergedIncident: merged.body.incident_id ?? '',
    duplicateIncident: duplicate.body.incident_id ?? '',
    mixedIncident: mixed.body.incident_id ?? '',
    mixedAlert: mixed.body.alerts[0]?.alert_id ?? '',
    mixedAlert2: mixedToo.body.alerts[0]?.alert_id ?? '',
    receipt: answer.body.receipt_id,
    apiKey: key.id,
    webhookToken: webhook.token,
    deadLetter,
    eventsToken: events.token,
    alertmanagerToken: alertmanager.token,
    alert: answer.body.alerts[0]?.alert_id ?? '',
    recordedAlert: recorded.body.alerts[0]?.alert_id ?? '',
    soon: new Date(Date.now() + 3_600_000).toISOString(),
    queryToken: query.token,
    webhookSecret: webhook.secret,
  };
}

/** An incident that an investigator of the workspace's own was asked about: the sink, which takes every request and says nothing. */
async function investigated(client: Client, webhook: MadeWebhook, workspaceId: string) {
  const path = `/api/v1/workspaces/${workspaceId}/investigator`;
  const named = await client.api('PUT', path, { url: `${site.url}/sink` });
  if (named.status !== 200) throw new Error(`no investigator: ${JSON.stringify(named.body)}`);
  // Incidents that come before the change is known are Tocsin's: one of the next is not.
  let tried = 0;
  const begun = async () => {
    const service = `checkout-${(tried += 1)}`;
    const { body } = await client.bearer(webhook, {
      title: `Nobody can pay at ${service}`,
      severity: 'critical',
      service,
    });
    const agentIncident = body.incident_id ?? '';
    const rca = await waitFor(
      async () => {
        const list = `/api/v1/incidents/${agentIncident}/rca`;
        const found = await client.api<{ items?: { id: string; status: string }[] }>('GET', list);
        const first = found.body.items?.[0];
        return first && first.status !== 'requested' && first;
      },
      { timeoutMs: 30_000, what: 'an investigation that was begun' },
    );
    return rca.status === 'running' && { agentIncident, investigation: rca.id };
  };
  return waitFor(begun, { timeoutMs: 60_000, what: 'an investigation by the sink' });
}

beforeAll(async () => {
  site = await allInOneSite();
  live = await seed();
});
afterAll(() => site.remove());

// Commands in an order in which each has something to do; deletions last, because the others need what they take away.
const COMMANDS = [
  ...['acknowledge', 'assign', 'comments', 'snooze', 'unsnooze', 'resolve', 'erase', 'reopen', 'suppress'],
  ...['progress', 'result'],
];
const placeOf = ({ method, path }: ExampleRequest): number =>
  method === 'DELETE' ? COMMANDS.length : COMMANDS.indexOf(path.split('/').at(-1) ?? '');
const requests = exampleRequests(document).sort((a, b) => placeOf(a) - placeOf(b));
const named = (all: readonly ExampleRequest[]) => all.map((one) => [one.name, one] as const);
const guarded = requests.filter(({ operation }) => 'apiKey' in (operation.security[0] ?? {}));

it('is served as it is in the repository', async () => {
  const served = await fetch(`${site.url}/api/openapi.json`);
  expect(await served.json()).toEqual(document);
});

it('is a page that loads nothing', async () => {
  const page = await fetch(`${site.url}/api/docs`);
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(await page.text()).toContain('/api/v1/incidents/{id}/timeline');
});

describe('an example that names nothing of this installation', () => {
  const naming = requests.filter(({ target }) => Object.values(ids).some((id) => target.includes(id)));

  it.each(named(naming))('%s is refused as documented', async (_name, request) => {
    const sent = await send(request, { headers: { ...request.headers, ...credentialOf(request) } });
    expect(faultsOf(request, sent)).toEqual([]);
    expect(sent.status, sent.text).toBeGreaterThanOrEqual(400);
    expect(sent.status, sent.text).toBeLessThan(500);
  });
});

describe('without a credential', () => {
  it.each(named(guarded))('%s is refused as documented', async (_name, request) => {
    const sent = await send(request);
    expect({ status: sent.status, faults: faultsOf(request, sent) }).toEqual({ status: 401, faults: [] });
  });
});

describe('a bad body', () => {
  const bodies = ['{"no_such_field_anywhere": true, "name": 7}', '[1, 2, 3]', '"text"', '{"broken": '];
  const tried = operationsOf(document).filter(
    // A test of a webhook says what is wrong with a payload in its answer.
    ({ operation, path }) =>
      operation.requestBody && !operation.tags.includes('Demo') && path !== '/api/v1/webhooks/{id}/test',
  );
  const first = new Map(requests.map((request) => [`${request.method} ${request.path}`, request]));

  it('is expected by at least the known routes', () => expect(tried.length).toBeGreaterThan(15));

  it.each(tried.map(({ method, path, operation }) => [`${method} ${path}`, operation] as const))(
    'is refused by %s with a documented problem',
    async (name, operation) => {
      const request = first.get(name) as ExampleRequest;
      const { target } = request;
      const headers = {
        'content-type': 'application/json',
        ...credentialOf(request),
      };
      // What a platform sends is its own affair: only what is no JSON is bad for certain.
      const isRaw = !Object.values(operation.requestBody?.content ?? {}).some(
        ({ schema }) => schema && '$ref' in schema,
      );
      for (const body of isRaw ? bodies.slice(-1) : bodies) {
        const sent = await send(request, { target: lived(target), headers, body });
        expect(faultsOf(request, sent), body).toEqual([]);
        expect([400, 413, 415, 422], body).toContain(sent.status);
      }
    },
  );
});

describe('an example', () => {
  it.each(named(requests))('%s is answered as documented', async (_name, request) => {
    const sent = await send(request, {
      target: lived(request.target),
      headers: Object.fromEntries(
        Object.entries({ ...request.headers, ...credentialOf(request) }).map(([name, value]) => [name, lived(value)]),
      ),
      ...(request.body === undefined ? {} : { body: lived(request.body) }),
    });
    expect(faultsOf(request, sent)).toEqual([]);
    expect(sent.status, sent.text).toBeGreaterThanOrEqual(200);
    expect(sent.status, sent.text).toBeLessThan(300);
  });
});
