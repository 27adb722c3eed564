import { decodeRecord, type FilledTemplate } from '@tocsin/contracts';
import { testDatabase, waitFor } from '@tocsin/testing';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DispatcherParts } from './dispatcher.ts';
import { outboundDispatcher } from './index.ts';
import { aBatch, anIncidentEvent } from './spec/events.ts';
import { aSubscription, startDispatcher, SUBSCRIPTION, type Running } from './spec/harness.ts';
import { startReceiver, type Receiver } from './spec/receiver.ts';

const CANARY = 'canary0123456789ABCDEFGHIJKLMNOP';
/** What the process writes to its log. */
const logged: string[] = [];
const note = (...said: unknown[]) => void logged.push(JSON.stringify(said));
const log = { info: note, debug: note, warn: note, error: note } as unknown as DispatcherParts['log'];
const sealed = (text: string) => `${SUBSCRIPTION}|${text}`;

let database: Awaited<ReturnType<typeof testDatabase>>;
let running: Running;
let receiver: Receiver;

beforeEach(async () => {
  database = await testDatabase({
    migrations: [{ schema: 'outbound_dispatcher', directory: outboundDispatcher.migrations! }],
  });
  // It answers with everything that it got, as some debugging receivers do.
  receiver = await startReceiver(({ path, headers, body }, response) =>
    response
      .writeHead(400, { 'content-type': 'application/json', 'x-seen': path })
      .end(JSON.stringify({ path, headers, body })),
  );
});
afterEach(async () => {
  await running?.close();
  await receiver.close();
  await database.drop();
});

/** Every text in every table of the service. */
async function everythingStored(): Promise<string> {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  try {
    const { rows: tables } = await client.query<{ name: string }>(
      `select table_name as name from information_schema.tables where table_schema = 'outbound_dispatcher' order by 1`,
    );
    const texts: string[] = [];
    for (const { name } of tables) {
      const { rows } = await client.query<{ row: string }>(
        `select t::text as row from outbound_dispatcher.${client.escapeIdentifier(name)} t`,
      );
      texts.push(...rows.map(({ row }) => row));
    }
    return texts.join('\n');
  } finally {
    await client.end();
  }
}

