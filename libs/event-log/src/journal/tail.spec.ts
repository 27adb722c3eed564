import { describe, expect, it } from 'vitest';
import type { LogRecord } from '../port.ts';
import { Tail } from './tail.ts';

/** 300 bytes as they are counted. */
const BYTES = 300;
const recordAt = (offset: number, timestamp = offset): LogRecord => ({
  ...{ offset: BigInt(offset), key: '', headers: {}, timestamp },
  value: Buffer.alloc(100),
});
const offsetsOf = (tail: Tail, key: string): number[] => tail.all(key).map(({ offset }) => Number(offset));

describe('the newest records', () => {
  it('stay within their budget, over all partitions; the oldest go first', () => {
    const tail = new Tail(4 * BYTES);
    for (let offset = 0; offset < 5; offset++) for (const key of ['a', 'b']) tail.push(key, recordAt(offset));
    expect([offsetsOf(tail, 'a'), offsetsOf(tail, 'b')]).toEqual([
      [3, 4],
      [3, 4],
    ]);
    expect(tail.first('a')).toBe(3n);
    expect(tail.read('a', 2n, 10)).toBeUndefined();
  });

  it('that are left when older ones have expired stay as long as they fit', () => {
    const tail = new Tail(4 * BYTES);
    for (let offset = 0; offset < 4; offset++) tail.push('a', recordAt(offset));
    tail.trim('a', ({ timestamp }) => timestamp < 2);
    tail.push('a', recordAt(4));
    tail.push('a', recordAt(5));
    expect(offsetsOf(tail, 'a')).toEqual([2, 3, 4, 5]);
    tail.push('a', recordAt(6));
    expect(offsetsOf(tail, 'a')).toEqual([3, 4, 5, 6]);
  });

  it('that are left of a compacted topic do, too', () => {
    const tail = new Tail(4 * BYTES);
    for (let offset = 0; offset < 4; offset++) tail.push('a', recordAt(offset));
    tail.keep('a', ({ offset }) => offset !== 1n);
    tail.push('a', recordAt(4));
    tail.push('a', recordAt(5));
    expect(offsetsOf(tail, 'a')).toEqual([2, 3, 4, 5]);
  });
});
