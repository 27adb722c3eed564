import { decodeFacts, encodeFacts, type ReceiptFacts } from '@tocsin/contracts';
import { describe, expect, it } from 'vitest';
import type { FullLetterRow } from './dead-letter-store.ts';
import { putBack } from './put-back.ts';

const receipt: ReceiptFacts = {
  receiptId: 'rcv_one',
  workspaceId: 'ws_one',
  webhookId: 'whk_one',
  connector: 'prometheus',
  configRevision: 3,
  receivedAt: '2026-11-21T09:00:00.000Z',
  method: 'POST',
  query: 'a=b',
  contentType: 'application/json',
  headers: { 'user-agent': 'x' },
  waiting: true,
};
const letter = (over: Partial<FullLetterRow> = {}): FullLetterRow => ({
  id: 'dlt_one',
  workspace_id: 'ws_one',
  webhook_id: 'whk_one',
  receipt_id: 'rcv_one',
  service: 'normalizer',
  topic: 'webhook.received',
  partition: 4,
  log_offset: '7',
  reason: 'unrecognised-payload',
  detail: '',
  at: new Date('2026-11-21T09:00:01.000Z'),
  parts: null,
  key: 'whk_one',
  headers: {
    type: 'webhook.received.v1',
    facts: encodeFacts('webhook.received.v1', receipt),
    mark: 'log/x/1;2;3',
    traceparent: '00-t',
  },
  size: 4,
  kept: true,
  status: 'open',
  redriven_at: null,
  redriven_by: null,
  value: Buffer.from('{ } '),
  ...over,
});
const webhook = { id: 'whk_one', connector: 'generic', revision: 9 };
const outputOf = (one: FullLetterRow) => {
  const done = putBack(one, webhook);
  if (!('output' in done)) throw new Error(done.refused);
  return done.output;
};
const receiptOf = (one: FullLetterRow) => decodeFacts('webhook.received.v1', outputOf(one).headers?.['facts'] ?? '');

describe('a receipt that is put back', () => {
  it('has its bytes, its key, its trace and a mark of its own', () =>
    expect(outputOf(letter())).toMatchObject({
      topic: 'webhook.received',
      key: 'whk_one',
      type: 'webhook.received.v1',
      value: Buffer.from('{ } '),
      headers: { traceparent: '00-t', type: 'webhook.received.v1' },
      by: { stream: 'dlt_one', version: 1n },
    }));

  it('does not carry the mark that its reader has seen', () =>
    expect(outputOf(letter()).headers).not.toHaveProperty('mark'));

  it('is the same receipt, under the webhook as it is now, and nobody waits for it', () =>
    expect(receiptOf(letter())).toEqual({ ...receipt, connector: 'generic', configRevision: 9, waiting: false }));

  it('names its broken elements, which the old connector counted', () =>
    expect(receiptOf(letter({ parts: [1, 4] }))).toEqual({
      ...receipt,
      configRevision: 9,
      waiting: false,
      only: [1, 4],
    }));
});

describe('another record that is put back', () => {
  const packed = (parts: number[] | null) =>
    letter({
      topic: 'correlation.inputs',
      service: 'dedup-correlator',
      parts,
      headers: { type: 'alerts.normalized.v1', mark: 'm;1;1' },
      value: Buffer.from('{"scope":"s",  "alerts":[{"id":"a"},{"id":"b"},{"id":"c"}]}'),
    });

  it('keeps every byte, and is for the service that could not read it', () => {
    const { value, headers } = outputOf(packed(null));
    expect(Buffer.from(value).toString()).toBe('{"scope":"s",  "alerts":[{"id":"a"},{"id":"b"},{"id":"c"}]}');
    expect(headers).toEqual({ type: 'alerts.normalized.v1', for: 'dedup-correlator' });
  });

  it('has the broken alerts only, where the others were applied', () =>
    expect(JSON.parse(Buffer.from(outputOf(packed([2, 0])).value).toString())).toEqual({
      scope: 's',
      alerts: [{ id: 'c' }, { id: 'a' }],
    }));
});

describe('a letter that cannot be put back', () => {
  it.each([
    ['was put back', { status: 'redriven' }, 'already-redriven'],
    ['has lost its bytes', { value: null }, 'bytes-gone'],
    ['came without the original headers', { headers: null }, 'not-redrivable'],
    ['has a receipt without facts', { headers: { type: 'webhook.received.v1' } }, 'not-redrivable'],
    ['is about a dead letter', { topic: 'dead-letters', service: 'control-plane' }, 'not-redrivable'],
    ['names a topic that there is not', { topic: 'constructor' }, 'not-redrivable'],
    ['names a service that does not read the topic', { service: 'rca-trigger' }, 'not-redrivable'],
    [
      'has parts of what is no packed record',
      { topic: 'correlation.inputs', service: 'dedup-correlator', parts: [0] },
      'not-redrivable',
    ],
  ] as const)('%s', (_why, over, refused) =>
    expect(putBack(letter(over as Partial<FullLetterRow>), webhook)).toEqual({ refused }),
  );

  it('belonged to a webhook that is gone', () =>
    expect(putBack(letter(), undefined)).toEqual({ refused: 'webhook-gone' }));
});
