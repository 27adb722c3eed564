import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compilePath } from '../mapping/index.ts';
import { nearestPath, offeredPaths, offerLimits } from './index.ts';

describe('the paths that a picker offers', () => {
  it('are those of every value, in the order of the document, with a sample', () =>
    expect(
      offeredPaths({
        'detail-type': 'x',
        "it's": 0,
        alerts: [{ labels: { 'a.b': true } }, { other: 1 }],
        none: null,
        empty: [],
      }),
    ).toEqual([
      { path: '$.detail-type', type: 'string', sample: 'x' },
      { path: '$["it\'s"]', type: 'number', sample: 0 },
      { path: '$.alerts', type: 'list', sample: null, length: 2 },
      { path: '$.alerts[0]', type: 'object', sample: null },
      { path: '$.alerts[0].labels', type: 'object', sample: null },
      { path: "$.alerts[0].labels['a.b']", type: 'boolean', sample: true },
      { path: '$.none', type: 'null', sample: null },
      { path: '$.empty', type: 'list', sample: null, length: 0 },
    ]));

  it('are bounded for a wide and for a deep payload', () => {
    expect(
      offeredPaths(Object.fromEntries(Array.from({ length: 5_000 }, (_one, i) => [`k${i}`, 'x'.repeat(900)]))),
    ).toHaveLength(offerLimits.keys);
    const deep = JSON.parse('{"a":'.repeat(60) + '1' + '}'.repeat(60)) as unknown;
    expect(offeredPaths(deep)).toHaveLength(offerLimits.depth);
  });

  it('can be compiled and find what they were offered for, whatever the payload', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (payload) => {
        for (const { path, type, sample } of offeredPaths(payload)) {
          const [found] = compilePath(path).find(payload);
          if (type === 'string')
            expect((found as string).slice(0, offerLimits.sampleCharacters).toWellFormed()).toBe(sample);
          else if (type === 'list' || type === 'object') expect(typeof found).toBe('object');
          else expect(found).toBe(sample);
        }
      }),
    );
  });

  it('are also what the nearest path is one of', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), fc.string(), (payload, text) => {
        const near = nearestPath(`$.${text}`, payload);
        if (near !== undefined) expect(compilePath(near).find(payload)).toHaveLength(1);
      }),
    );
  });
});
