import fc from 'fast-check';
import { Connection } from 'pg';
import { describe, expect, it } from 'vitest';
import { bindMessage, hasLarge, Pieces, type Binding } from './bind-message.ts';

const bytes = fc
  .record({ size: fc.constantFrom(0, 1, 100, 8_191, 8_192, 20_000), fill: fc.nat(255) })
  .map(({ size, fill }) => Buffer.alloc(size, fill));
const value = fc.oneof(
  fc.constantFrom(null, undefined, '', 'x'.repeat(10_000)),
  fc.string({ unit: 'grapheme' }),
  bytes,
  fc.array(bytes).map((parts) => new Pieces(parts)),
);
const binding: fc.Arbitrary<Binding> = fc.record(
  { portal: fc.string(), statement: fc.string(), binary: fc.boolean(), values: fc.array(value) },
  { requiredKeys: [] },
);
const valueMapper = (one: unknown) => (one instanceof Pieces ? one.toPostgres() : one);

/** What pg itself would send. */
function ofPg(given: Binding): Buffer {
  const sent: Buffer[] = [];
  const stream = { writable: true, write: (piece: Buffer) => sent.push(piece), once: () => undefined };
  const connection = new Connection({ stream } as never) as unknown as { bind: (given: Binding) => void };
  connection.bind(given);
  return Buffer.concat(sent);
}

describe('a Bind message', () => {
  it('is byte for byte what pg itself makes', () => {
    fc.assert(
      fc.property(binding, (given) => {
        expect(Buffer.concat(bindMessage({ ...given, valueMapper })).equals(ofPg({ ...given, valueMapper }))).toBe(
          true,
        );
      }),
    );
  });

  it('has large values in it as they are, and everything else in one piece of memory', () => {
    const [large, small] = [Buffer.alloc(8_192, 1), Buffer.alloc(8_191, 2)];
    const pieces = new Pieces([Buffer.alloc(5_000, 3), Buffer.alloc(5_000, 4)]);
    const sent = bindMessage({ values: ['a', large, small, pieces, 'b'] });
    expect(sent.filter((one) => one === large || pieces.parts.includes(one))).toEqual([large, ...pieces.parts]);
    const rest = sent.filter((one) => one !== large && !pieces.parts.includes(one));
    expect(new Set(rest.map(({ buffer }) => buffer)).size).toBe(1);
  });

  it('is worth it where a value is large', () => {
    expect(hasLarge({})).toBe(false);
    expect(hasLarge({ values: ['x'.repeat(10_000), Buffer.alloc(8_191), 7] })).toBe(false);
    expect(hasLarge({ values: ['x', Buffer.alloc(8_192)] })).toBe(true);
    expect(hasLarge({ values: [new Pieces([Buffer.alloc(5_000), Buffer.alloc(5_000)])] })).toBe(true);
  });
});
