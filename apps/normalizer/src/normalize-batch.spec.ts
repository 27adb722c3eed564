import {
  alertIdOf,
  type AlertsNormalized,
  decodeFacts,
  decodeRecord,
  encodeFacts,
  PACKED_BYTES_MAX,
  type ReceiptFacts,
  type RecordType,
  type RecordValue,
  topics,
  type Topic,
  type WebhookDocument,
} from '@tocsin/contracts';
import type { AppendRecord, LogRecord } from '@tocsin/event-log';
import { openJournal } from '@tocsin/event-log/journal';
import type { Batch, Input } from '@tocsin/postgres';
import { describe, expect, it } from 'vitest';
import { normalizeBatch } from './normalize-batch.ts';
import type { Webhooks } from './webhook-settings.ts';

const webhook = (
  revision: number,
  defaultSeverity: WebhookDocument['body']['defaultSeverity'] = 'medium',
): WebhookDocument => ({
  revision,
  kind: 'webhook',
  id: 'whk_a',
  workspaceId: 'ws_a',
  deleted: false,
  body: {
    name: 'shop',
    description: '',
    connector: 'generic',
    enabled: true,
    tokenHmac: '',
    sealedToken: '',
    auth: { method: 'bearer', header: null, prefix: null, username: null },
    secrets: [],
    respond: 'wait',
    rateLimitPerHour: 0,
    defaultSeverity,
    severityProfile: 'tocsin',
    dedup: { windowHours: 24, windowFrom: 'last', reopenMinutes: 30, resolvePolicy: 'all' },
    correlation: { enabled: true, windowMinutes: 5, by: 'service' },
    rca: { autoTrigger: true, minSeverity: 'medium' },
  },
});

/** A feed with a history: what it knows now, and what each wait brings. */
class FakeFeed implements Webhooks {
  waits = 0;
  constructor(
    private readonly history: WebhookDocument[],
    private readonly onWait: (feed: FakeFeed) => WebhookDocument[] = () => [],
  ) {}
  loaded = () => true;
  webhook = (id: string) => this.history.filter((one) => one.id === id).at(-1);
  webhookAt = (id: string, revision: number) =>
    Promise.resolve(this.history.find((one) => one.id === id && one.revision === revision));
  atLeast = (revision: number) => {
    this.waits += 1;
    this.history.push(...this.onWait(this));
    return Promise.resolve(this.history.some((one) => one.revision >= revision));
  };
}

const TRACE = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

const receipt = (offset: number, body: unknown, facts: Partial<ReceiptFacts> = {}): Input => {
  const complete: ReceiptFacts = {
    receiptId: `rcv_${offset}`,
    workspaceId: 'ws_a',
    webhookId: 'whk_a',
    connector: 'generic',
    configRevision: 1,
    receivedAt: '2026-11-21T09:00:00.000Z',
    method: 'POST',
    query: '',
    contentType: 'application/json',
    headers: {},
    waiting: false,
    ...facts,
  };
  return {
    offset: BigInt(offset),
    key: 'whk_a',
    type: 'webhook.received.v1',
    value: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
    headers: { type: 'webhook.received.v1', facts: encodeFacts('webhook.received.v1', complete), traceparent: TRACE },
    timestamp: Date.UTC(2026, 10, 21, 9, 0, 1),
  };
};

interface Run {
  feed?: Webhooks;
  append?: (records: readonly AppendRecord[]) => Promise<void>;
}

async function run(inputs: Input[], { feed = new FakeFeed([webhook(1)]), append }: Run = {}) {
  const appends: (readonly AppendRecord[])[] = [];
  const failures: string[] = [];
  const keep = (records: readonly AppendRecord[]) => {
    appends.push(records);
    return Promise.resolve();
  };
  const stage = normalizeBatch({
    log: { append: append ?? keep },
    webhooks: feed,
    onFailure: (_error, what) => failures.push(what),
  });
  const batch: Batch = {
    source: { group: 'normalizer', topic: 'webhook.received', partition: 3 },
    logId: 'log-1',
    inputs,
    heartbeat: () => Promise.resolve(),
  };
  const result = await stage(batch);
  const records = appends.flat();
  return {
    result,
    appends,
    records,
    failures,
    of: (topic: Topic) => records.filter((record) => record.topic === topic),
  };
}

const valuesOf = <T extends RecordType>(type: T, records: readonly { value: Uint8Array }[]): RecordValue<T>[] =>
  records.map((record) => decodeRecord(type, record.value));
const alertsOf = (records: readonly AppendRecord[]): AlertsNormalized[] => valuesOf('alerts.normalized.v1', records);

