import { encodeFacts, incidentIdOf, alertIdOf, mintId, type ReceiptFacts, topics } from '@tocsin/contracts';
import { newWebhook } from '@tocsin/domain/replay';
import { type EventLog, headerNames } from '@tocsin/event-log';
import { openJournal } from '@tocsin/event-log/journal';
import { openKafka } from '@tocsin/event-log/kafka';
import { createPools, type Pools } from '@tocsin/postgres';
import { testDatabase, testKafka, uniquePrefix } from '@tocsin/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../run.ts';
import { FakeTerminal } from '../spec/fake-terminal.ts';
import { loggedReceipts } from './logged-receipts.ts';
import { readPast } from './past.ts';

const WORKSPACE = mintId('ws', Buffer.alloc(16, 1));
const SHOP = mintId('whk', Buffer.alloc(16, 2));
const CHECKOUT = mintId('whk', Buffer.alloc(16, 3));
/** The clock of the terminal says 09:00. */
const minute = (count: number): string =>
  new Date(Date.parse('2026-11-21T08:00:00.000Z') + count * 60_000).toISOString();

interface Sent {
  id: string;
  webhookId: string;
  at: string;
  body: unknown;
}
const sent = (name: number, webhookId: string, at: number, body: unknown): Sent => ({
  ...{ id: mintId('rcv', Buffer.alloc(16, 100 + name)), webhookId, at: minute(at), body },
});
const failing = (title: string, more: object = {}) => ({
  title,
  severity: 'high',
  dedup_key: title,
  tags: ['eu'],
  ...more,
});

const [opening, joining] = [sent(1, SHOP, 0, failing('Latency')), sent(2, CHECKOUT, 20, failing('Errors'))];
const receipts = [
  opening,
  joining,
  sent(3, SHOP, 25, failing('Errors again', { severity: 'low' })),
  sent(4, CHECKOUT, 40, failing('Timeouts')),
];

const CONFIGURATION = `
correlation_rules:
  rules:
    - name: Same region
      conditions:
        operator: and
        items:
          - { field: tags, operator: intersects, value: [] }
          - { field: severity, operator: in, value: [high, critical] }
webhooks:
  - name: shop
    open_when: { field: severity, operator: not_equals, value: low }
`;

let database: Awaited<ReturnType<typeof testDatabase>>;
let pools: Pools;

beforeAll(async () => {
  const migrations = (app: string) => new URL(`../../../${app}/src/migrations/`, import.meta.url);
  database = await testDatabase({
    migrations: [
      { schema: 'control_plane', directory: migrations('control-plane') },
      { schema: 'incident_store', directory: migrations('incident-store') },
    ],
  });
  pools = createPools({ connectionString: database.url, applicationName: 'replay.int.spec', max: 1 });
  const save = (revision: number, kind: string, id: string, body: unknown) =>
    pools.pipeline.query(
      `insert into control_plane.configuration_documents (revision, kind, id, workspace_id, deleted, body, at) values ($1, $2, $3, $4, false, $5, now())`,
      [revision, kind, id, WORKSPACE, JSON.stringify(body)],
    );
  await save(1, 'workspace', WORKSPACE, { name: 'Demo', slug: 'demo', wrappedDataKey: '' });
  await save(2, 'webhook', SHOP, newWebhook('shop', 'generic'));
  await save(3, 'webhook', CHECKOUT, newWebhook('checkout', 'generic'));
  for (const { id, webhookId, at, body } of receipts) {
    await pools.pipeline.query(
      `insert into control_plane.inbound_deliveries (id, workspace_id, webhook_id, received_at, status, query, headers, content_type)
       values ($1, $2, $3, $4, 'settled', '', '{}', 'application/json')`,
      [id, WORKSPACE, webhookId, at],
    );
    await pools.pipeline.query(
      `insert into control_plane.inbound_payloads (receipt_id, workspace_id, received_at, body, content_type, truncated, redacted)
       values ($1, $2, $3, $4, 'application/json', false, false)`,
      [id, WORKSPACE, at, Buffer.from(JSON.stringify(body))],
    );
  }
});
afterAll(async () => {
  await pools?.close();
  await database?.drop();
});

async function tocsin(args: string[], environment: Record<string, string> = {}) {
  const terminal = new FakeTerminal({ 'proposed.yaml': CONFIGURATION }, { DATABASE_URL: database.url, ...environment });
  const code = await run(['replay', '--config', 'proposed.yaml', ...args], terminal);
  return { code, out: terminal.printed, err: terminal.complained };
}

