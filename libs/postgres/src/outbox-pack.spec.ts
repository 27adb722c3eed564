import type { AppendRecord } from '@tocsin/event-log';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Pieces } from './bind-message.ts';
import { packed, unpacked, type Pack, type Place } from './outbox-pack.ts';

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

/** As the server cuts them. */
function rowsOf(records: readonly AppendRecord[]): Buffer[] {
  const { packs, heads, values } = packed(records);
  const all = values instanceof Pieces ? values.toPostgres() : values;
  const cut = (bytes: Buffer, { start, length }: Place) => bytes.subarray(start, start + length);
  return packs.map((pack) => Buffer.concat([cut(heads, pack.head), cut(all, pack.values)]));
}

/** A length and a bracket, which stand once per row. */
const EMPTY_HEAD = 5;
const sizeOf = ({ head, values }: Pack): number => head.length + values.length;

describe('records in rows', () => {
  it('come out as they went in, in their order, each row by itself', () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 40 }), (records) => {
        const { packs } = packed(records);
        expect(rowsOf(records).flatMap(unpacked).map(plain)).toEqual(records.map(plain));
        expect(packs.flatMap((pack) => pack.records)).toEqual(records);
      }),
    );
  });

  it('go from where they are as long as they lie together in large pieces', () => {
    const memory = Buffer.alloc(300_000, 'values that lie behind each other ');
    const records = Array.from({ length: 200 }, (_, n) => ({
      ...{ topic: 'incident.events' as const, key: `key ${n}`, headers: {} },
      // the last hundred behind a gap
      value: memory.subarray(n * 1_000 + (n < 100 ? 0 : 500), (n + 1) * 1_000 + (n < 100 ? 0 : 500)),
    }));
    const { values } = packed(records);
    expect(values).toBeInstanceOf(Pieces);
    expect(
      (values as Pieces).parts.map(({ buffer, byteOffset, byteLength }) => [buffer, byteOffset, byteLength]),
    ).toEqual([
      [memory.buffer, memory.byteOffset, 100_000],
      [memory.buffer, memory.byteOffset + 100_500, 100_000],
    ]);
    expect(rowsOf(records).flatMap(unpacked).map(plain)).toEqual(records.map(plain));
    expect(packed(records.toReversed()).values).toBeInstanceOf(Buffer);
  });

  it('fill a page, and a larger record has a row of its own', () => {
    fc.assert(
      fc.property(fc.array(record, { minLength: 2, maxLength: 40 }), (records) => {
        const { packs } = packed(records);
        for (const pack of packs) expect(sizeOf(pack) <= 7_900 || pack.records.length === 1).toBe(true);
        // No row could have taken the first record of the next one.
        packs.slice(1).forEach((next, index) => {
          const alone = packed(next.records.slice(0, 1)).packs[0]!;
          expect(sizeOf(packs[index]!) + sizeOf(alone) - EMPTY_HEAD).toBeGreaterThan(7_900);
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