describe('a batch of readable receipts', () => {
  it('becomes alerts keyed by scope, with mark, trace and the ids of their causes, in one append', async () => {
    const { result, appends, records } = await run([
      receipt(7, { title: 'A' }),
      receipt(8, [{ title: 'B' }, { title: 'C' }]),
    ]);
    expect(result).toEqual({ kind: 'committed', next: 9n });
    expect(appends).toHaveLength(1);
    expect(records.map(({ topic, key, headers }) => ({ topic, key, headers }))).toEqual(
      [7, 8].map((offset) => ({
        topic: 'correlation.inputs',
        key: 'ws_a',
        headers: { type: 'alerts.normalized.v1', mark: `log-1/webhook.received/3;${offset};0`, traceparent: TRACE },
      })),
    );
    const [first, second] = alertsOf(records);
    expect(first).toMatchObject({
      receiptId: 'rcv_7',
      receiptTotal: 1,
      alerts: [{ id: alertIdOf('rcv_7', 0), title: 'A', configRevision: 1 }],
    });
    expect(second).toMatchObject({
      receiptTotal: 2,
      alerts: [
        { index: 0, title: 'B' },
        { index: 1, title: 'C' },
      ],
    });
  });

  it('gives the same bytes again', async () => {
    const inputs = () => [
      receipt(1, { title: 'A' }),
      receipt(2, 'garbage', { waiting: true }),
      receipt(3, [{ title: 'x' }, 5]),
    ];
    expect((await run(inputs())).records).toEqual((await run(inputs())).records);
  });

  it('packs 1,000 alerts of one request in records of at most 200, each counting the whole receipt', async () => {
    const { records } = await run([
      receipt(
        1,
        Array.from({ length: 1_000 }, (_, n) => ({ title: `alert ${n}`, id: n })),
      ),
    ]);
    const packed = alertsOf(records);
    expect(packed.map((record) => record.alerts.length)).toEqual([200, 200, 200, 200, 200]);
    expect(packed.every((record) => record.receiptTotal === 1_000)).toBe(true);
    expect(packed.flatMap((record) => record.alerts.map((alert) => alert.index))).toEqual(
      Array.from({ length: 1_000 }, (_, n) => n),
    );
    expect(records.map((record) => record.headers['mark']?.split(';')[2])).toEqual(['0', '1', '2', '3', '4']);
  });

  it('splits records at 256 KiB and truncates a single alert that is larger', async () => {
    const long = '漢'.repeat(9_000);
    const huge = {
      title: 'huge',
      description: long,
      details: long,
      tags: Array.from({ length: 100 }, (_, n) => `${n}${'漢'.repeat(990)}`),
      extra: long,
    };
    const { records } = await run([
      receipt(1, [huge, ...Array.from({ length: 40 }, (_, n) => ({ title: `${n}`, description: long }))]),
    ]);
    for (const record of records) expect(record.value.length).toBeLessThanOrEqual(PACKED_BYTES_MAX);
    const alerts = alertsOf(records).flatMap((record) => record.alerts);
    expect(alerts).toHaveLength(41);
    expect(alerts[0]?.fields).toEqual({});
    expect(alerts[0]?.notes.map((note) => note.code)).toContain('fields-truncated');
  });
});

describe('a receipt without alerts', () => {
  it('that is ignored is settled, and only a waiting sender gets a reply', async () => {
    const { records, of } = await run([receipt(1, [], { waiting: true }), receipt(2, [])]);
    expect(records).toHaveLength(2);
    expect(valuesOf('receipt.replied.v1', of('webhook.replies'))).toEqual([
      {
        receiptId: 'rcv_1',
        total: 0,
        alerts: [],
        outcome: 'ignored',
        reason: 'empty-batch',
        detail: 'the payload holds no alerts',
      },
    ]);
    const [settled] = valuesOf('receipts.settled.v1', of('webhook.outcomes'));
    expect(settled?.items.map(({ receiptId, outcome, total }) => ({ receiptId, outcome, total }))).toEqual([
      { receiptId: 'rcv_1', outcome: 'ignored', total: 0 },
      { receiptId: 'rcv_2', outcome: 'ignored', total: 0 },
    ]);
    expect(of('webhook.outcomes')[0]?.headers['mark']).toBe('log-1/webhook.received/3;2;0');
  });

  it.each([
    ['undecodable-payload', '{"title": '],
    ['unrecognised-payload', '"text"'],
  ])('that is unreadable (%s) is dead-lettered with its bytes, settled and answered', async (reason, body) => {
    const { of } = await run([receipt(4, body, { waiting: true })]);
    const [letter] = of('dead-letters');
    expect(Buffer.from(letter?.value ?? []).toString()).toBe(body);
    expect(decodeFacts('dead.letter.v1', letter?.headers['facts'] ?? '')).toMatchObject({
      service: 'normalizer',
      topic: 'webhook.received',
      partition: 3,
      offset: '4',
      reason,
      receiptId: 'rcv_4',
    });
    expect(valuesOf('receipt.replied.v1', of('webhook.replies'))[0]).toMatchObject({
      total: 0,
      outcome: 'dead-lettered',
      reason,
    });
    expect(valuesOf('receipts.settled.v1', of('webhook.outcomes'))[0]?.items[0]).toMatchObject({
      outcome: 'dead-lettered',
      reason,
    });
  });
});

