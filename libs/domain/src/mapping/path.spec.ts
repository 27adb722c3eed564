import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compilePath, PathError } from './path.ts';

const document = { a: { b: [{ c: 0 }, { c: false }, { d: null }], 'x-y': 'dash', 'p.q': 'dot' }, list: [1, 2, 3] };
const find = (path: string, root: unknown = document) => compilePath(path).find(root);

describe('a path', () => {
  it.each([
    ['$.a.b[0].c', [0]],
    ['a.b[1].c', [false]],
    ['$.a.b[2].d', [null]],
    ["$.a['x-y']", ['dash']],
    ['a.x-y', ['dash']],
    ['$["a"]["p.q"]', ['dot']],
    ['$.a.b[*].c', [0, false]],
    ['$.list.*', [1, 2, 3]],
    ['$', [document]],
    ['$.a.nothing.b', []],
    ['$.list.length', []],
    ['$.list[7]', []],
  ])('%s finds %j', (path, found) => expect(find(path)).toEqual(found));

  it.each([
    ['$..c', [0, false]],
    ['$.list[0:2]', [1, 2]],
    ['$.list[-1:]', [3]],
    ["$.a['x-y','p.q']", ['dash', 'dot']],
  ])('%s is left to the library and finds %j', (path, found) => expect(find(path)).toEqual(found));

  it.each(['$.constructor', '$.a.__proto__', '$.toString', '$..constructor', 'a.b.map', "$['__proto__']"])(
    '%s reaches no prototype',
    (path) => expect(find(path)).toEqual([]),
  );

  it.each([
    ['', 1],
    ['$.a[?(@.b)]', 5],
    ['$.a[(@.length-1)]', 5],
    ['$.a^', 4],
    ['$.a.b~', 6],
    ['$.a[0', 4],
    ['$.a]', 4],
    ['$a', 2],
    ['$.a..b..c', 7],
    ['a b', 2],
    [`$.${'a'.repeat(300)}`, 257],
  ])('%s is refused with its column %i', (path, column) => {
    const error = (() => {
      try {
        return compilePath(path);
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(error).toBeInstanceOf(PathError);
    expect((error as PathError).column).toBe(column);
  });

  it('has at most 16 segments', () => expect(() => compilePath(`$${'.a'.repeat(17)}`)).toThrow(PathError));

  it('finds at most 1,000 values', () => {
    const many = { a: Array.from({ length: 5_000 }, (_, n) => ({ n })) };
    expect(find('$.a[*].n', many)).toHaveLength(1_000);
    expect(find('$..n', many)).toHaveLength(1_000);
  });

  it('is read or refused, and never throws on a document', () => {
    const text = fc.string({
      unit: fc.constantFrom('$', '.', '[', ']', '*', "'", 'a', '0', ':', ',', '-', ' ', '?', '('),
      maxLength: 12,
    });
    fc.assert(
      fc.property(text, fc.jsonValue({ maxDepth: 3 }), (path, root) => {
        try {
          expect(Array.isArray(compilePath(path).find(root))).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(PathError);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
