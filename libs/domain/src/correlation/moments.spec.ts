import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { instantOf, millisOf } from './moments.ts';

const DAYS = 253_402_300_799_999; // the last millisecond of the year 9999

describe('instants', () => {
  it('are written as Date writes them, from day to day', () =>
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: DAYS }), { minLength: 1 }), (all) => {
        for (const at of all) expect(instantOf(at)).toBe(new Date(at).toISOString());
      }),
    ));

  it('are read as Date reads them, whatever stands there', () =>
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.integer({ min: 0, max: DAYS }).map((at) => new Date(at).toISOString()),
            fc.stringMatching(/^2026-11-21T[0-9:.]{12}Z$/),
            fc.string(),
          ),
          { minLength: 1 },
        ),
        (all) => {
          for (const text of ['2026-11-21T00:00:00.000Z', ...all]) expect(millisOf(text)).toBe(Date.parse(text));
        },
      ),
      { numRuns: 500 },
    ));

  it('are written in our way however the one that was read last is written', () => {
    const ours = '2026-11-21T09:45:00.120Z';
    const others = ['2026-11-21T09:45:00.12Z', '2026-11-21T10:45:00.120+01:00', ' 2026-11-21 09:45:00.120Z', ours];
    for (const text of others) {
      millisOf('2026-11-21T00:00:00.000Z');
      expect(instantOf(millisOf(text))).toBe(ours);
    }
  });

  it('before 1970, after 9999 and between milliseconds are what Date makes of them', () => {
    for (const at of [-1, DAYS + 1, 0.5, 1.5e12 + 0.25]) expect(instantOf(at)).toBe(new Date(at).toISOString());
    expect(millisOf('1969-12-31T23:59:59.999Z')).toBe(-1);
    expect(() => instantOf(Number.NaN)).toThrow(RangeError);
  });
});