describe('a broken element among good ones', () => {
  it('is dead-lettered alone and answered, and its siblings count it in their total', async () => {
    const { of } = await run([receipt(5, [{ title: 'A' }, null, { title: 'C' }], { waiting: true })]);
    expect(alertsOf(of('correlation.inputs'))[0]).toMatchObject({
      receiptTotal: 3,
      alerts: [{ index: 0 }, { index: 2, id: alertIdOf('rcv_5', 2) }],
    });
    expect(decodeFacts('dead.letter.v1', of('dead-letters')[0]?.headers['facts'] ?? '')).toMatchObject({
      parts: [1],
      reason: 'unrecognised-payload',
    });
    const answer = {
      index: 1,
      alertId: alertIdOf('rcv_5', 1),
      incidentId: null,
      outcome: 'dead-lettered',
      reason: 'unrecognised-payload',
      occurrenceCount: null,
    };
    expect(valuesOf('receipt.replied.v1', of('webhook.replies'))).toEqual([
      { receiptId: 'rcv_5', total: 3, alerts: [answer] },
    ]);
    expect(valuesOf('receipts.settled.v1', of('webhook.outcomes'))[0]?.items).toMatchObject([
      { receiptId: 'rcv_5', total: 3, alerts: [answer] },
    ]);
  });
});

describe('a record that is no receipt', () => {
  it('is dead-lettered without stopping its neighbours', async () => {
    const other: Input = { ...receipt(1, 'x'), type: 'other.v1' };
    const noFacts: Input = { ...receipt(2, 'y'), headers: { type: 'webhook.received.v1' } };
    const badFacts: Input = { ...receipt(3, 'z'), headers: { type: 'webhook.received.v1', facts: 'null' } };
    const { result, of } = await run([other, noFacts, badFacts, receipt(4, { title: 'fine' })]);
    expect(result).toEqual({ kind: 'committed', next: 5n });
    expect(
      of('dead-letters').map((letter) => decodeFacts('dead.letter.v1', letter.headers['facts'] ?? '').reason),
    ).toEqual(['unknown-record-type', 'undecodable-record', 'undecodable-record']);
    expect(alertsOf(of('correlation.inputs'))).toHaveLength(1);
  });

  it('names a connector that this version does not have', async () => {
    const { of } = await run([receipt(1, { title: 'A' }, { connector: 'of-a-later-version' })]);
    expect(decodeFacts('dead.letter.v1', of('dead-letters')[0]?.headers['facts'] ?? '')).toMatchObject({
      reason: 'connector-failed',
    });
  });
});

