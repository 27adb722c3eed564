import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJson } from './json.ts';

const INTEGER = /^-?\d+$/;
const careful = (text: string): unknown =>
  JSON.parse(text, (_key, value: unknown, context?: { source?: string }) => {
    const source = context?.source;
    if (typeof value !== 'number' || Number.isSafeInteger(value) || source === undefined) return value;
    return !Number.isFinite(value) || INTEGER.test(source) ? source : value;
  });

const number = fc.oneof(
  fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }).map(String),
  fc.integer().map(String),
  fc.tuple(fc.integer(), fc.nat(), fc.integer({ min: -400, max: 400 })).map(([a, b, e]) => `${a}.${b}e${e}`),
  fc.tuple(fc.integer(), fc.integer({ min: 0, max: 400 })).map(([a, e]) => `${a}E+${e}`),
);
const space = fc.constantFrom('', ' ', '\n', '\t ', '\r\n');

describe('parseJson', () => {
  it('finds every number that a double does not carry, wherever it stands', () => {
    fc.assert(
      fc.property(number, space, fc.json({ maxDepth: 2 }), (digits, gap, other) => {
        for (const text of [
          digits,
          `${gap}${digits}${gap}`,
          `[${gap}${digits}${gap}]`,
          `{"a":${gap}${digits}${gap},"b":${other}}`,
          `[${other},${gap}${digits}]`,
          `{"a":"${digits}","b":[${gap}${digits}]}`,
        ])
          expect(parseJson(text)).toEqual(careful(text));
      }),
      { numRuns: 1_000 },
    );
  });

  it('knows where a text ends', () =>
    expect(
      parseJson(String.raw`{"a\\":9007199254740993,"b\":9007199254740993":[-9007199254740993,"\\\"",1e999]}`),
    ).toEqual({
      'a\\': '9007199254740993',
      'b":9007199254740993': ['-9007199254740993', '\\"', '1e999'],
    }));

  it('refuses what is no JSON, whatever numbers are in it', () => {
    for (const text of ['{9007199254740993:1}', '[9007199254740993', '[09007199254740993]', '"9007199254740993'])
      expect(() => parseJson(text)).toThrow(SyntaxError);
  });

  it('leaves texts of digits alone', () =>
    expect(parseJson('{"id":"9007199254740993","n":9007199254740993,"s":": 9007199254740993e1"}')).toEqual({
      id: '9007199254740993',
      n: '9007199254740993',
      s: ': 9007199254740993e1',
    }));
});
