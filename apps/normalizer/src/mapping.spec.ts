import {
  decodeRecord,
  encodeFacts,
  type ReceiptFacts,
  type RecordType,
  type RecordValue,
  type WebhookBody,
  type WebhookDocument,
} from '@tocsin/contracts';
import { type MappingDocument, readMapping } from '@tocsin/domain/mapping-rules';
import type { AppendRecord } from '@tocsin/event-log';
import type { Input } from '@tocsin/postgres';
import { describe, expect, it } from 'vitest';
import { compiledMappings } from './compiled-mappings.ts';
import { normalizeBatch } from './normalize-batch.ts';

const mappingOf = (input: unknown): MappingDocument => {
  const read = readMapping(input);
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  return read.mapping;
};

const webhook = (revision: number, over: Partial<WebhookBody>, id = 'whk_a'): WebhookDocument => ({
  revision,
  kind: 'webhook',
  id,
  workspaceId: 'ws_a',
  deleted: false,
  body: {
    ...{ name: 'shop', description: '', connector: 'generic', enabled: true, tokenHmac: '', sealedToken: '' },
    ...{ auth: { method: 'bearer', header: null, prefix: null, username: null }, secrets: [], respond: 'wait' },
    ...{ rateLimitPerHour: 0, defaultSeverity: 'medium', severityProfile: 'tocsin' },
    dedup: { windowHours: 24, windowFrom: 'last', reopenMinutes: 30, resolvePolicy: 'all' },
    correlation: { enabled: true, windowMinutes: 5, by: 'service' },
    rca: { autoTrigger: true, minSeverity: 'medium' },
    ...over,
  },
});

function receipt(offset: number, body: unknown, over: Partial<ReceiptFacts> = {}): Input {
  const facts: ReceiptFacts = {
    ...{ receiptId: `rcv_${offset}`, workspaceId: 'ws_a', webhookId: 'whk_a', connector: 'generic', configRevision: 1 },
    ...{ receivedAt: '2026-11-21T09:00:00.000Z', method: 'POST', query: '', contentType: 'application/json' },
    ...{ headers: {}, waiting: false },
    ...over,
  };
  return {
    ...{ offset: BigInt(offset), key: facts.webhookId, type: 'webhook.received.v1' },
    value: Buffer.from(JSON.stringify(body)),
    headers: { type: 'webhook.received.v1', facts: encodeFacts('webhook.received.v1', facts) },
    timestamp: Date.UTC(2026, 10, 21, 9, 0, 1),
  };
}

async function run(documents: readonly WebhookDocument[], inputs: Input[]) {
  const records: AppendRecord[] = [];
  const stage = normalizeBatch({
    log: {
      append: (appended) => {
        records.push(...appended);
        return Promise.resolve();
      },
    },
    webhooks: {
      loaded: () => true,
      webhook: (id) => documents.findLast((one) => one.id === id),
      webhookAt: (id, revision) => Promise.resolve(documents.find((one) => one.id === id && one.revision === revision)),
      atLeast: () => Promise.resolve(true),
    },
    onFailure: (error) => {
      throw error;
    },
  });
  const source = { group: 'normalizer', topic: 'webhook.received' as const, partition: 0 };
  const result = await stage({ source, logId: 'log-1', inputs, heartbeat: () => Promise.resolve() });
  const of = <T extends RecordType>(type: T): RecordValue<T>[] =>
    records.filter(({ headers }) => headers?.['type'] === type).map(({ value }) => decodeRecord(type, value));
  const alerts = of('alerts.normalized.v1').flatMap((record) => record.alerts);
  return { result, records, of, alerts };
}