describe('the webhook of a receipt', () => {
  const severities = (records: readonly AppendRecord[]) =>
    alertsOf(records).flatMap((record) => record.alerts.map((alert) => alert.severity));

  it('is taken at exactly the revision of the receipt', async () => {
    const feed = new FakeFeed([webhook(1, 'low'), webhook(2, 'critical')]);
    const { records } = await run([receipt(1, { title: 'A' }), receipt(2, { title: 'B' }, { configRevision: 2 })], {
      feed,
    });
    expect(severities(records)).toEqual(['low', 'critical']);
    expect(feed.waits).toBe(0);
  });

  it('is waited for where the feed is behind', async () => {
    const feed = new FakeFeed([webhook(1, 'low')], ({ waits }) => (waits === 3 ? [webhook(2, 'high')] : []));
    const { records } = await run([receipt(1, { title: 'A' }, { configRevision: 2 })], { feed });
    expect(severities(records)).toEqual(['high']);
    expect(feed.waits).toBe(3);
  });

  it('is the newest one with a note where the revision does not come within ten seconds', async () => {
    const feed = new FakeFeed([webhook(1, 'low')]);
    const { records } = await run([receipt(1, { title: 'A' }, { configRevision: 9 })], { feed });
    expect(alertsOf(records)[0]?.alerts[0]).toMatchObject({
      severity: 'low',
      configRevision: 1,
      notes: [{ code: 'config-behind' }, { code: 'severity-missing' }],
    });
    expect(feed.waits).toBe(10);
  });

  it('leaves an accepted alert its way where it is gone for good', async () => {
    const { records } = await run([receipt(1, { title: 'A' }, { webhookId: 'whk_gone' })]);
    expect(alertsOf(records)[0]?.alerts[0]).toMatchObject({
      severity: 'medium',
      notes: [{ code: 'config-missing' }, { code: 'severity-missing' }],
    });
  });

  it('makes the batch come again while nothing can be read', async () => {
    const unloaded: Webhooks = { ...new FakeFeed([]), loaded: () => false };
    expect((await run([receipt(1, {})], { feed: unloaded })).result).toMatchObject({
      kind: 'retry',
      reason: 'configuration-behind',
    });
    const broken: Webhooks = { ...new FakeFeed([]), webhookAt: () => Promise.reject(new Error('database away')) };
    const { result, failures } = await run([receipt(1, {})], { feed: broken });
    expect(result).toMatchObject({ kind: 'retry', reason: 'configuration-behind' });
    expect(failures).toEqual(['normalizer.configuration-failed']);
  });
});

describe('a log that refuses the append', () => {
  it('moves nothing: the batch comes again', async () => {
    const { result, failures } = await run([receipt(1, { title: 'A' })], {
      append: () => Promise.reject(new Error('broker away')),
    });
    expect(result).toMatchObject({ kind: 'retry', reason: 'log-unavailable' });
    expect(failures).toEqual(['normalizer.append-failed']);
  });
});

describe('packed outcomes', () => {
  it('share one key and stay within the size of a record, marks ascending', async () => {
    const broken = JSON.stringify([{ title: 'good' }, ...Array.from({ length: 3_000 }, () => 1)]);
    const { of } = await run([receipt(1, broken), receipt(2, [], { webhookId: 'whk_b' })]);
    const outcomes = of('webhook.outcomes');
    expect(new Set(outcomes.map((record) => record.key))).toEqual(new Set(['whk_a']));
    for (const record of outcomes) expect(record.value.length).toBeLessThanOrEqual(PACKED_BYTES_MAX);
    const items = valuesOf('receipts.settled.v1', outcomes).flatMap((value) => value.items);
    expect(items.reduce((sum, item) => sum + item.alerts.length, 0)).toBe(3_000);
    expect(items.at(-1)).toMatchObject({ receiptId: 'rcv_2', outcome: 'ignored' });
    const offsets = outcomes.map((record) => Number(record.headers['mark']?.split(';')[1]));
    expect(offsets).toEqual([...offsets].sort((a, b) => a - b));
  });
});

describe('over the journal', () => {
  it('reads what was received and leaves the alerts in the log', async () => {
    const log = await openJournal();
    try {
      await log.ensureTopics(topics);
      const records = Array.from({ length: 500 }, (_, n) => receipt(n, { title: `alert ${n}`, id: n }));
      await log.append(
        records.map(({ key, value, headers }) => ({ topic: 'webhook.received' as const, key, value, headers })),
      );
      const stage = normalizeBatch({ log, webhooks: new FakeFeed([webhook(1)]), onFailure: () => undefined });
      const asInput = (record: LogRecord): Input => ({ ...record, type: record.headers['type'] ?? '' });
      const reader = await log.consume(
        { topic: 'webhook.received', group: 'normalizer', mode: 'group' },
        ({ records: read, ...rest }) => stage({ ...rest, inputs: read.map(asInput) }),
      );
      const titles: string[] = [];
      const done = Promise.withResolvers<void>();
      const listener = await log.consume(
        { topic: 'correlation.inputs', group: 'dedup-correlator', mode: 'group' },
        ({ records: read }) => {
          titles.push(
            ...valuesOf('alerts.normalized.v1', read).flatMap((value) => value.alerts.map((alert) => alert.title)),
          );
          if (titles.length >= 500) done.resolve();
          return Promise.resolve({ kind: 'committed', next: (read.at(-1)?.offset ?? 0n) + 1n });
        },
      );
      await done.promise;
      expect(titles).toEqual(Array.from({ length: 500 }, (_, n) => `alert ${n}`));
      await reader.close();
      await listener.close();
    } finally {
      await log.close();
    }
  });
});