describe('a delivery by a template', () => {
  const raw = (): FilledTemplate => ({
    ...{ name: 'raw', parameters: {} },
    sealed: { url: sealed(`${receiver.url}/${CANARY}-url`), authorization: sealed(`Bearer ${CANARY}-header`) },
  });
  const pagerduty = (): FilledTemplate => ({
    ...{ name: 'pagerduty', parameters: { region: 'us', url: receiver.url } },
    sealed: { routing_key: sealed(CANARY) },
  });
  const telegram = (): FilledTemplate => ({
    ...{ name: 'telegram', parameters: { chat_id: '-100', base_url: receiver.url.replace('/hook', '') } },
    sealed: { bot_token: sealed(`123456:${CANARY}`) },
  });

  it.each([
    ['an address and a header', raw, /\/hook\/canary[^"]*-url/, /^Bearer canary/],
    ['a field of the body', pagerduty, /^\/hook$/, undefined],
    ['the path', telegram, /^\/bot123456:canary[^/]*\/sendMessage$/, undefined],
  ])(
    'reaches the vendor with its secret in %s, and leaves it nowhere else',
    async (_where, filled, path, authorization) => {
      const template = filled();
      const secrets = ['whsec_'.padEnd(40, 'A')];
      running = startDispatcher(
        database.url,
        [
          aSubscription({
            url: 'https://masked.example/***',
            template,
            retrySchedule: [0],
            secrets: [{ id: 's', sealed: sealed(secrets[0]!), notAfter: null }],
          }),
        ],
        { log },
      );
      await running.dispatcher.plan(aBatch(anIncidentEvent('a', 1, 'IncidentOpened', 'incident.created')));
      const [got] = await waitFor(() => receiver.received.length > 0 && receiver.received);
      expect(got!.path).toMatch(path);
      if (authorization) expect(got!.headers['authorization']).toMatch(authorization);
      if (template.name === 'pagerduty')
        expect(JSON.parse(got!.body)).toMatchObject({ routing_key: CANARY, event_action: 'trigger' });
      const stored = await waitFor(async () => {
        const all = await everythingStored();
        return all.includes('schedule-exhausted') && all;
      });
      expect(stored).toContain('client-error');
      expect(stored).not.toContain(CANARY);
      expect(stored).not.toContain(secrets[0]);
      expect(
        JSON.stringify(running.outputs.map(({ value, headers }) => [Buffer.from(value).toString(), headers])),
      ).not.toContain(CANARY);
      expect(logged.length).toBeGreaterThan(0);
      expect(logged.join('\n')).not.toContain(CANARY);
    },
  );

  it('is not planned for what the platform itself opened', async () => {
    const own = anIncidentEvent('b', 1, 'IncidentOpened', 'incident.created');
    own.incident.connector = 'pagerduty';
    const other = anIncidentEvent('c', 1, 'IncidentOpened', 'incident.created');
    running = startDispatcher(database.url, [
      aSubscription({ url: 'https://masked.example/***', template: pagerduty(), retrySchedule: [0] }),
    ]);
    await running.dispatcher.plan(aBatch(own, other));
    await waitFor(() => receiver.received.length === 1);
    const { rows } = await running.pools.pipeline.query<{ incident_id: string }>(
      'select incident_id from outbound_dispatcher.deliveries',
    );
    expect(rows.map(({ incident_id }) => incident_id)).toEqual([other.incident.id]);
  });

  it('tells of the record that the vendor made', async () => {
    const answers: Record<string, object> = {
      '/hook': { status: 'success', dedup_key: 'inc_of_pagerduty' },
      '/rest/api/3/issue': { id: '10007', key: 'OPS-7', self: 'https://elsewhere.example/10007' },
      '/api/now/table/incident?sysparm_fields=number,sys_id': { result: { number: 'INC0010023', sys_id: 'abc123' } },
    };
    await receiver.close();
    receiver = await startReceiver(({ path }, response) =>
      response.writeHead(201, { 'content-type': 'application/json' }).end(JSON.stringify(answers[path] ?? {})),
    );
    const site = receiver.url.replace('/hook', '');
    const jira: FilledTemplate = {
      ...{ name: 'jira', sealed: { api_token: 'sub_0|token' } },
      parameters: { base_url: site, email: 'a@b.example', project_key: 'OPS', issue_type: 'Task', deployment: 'cloud' },
    };
    const servicenow: FilledTemplate = {
      ...{ name: 'servicenow', sealed: { password: 'sub_1|password' } },
      parameters: { instance_url: site, username: 'tocsin', table: 'incident' },
    };
    running = startDispatcher(
      database.url,
      [jira, servicenow, { ...pagerduty(), sealed: { routing_key: 'sub_2|key' } }].map((template, index) =>
        aSubscription({ url: 'https://masked.example/***', template }, `sub_${index}`),
      ),
    );
    await running.dispatcher.plan(aBatch(anIncidentEvent('d', 1, 'IncidentOpened', 'incident.created')));
    const { outputs } = running;
    const facts = await waitFor(() => {
      const said = outputs.filter(({ topic }) => topic === 'delivery.events');
      return said.length === 3 && said.map(({ value }) => decodeRecord('delivery.event.v1', value));
    });
    const links = facts.map(({ external_link: link }) => link).sort((a, b) => (a!.system < b!.system ? -1 : 1));
    expect(links).toEqual([
      { system: 'jira', id: 'OPS-7', url: `${site}/browse/OPS-7` },
      { system: 'pagerduty', id: 'inc_of_pagerduty', url: null },
      { system: 'servicenow', id: 'INC0010023', url: `${site}/nav_to.do?uri=incident.do%3Fsys_id%3Dabc123` },
    ]);
  });
});
