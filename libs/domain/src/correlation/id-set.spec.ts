import { alertIdOf } from '@tocsin/contracts';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { IdSet } from './id-set.ts';

it('has what was added and nothing else, whatever the texts', () =>
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.string({ maxLength: 3 }), fc.boolean()), { maxLength: 400 }), (steps) => {
      const ids = new IdSet();
      const plain = new Set<string>();
      for (const [text, add] of steps) {
        expect(ids.has(text)).toBe(plain.has(text));
        if (!add) continue;
        ids.add(text);
        plain.add(text);
      }
      for (const [text] of steps) expect(ids.has(text)).toBe(plain.has(text));
    }),
  ));

it('grows, and tells texts with the same hash apart', () => {
  const ids = new IdSet();
  const all = Array.from({ length: 200_000 }, (_, index) => alertIdOf('rcv', index)); // some share their 32 bits
  for (const id of all) ids.add(id);
  expect(all.every((id) => ids.has(id))).toBe(true);
  const others = Array.from({ length: 200_000 }, (_, index) => alertIdOf('other', index));
  expect(others.some((id) => ids.has(id))).toBe(false);
  ids.clear();
  expect(all.some((id) => ids.has(id))).toBe(false);
  ids.add(all[0] as string);
  expect(all.filter((id) => ids.has(id))).toEqual([all[0]]);
  ids.clear();
  expect(ids.has(all[0] as string)).toBe(false);
});
