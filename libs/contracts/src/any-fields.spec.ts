import Type from 'typebox';
import { Compile } from 'typebox/compile';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AnyFieldsSchema } from './any-fields.ts';

describe('an object with whatever fields', () => {
  it('is what a record of unknown values is', () => {
    const [fields, record] = [Compile(AnyFieldsSchema), Compile(Type.Record(Type.String(), Type.Unknown()))];
    const values = fc.oneof(
      fc.anything(),
      fc.dictionary(fc.string({ unit: 'binary' }), fc.anything()),
      fc.constantFrom<unknown>([], null, undefined, '', 0, { 'a\nb': 1, '': 2 }, new Date(0)),
    );
    fc.assert(
      fc.property(values, (value) => fields.Check(value) === record.Check(value)),
      { numRuns: 2_000 },
    );
    expect([{}, { '': null }, { 'a\nb': [] }].map((value) => fields.Check(value))).toEqual([true, true, true]);
    expect([null, [], 'text', 1].map((value) => fields.Check(value))).toEqual([false, false, false, false]);
  });
});
