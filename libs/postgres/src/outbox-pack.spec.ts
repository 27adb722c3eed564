import type { AppendRecord } from '@tocsin/event-log';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packed, unpacked } from './outbox-pack.ts';

const record = fc.record({
  topic: fc.constantFrom('incident.events', 'incident.state', 'webhook.replies'),
  key: fc.string({ unit: 'grapheme' }),
  headers: fc.dictionary(fc.string(), fc.string({ unit: 'grapheme' })),
  value: fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.integer({ min: 0, max: 20_000 }).map((size) => new Uint8Array(size).fill(size % 256)),
  ),
}) as fc.Arbitrary<AppendRecord>;

const plain = ({ topic, key, headers, value }: AppendRecord) => [
  topic,
  key,
  { ...headers },
  Buffer.from(value).toString('hex'),
];

describe('records in rows', () => {
  it('come out as they went in, in their order, each row by itself', () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 40 }), (records) => {
        const { packs, bytes } = packed(records);
        const read = packs.flatMap(({ start, length }) => unpacked(bytes.subarray(start, start + length)));
        expect(read.map(plain)).toEqual(records.map(plain));
        expect(packs.flatMap((pack) => pack.records)).toEqual(records);
      }),
    );
  });

  it('fill a page, and a larger record has a row of its own', () => {
    fc.assert(
      fc.property(fc.array(record, { minLength: 2, maxLength: 40 }), (records) => {
        const { packs } = packed(records);
        for (const { length, records: own } of packs) expect(length <= 7_900 || own.length === 1).toBe(true);
        // No row could have taken the first record of the next one.
        packs.slice(1).forEach((next, index) => {
          const { length } = packed(next.records.slice(0, 1)).packs[0]!;
          expect(packs[index]!.length + length).toBeGreaterThan(7_900);
        });
      }),
    );
  });

  it('are named by their topics', () => {
    const of = (topic: AppendRecord['topic']): AppendRecord => ({
      topic,
      key: 'k',
      headers: {},
      value: Buffer.from('v'),
    });
    const [pack] = packed([of('incident.events'), of('incident.state'), of('incident.events')]).packs;
    expect(pack?.topics).toBe('incident.events incident.state');
  });
});
