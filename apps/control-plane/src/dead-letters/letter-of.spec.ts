import { encodeFacts, type DeadLetterFacts } from '@tocsin/contracts';
import type { Input } from '@tocsin/postgres';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { letterOf } from './letter-of.ts';

const SOURCE = { topic: 'dead-letters', partition: 0 };
const facts: DeadLetterFacts = {
  service: 'normalizer',
  topic: 'webhook.received',
  partition: 3,
  offset: '17',
  reason: 'undecodable-payload',
  detail: 'no JSON',
  at: '2026-11-21T09:00:00.000Z',
  workspaceId: 'ws_one',
  webhookId: 'whk_one',
  receiptId: 'rcv_one',
  headers: { type: 'webhook.received.v1' },
};
const input = (header: string | undefined, offset = 5n): Input => ({
  offset,
  key: 'whk_one',
  type: 'dead.letter.v1',
  value: Buffer.from('{'),
  headers: { type: 'dead.letter.v1', ...(header === undefined ? {} : { facts: header }) },
  timestamp: Date.parse('2026-11-21T10:00:00.000Z'),
});
const idOf = (over: Partial<DeadLetterFacts>, offset?: bigint) =>
  letterOf(SOURCE, input(encodeFacts('dead.letter.v1', { ...facts, ...over }), offset)).id;

describe('the id of a letter', () => {
  it('is the same wherever its record lies', () => expect(idOf({}, 5n)).toBe(idOf({}, 900n)));

  it.each([
    ['service', { service: 'incident-store' }],
    ['topic', { topic: 'correlation.inputs' }],
    ['partition', { partition: 4 }],
    ['offset', { offset: '18' }],
    ['log, by its time', { at: '2026-11-21T09:00:00.001Z' }],
    ['elements', { parts: [1] }],
  ])('differs with its %s', (_what, over) => expect(idOf(over)).not.toBe(idOf({})));

  it('differs between elements 1, 2 and element 12', () =>
    expect(idOf({ parts: [1, 2] })).not.toBe(idOf({ parts: [12] })));

  it('goes by the mark of the record where that has one: published twice, it lies at two offsets', () => {
    const marked = { headers: { ...facts.headers, mark: 'dlt_x;1;0' } };
    expect(idOf({ ...marked, offset: '40', at: '2026-11-21T09:09:00.000Z' })).toBe(idOf(marked));
    expect(idOf({ headers: { ...facts.headers, mark: 'dlt_y;1;0' } })).not.toBe(idOf(marked));
  });
});

describe('a record that is no dead letter', () => {
  it.each([
    undefined,
    '',
    'null',
    '[]',
    '{}',
    JSON.stringify({ ...facts, at: 'yesterday' }),
    JSON.stringify({ ...facts, partition: 2 ** 40 }),
  ])('becomes a letter about itself: %s', (header) =>
    expect(letterOf(SOURCE, input(header))).toMatchObject({
      service: 'control-plane',
      topic: 'dead-letters',
      offset: '5',
      reason: 'undecodable-record',
      workspaceId: null,
      at: '2026-11-21T10:00:00.000Z',
      value: Buffer.from('{'),
    }),
  );

  it('never throws, whatever its facts are', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (header) => letterOf(SOURCE, input(header)).id.startsWith('dlt_')),
    );
  });
});

it('keeps what PostgreSQL cannot hold out of its texts', () => {
  const header = JSON.stringify({ ...facts, detail: 'a\0b\uD800', webhookId: '\0' });
  expect(letterOf(SOURCE, input(header))).toMatchObject({ detail: 'a\uFFFDb\uFFFD', webhookId: '\uFFFD' });
});
