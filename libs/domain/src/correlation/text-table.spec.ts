import fc from 'fast-check';
import { expect, it } from 'vitest';
import { TextTable } from './text-table.ts';

const steps = fc.array(fc.tuple(fc.string({ maxLength: 2 }), fc.constantFrom('add', 'add', 'remove')), {
  maxLength: 600,
});

it('has what was added and not removed, as a map has', () =>
  fc.assert(
    fc.property(steps, (all) => {
      const table = new TextTable<{ text: string }>();
      const plain = new Map<string, { text: string }>();
      for (const [text, step] of all) {
        const known = plain.get(text);
        expect(table.get(text)).toBe(known);
        if (step === 'remove') {
          table.remove({ text });
          plain.delete(text);
        } else if (!known) {
          const value = { text };
          table.add(value);
          plain.set(text, value);
        }
        expect(table.size).toBe(plain.size);
      }
      for (const [text] of all) expect(table.get(text)).toBe(plain.get(text));
    }),
  ));

const START = 0x811c9dc5;
const step = (hash: number, unit: number): number => Math.imul(hash ^ unit, 0x01000193);

/** Two ends after which the hash is the same: the second unit makes up for what the first ones differ in. */
function endsFrom(start: number): { ends: string[]; hash: number } {
  const byUpper = new Map<number, number>();
  for (let first = 0; first < 65_536; first++) {
    const hash = step(start, first);
    const other = byUpper.get(hash >>> 16);
    if (other === undefined) byUpper.set(hash >>> 16, first);
    else {
      const difference = (hash ^ step(start, other)) & 0xffff;
      return { ends: [String.fromCharCode(first, 0), String.fromCharCode(other, difference)], hash: step(hash, 0) };
    }
  }
  throw new Error('no two are alike');
}

/** Texts with one hash: each pair of ends doubles them. */
function colliding(count: number): string[] {
  let texts = [''];
  let hash = START;
  while (texts.length < count) {
    const next = endsFrom(hash);
    texts = texts.flatMap((text) => next.ends.map((end) => text + end));
    hash = next.hash;
  }
  return texts.slice(0, count);
}

it('finds texts that were chosen to have the same hash', () => {
  const table = new TextTable<{ text: string }>();
  const values = colliding(2_000).map((text) => ({ text }));
  for (const value of values) table.add(value);
  for (const value of values) expect(table.get(value.text)).toBe(value);
  for (const value of values.filter((_, index) => index % 2 === 0)) table.remove(value);
  values.forEach((value, index) => expect(table.get(value.text)).toBe(index % 2 === 0 ? undefined : value));
  expect(table.size).toBe(values.length / 2);
});