describe('tocsin replay', () => {
  it('says which incidents would join and vanish, and which rule decides', async () => {
    const { code, out, err } = await tocsin(['--from', '2h']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain('4 receipts, 4 alerts, 0 commands of people');
    expect(out).toContain('incidents: 4 as it is, 1 with proposed.yaml; 0 unchanged');
    expect(out).toMatch(/JOIN {4}3 incidents become 1\n {2}as it is {2}inc_\w+ {2}"Latency"/);
    expect(out).toContain(`because   ${alertIdOf(joining.id, 0)} "Errors", ${joining.at}`);
    expect(out).toContain('proposed: correlated, rule "Same region" of the workspace');
    expect(out).toMatch(/VANISH {2}an incident less\n.*"Errors again"/);
    expect(out).toContain('proposed: recorded, open-when');
  });

  it('prints the same as data, and looks at the time that is asked for only', async () => {
    const { out } = await tocsin(['--json', '--from', minute(15), '--to', minute(30)]);
    expect(JSON.parse(out)).toMatchObject({
      ...{ workspace_id: WORKSPACE, from: minute(15), to: minute(30), source: 'payloads', commands: 0 },
      receipts: { read: 2, skipped: {} },
      incidents: { now: 2, proposed: 1, unchanged: 1 },
      changes: [{ kind: 'vanish', now: [{ title: 'Errors again' }], proposed: [] }],
    });
  });

  it('repeats what people did: a closed incident takes no more alerts', async () => {
    const stream = await haveStream(opening);
    await haveEvent(stream, 1, 'IncidentResolved', { actor: 'webhook', at: 5 }); // the source's own end is in the receipts
    await haveEvent(stream, 2, 'IncidentResolved', { actor: 'user', at: 10 });
    const { out } = await tocsin(['--from', '2h']);
    expect(out).toContain('1 command of people');
    // Without it, three would join. The nearest miss names an incident that is open.
    expect(out).toContain('JOIN    2 incidents become 1');
  });

  it('repeats a merge as one command, and as a resolve where no alert opened the survivor', async () => {
    const survivor = await haveStream(joining);
    const body = { role: 'merged', into: { incident_id: survivor, number: 2, title: 'Errors' }, note: null };
    const source = await haveStream(sent(3, SHOP, 25, {}));
    await haveEvent(source, 1, 'IncidentsMerged', { actor: 'user', at: 26, body });
    await haveEvent(source, 2, 'IncidentResolved', { actor: 'user', at: 26, reason: 'merged' });
    await haveEvent(survivor, 1, 'IncidentsMerged', {
      actor: 'user',
      at: 26,
      body: { role: 'survivor', incidents: [] },
    });
    const span = { from: new Date(minute(26)), to: new Date(minute(27)) };
    const commands = async () => (await readPast(pools.pipeline, 'demo', span)).commands;
    const [openingAlertId, intoOpeningAlertId] = [3, 2].map((name) => alertIdOf(sent(name, SHOP, 0, {}).id, 0));
    expect(await commands()).toMatchObject([{ kind: 'merge', openingAlertId, intoOpeningAlertId, at: minute(26) }]);
    await pools.pipeline.query(
      `update incident_store.streams set state = '{"openingAlertId": null}' where stream_id = $1`,
      [survivor],
    );
    expect(await commands()).toMatchObject([{ kind: 'resolve', openingAlertId }]);
  });

  it.each([
    [['--from', 'yesterday'], '--from: an instant'],
    [['--from', '1h', '--to', '2h'], '--from must be before --to'],
    [['--workspace', 'other'], '--workspace: id or slug of one; there are demo'],
    [['--source', 'log'], 'KAFKA_BROKERS names no brokers'],
    [['--config', 'nowhere.yaml'], 'nowhere.yaml cannot be read'],
  ])('refuses %j', async (args, message) => {
    const { code, err } = await tocsin(args);
    expect(code).toBe(2);
    expect(err).toContain(message);
  });
});

/** The stream of the incident that the first alert of a receipt has opened. */
async function haveStream({ id }: Sent): Promise<string> {
  const stream = incidentIdOf(WORKSPACE, alertIdOf(id, 0));
  await pools.pipeline.query(
    `insert into incident_store.streams (stream_id, workspace_id, scope, version, last_hash, state_schema, state, updated_at)
     values ($1, $2, $2, 2, '', 0, $3, now())`,
    [stream, WORKSPACE, JSON.stringify({ openingAlertId: alertIdOf(id, 0) })],
  );
  return stream;
}

interface Happened {
  actor: string;
  at: number;
  reason?: string;
  body?: object;
}

async function haveEvent(
  stream: string,
  version: number,
  type: string,
  { actor, at, reason, body }: Happened,
): Promise<void> {
  await pools.pipeline.query(
    `insert into incident_store.events (stream_id, version, event_id, workspace_id, type, schema_version, at, actor, cause_id, cause_ordinal,
       reason, config_revision, digest, prev_hash, hash) values ($1, $2, $3, $4, $5, 1, $6, $7, $3, 0, $8, 0, '', '', '')`,
    [
      stream,
      version,
      `evt_${version}`,
      WORKSPACE,
      type,
      minute(at),
      JSON.stringify({ kind: actor, id: 'x', name: null }),
      reason,
    ],
  );
  await pools.pipeline.query(
    'insert into incident_store.event_payloads (stream_id, version, workspace_id, salt, body) values ($1, $2, $3, $4, $5)',
    [stream, version, WORKSPACE, Buffer.alloc(16), JSON.stringify(body ?? {})],
  );
}

/** What the gateway appends; the last one came again. */
async function receive(log: EventLog): Promise<void> {
  await log.ensureTopics({ 'webhook.received': topics['webhook.received'] });
  const other = sent(9, SHOP, 30, failing('Elsewhere'));
  const records = [...receipts, other, receipts[3]!].map((one) => {
    const facts: ReceiptFacts = {
      ...{
        receiptId: one.id,
        workspaceId: one === other ? 'ws_other' : WORKSPACE,
        webhookId: one.webhookId,
        connector: 'generic',
        configRevision: 3,
      },
      ...{
        receivedAt: one.at,
        method: 'POST',
        query: '',
        contentType: 'application/json',
        headers: {},
        waiting: false,
      },
    };
    return {
      ...{ topic: 'webhook.received' as const, key: one.webhookId, value: Buffer.from(JSON.stringify(one.body)) },
      headers: {
        [headerNames.type]: 'webhook.received.v1',
        [headerNames.facts]: encodeFacts('webhook.received.v1', facts),
      },
    };
  });
  await log.append(records);
}
const span = { from: new Date(minute(-60)), to: new Date(minute(60)) };

describe('receipts out of the event log', () => {
  it('are refused, and no topic is made, where the log has none', async () => {
    const { brokers } = await testKafka();
    const environment = { KAFKA_BROKERS: brokers.join(','), TOPIC_PREFIX: `${uniquePrefix()}.` };
    const { code, err } = await tocsin([], environment);
    expect(code).toBe(1);
    expect(err).toMatch(/webhook\.received/);
  });

  it('of a journal are those of the workspace, each once, in the order of their times', async () => {
    const log = await openJournal({});
    try {
      await log.ensureTopics({ 'webhook.received': topics['webhook.received'] });
      expect(await loggedReceipts(log, WORKSPACE, span)).toEqual({ receipts: [], skipped: {} });
      await receive(log);
      const read = await loggedReceipts(log, WORKSPACE, span);
      expect(read.receipts.map(({ receiptId }) => receiptId)).toEqual(receipts.map(({ id }) => id));
      expect(JSON.parse(Buffer.from(read.receipts[0]!.payload.bytes).toString())).toEqual(opening.body);
    } finally {
      await log.close();
    }
  });

  it('of Kafka give the same replay as the delivery log', async () => {
    const { brokers } = await testKafka();
    const prefix = `${uniquePrefix()}.`;
    const log = await openKafka({ brokers, clientId: 'replay-spec', prefix });
    try {
      await receive(log);
      const environment = { KAFKA_BROKERS: brokers.join(','), TOPIC_PREFIX: prefix };
      const [fromLog, kept] = [
        await tocsin(['--json'], environment),
        await tocsin(['--json', '--source', 'payloads'], environment),
      ];
      expect({ ...(JSON.parse(fromLog.out) as object), source: 'payloads' }).toEqual(JSON.parse(kept.out));
      expect(JSON.parse(fromLog.out)).toMatchObject({ source: 'log', alerts: 4 });
    } finally {
      await log.close();
    }
  });
});
