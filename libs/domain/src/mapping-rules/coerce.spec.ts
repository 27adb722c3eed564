import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { coerce, type CustomFieldType, customFieldTypes } from './index.ts';

describe('a value in the type of a custom field', () => {
  it.each<[CustomFieldType, unknown, unknown]>([
    ['string', 'x', 'x'],
    ['string', 0, '0'],
    ['string', false, 'false'],
    ['number', 0, 0],
    ['number', ' 12.50 ', 12.5],
    ['number', '-1e3', -1000],
    ['number', '0.1', 0.1],
    ['number', '9007199254740991', 9007199254740991],
    ['number', 2 ** 53, 2 ** 53], // it came as a number
    ['boolean', 'TRUE', true],
    ['boolean', 0, false],
    ['datetime', '2026-11-20 08:15:30 UTC', '2026-11-20T08:15:30.000Z'],
    ['datetime', 1795162530, '2026-11-20T08:15:30.000Z'],
    ['list', [], []],
    ['list', ['a', 0], ['a', 0]],
    ['list', 'a', ['a']],
    ['list', '["a",{"b":1}]', ['a', { b: 1 }]],
    ['list', '[broken', ['[broken']],
    ['object', { a: 0 }, { a: 0 }],
    ['object', '{"a":9007199254740993}', { a: '9007199254740993' }],
  ])('%s of %j is %j', (type, value, expected) => expect(coerce(type, value)).toEqual({ value: expected }));

  it.each<[CustomFieldType, unknown]>([
    ['string', { name: 'x' }],
    ['string', ['x']],
    ['number', '007'],
    ['number', '+5'],
    ['number', '9007199254740993'],
    ['number', '0.12345678901234567890'],
    ['number', '1e400'],
    ['number', '1e-400'],
    ['number', 'twelve'],
    ['number', true],
    ['boolean', 'yes'],
    ['boolean', 2],
    ['datetime', 'yesterday'],
    ['datetime', true],
    ['list', { a: 1 }],
    ['object', [1]],
    ['object', '[1]'],
    ['object', 'text'],
  ])('%s of %j would lose or invent something', (type, value) => expect(coerce(type, value)).toBeUndefined());

  it('is not made of nothing', () => {
    for (const type of customFieldTypes)
      for (const value of [null, undefined, '', ' ']) expect(coerce(type, value)).toBeUndefined();
  });

  it('survives the way back, for every number and boolean', () => {
    fc.assert(
      fc.property(fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.integer()), (number) => {
        const shown = String(number).replace('e+', 'e');
        const read = coerce('number', shown);
        if (read) expect(read.value).toBe(Object.is(number, -0) ? 0 : number);
        if (Number.isSafeInteger(number)) expect(read).toBeDefined();
      }),
    );
  });

  it('never throws, and gives the type that was asked for', () => {
    const is: Record<CustomFieldType, (value: unknown) => boolean> = {
      string: (value) => typeof value === 'string',
      number: (value) => typeof value === 'number' && Number.isFinite(value),
      boolean: (value) => typeof value === 'boolean',
      datetime: (value) => typeof value === 'string' && !Number.isNaN(Date.parse(value)),
      list: Array.isArray,
      object: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
    };
    fc.assert(
      fc.property(
        fc.constantFrom(...customFieldTypes),
        fc.oneof(fc.jsonValue(), fc.json(), fc.string()),
        (type, value) => {
          const read = coerce(type, value);
          if (read) expect(is[type](read.value)).toBe(true);
        },
      ),
    );
  });
});