describe('the mapping of a webhook', () => {
  it('is applied before the connector, its tables before every vocabulary', async () => {
    const mapping = mappingOf({
      field_mapping: { title: ['$.none', '$.what'], dedup_key: '$.ids.check' },
      severity: { WARN: 'critical' },
      status: { gone: 'resolved' },
      defaults: { services: 'shop' },
      custom_fields: [{ name: 'replicas', type: 'number', path: '$.replicas' }],
      extracted_fields: [{ name: 'labels', path: '$.labels' }],
    });
    const body = { what: 'Down', severity: 'warn', status: 'gone', ids: { check: 7 }, replicas: '3', labels: { a: 1 } };
    const { alerts } = await run([webhook(1, { mapping, incidentType: 'outage' })], [receipt(1, body)]);
    expect(alerts).toMatchObject([
      {
        ...{ title: 'Down', severity: 'critical', status: 'resolved', services: ['shop'], incidentType: 'outage' },
        ...{ dedupKey: '7', dedupKeyOrigin: 'mapping', resolveKey: '7', notes: [] },
        customFields: { replicas: 3, labels: { a: 1 } },
      },
    ]);
  });

  it('is the one of exactly the revision of the receipt', async () => {
    const documents = [
      webhook(1, { mapping: mappingOf({ fields: { title: '$.old' } }) }),
      webhook(2, { mapping: mappingOf({ fields: { title: '$.new' } }) }),
      webhook(3, {}),
    ];
    const body = { old: 'Old', new: 'New', title: 'Plain' };
    const inputs = [3, 1, 2, 1].map((configRevision, offset) => receipt(offset, body, { configRevision }));
    const { alerts } = await run(documents, inputs);
    expect(alerts.map(({ title }) => title)).toEqual(['Plain', 'Old', 'New', 'Old']);
  });

  it('reads the current element where the connector splits', async () => {
    const mapping = mappingOf({ fields: { title: '$.alerts[0].labels.job', services: '$.commonLabels.team' } });
    const alert = (job: string) => ({ status: 'firing', labels: { job }, annotations: {}, fingerprint: job });
    const body = { ...group, alerts: [alert('api'), alert('db')] };
    const { alerts } = await run(
      [webhook(1, { connector: 'prometheus', mapping })],
      [receipt(1, body, { connector: 'prometheus' })],
    );
    expect(alerts.map(({ title, services }) => [title, services])).toEqual([
      ['api', ['ops']],
      ['db', ['ops']],
    ]);
  });

  it('that is wrong leaves notes on its own alerts only', async () => {
    const paths = (count: number, path: string) => Array.from({ length: count }, (_one, index) => `${path}${index}`);
    const names = paths(100, 'field_');
    const mapping = mappingOf({
      fields: { title: paths(10, '$..nowhere'), dedup_key: '$.titl' },
      custom_fields: names.map((name) => ({ name, type: 'object', path: paths(10, '$..x') })),
      extracted_fields: names.map((name) => ({ name: `${name}_root`, path: '$root' })),
    });
    const wide = Array.from({ length: 2_000 }, (_one, index) => ({ title: `t${index}`, id: index, a: { b: [1, 2] } }));
    const started = performance.now();
    const { alerts, records, result } = await run(
      [webhook(1, { mapping }), webhook(1, {}, 'whk_b')],
      [receipt(1, wide), receipt(2, { title: 'Neighbour' }, { webhookId: 'whk_b' })],
    );
    expect(performance.now() - started).toBeLessThan(30_000); // ten times what a busy machine takes
    expect(result).toEqual({ kind: 'committed', next: 3n });
    expect(alerts).toHaveLength(2_001);
    expect(alerts.at(-1)).toMatchObject({ title: 'Neighbour', notes: [{ code: 'severity-missing' }] });
    expect(alerts[0]?.notes).toContainEqual(
      expect.objectContaining({ code: 'path-found-nothing', path: 'dedup_key', detail: '$.titl; nearest: $.title' }),
    );
    expect(alerts[1_999]).toMatchObject({ title: 't1999', dedupKey: '1999', dedupKeyOrigin: 'connector' });
    expect(alerts[1_999]?.notes).toContainEqual(expect.objectContaining({ code: 'mapping-limited' }));
    expect(records.reduce((sum, { value }) => sum + (value?.length ?? 0), 0)).toBeLessThan(16 * 1024 * 1024);
  });

  it('is compiled once per revision, and the oldest gives way', () => {
    const one = webhook(1, { mapping: mappingOf({ fields: { title: '$.a' } }) });
    const of = compiledMappings(2);
    const first = of(one);
    expect(of({ ...one })).toBe(first);
    of({ ...one, revision: 2 });
    of(one); // used again: revision 2 is the oldest now
    of({ ...one, revision: 3 });
    expect(of(one)).toBe(first);
    expect(of(webhook(1, {}))).toBeUndefined();
  });
});

const group = {
  ...{
    version: '4',
    groupKey: '{}',
    status: 'firing',
    receiver: 'tocsin',
    externalURL: 'http://am',
    truncatedAlerts: 0,
  },
  ...{ groupLabels: {}, commonAnnotations: {}, commonLabels: { team: 'ops' } },
};

describe('capture mode', () => {
  it('settles every receipt as captured and opens nothing', async () => {
    const { of, records } = await run(
      [webhook(1, { mode: 'capture' })],
      [receipt(1, { title: 'Down' }, { waiting: true }), receipt(2, [])],
    );
    expect(of('receipt.replied.v1')).toMatchObject([
      { receiptId: 'rcv_1', total: 0, alerts: [], outcome: 'captured', reason: 'capture-mode' },
    ]);
    expect(of('receipts.settled.v1').flatMap(({ items }) => items)).toMatchObject([
      { receiptId: 'rcv_1', total: 0, outcome: 'captured', reason: 'capture-mode' },
      { receiptId: 'rcv_2', total: 0, outcome: 'captured', reason: 'capture-mode' },
    ]);
    expect(new Set(records.map(({ topic }) => topic))).toEqual(new Set(['webhook.replies', 'webhook.outcomes']));
  });
});

describe('a receipt above the rate of its webhook', () => {
  it('marks its alerts', async () => {
    const inputs = [receipt(1, { title: 'a' }, { overLimit: true }), receipt(2, { title: 'b' })];
    const { alerts } = await run([webhook(1, {})], inputs);
    expect(alerts.map(({ title, overLimit }) => [title, overLimit])).toEqual([
      ['a', true],
      ['b', undefined],
    ]);
  });
});
