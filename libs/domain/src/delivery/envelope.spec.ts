import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bodyOf } from './envelope.ts';

const bodyWith = (data: Record<string, unknown>): string =>
  bodyOf({ id: 'evt_1', type: 'incident.created', timestamp: '2026-03-01T10:00:00.000Z', workspace_id: 'ws_1', data });

describe('the body of a delivery', () => {
  it('is compact and in the order of the envelope', () =>
    expect(bodyWith({ title: 'x' })).toBe(
      '{"id":"evt_1","type":"incident.created","timestamp":"2026-03-01T10:00:00.000Z","workspace_id":"ws_1","data":{"title":"x"}}',
    ));

  it('has no key that looks like an array index, and loses none', () =>
    expect(
      JSON.parse(bodyWith({ custom_fields: { '404': 'a', _404: 'b', '007': 'c', nested: [{ '0': 'd' }] } })).data,
    ).toEqual({
      custom_fields: { __404: 'a', _404: 'b', '007': 'c', nested: [{ _0: 'd' }] },
    }));

  it('comes back byte for byte when a receiver parses and serialises it', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (data) => {
        const body = bodyWith(JSON.parse(JSON.stringify(data)) as Record<string, unknown>);
        expect(JSON.stringify(JSON.parse(body))).toBe(body);
        expect(body).not.toMatch(/[{,]"(0|[1-9]\d{0,9})":/);
      }),
      { numRuns: 300, examples: [[{ a: { '1': 2, ['__proto__']: 3 } }]] },
    );
  });
});
