import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileTopology } from './topology.ts';

const names = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g');
const edges = fc.array(fc.record({ from: names, to: names }), { maxLength: 20 });

describe('a topology', () => {
  it('lists services by distance, then name, with a shortest way; cycles end', () => {
    const topology = compileTopology({
      dependencies: [
        { from: 'a', to: 'c' },
        { from: 'a', to: 'b' },
        { from: 'b', to: 'd' },
        { from: 'd', to: 'a' },
        { from: 'd', to: 'e' },
      ],
    });
    expect(topology.near(['a'], 2)).toEqual([
      { service: 'b', distance: 1, path: ['a', 'b'] },
      { service: 'c', distance: 1, path: ['a', 'c'] },
      { service: 'd', distance: 1, path: ['a', 'd'] },
      { service: 'e', distance: 2, path: ['a', 'd', 'e'] },
    ]);
    expect(topology.near(['nobody'], 2)).toEqual([]);
    expect(topology.near(['a', 'd'], 1).map(({ service }) => service)).toEqual(['b', 'c', 'e']);
  });

  it('is the same from both ends', () => {
    fc.assert(
      fc.property(edges, names, names, fc.integer({ min: 1, max: 3 }), (dependencies, a, b, depth) => {
        const topology = compileTopology({ dependencies });
        const distance = (from: string, to: string) =>
          topology.near([from], depth).find(({ service }) => service === to)?.distance;
        expect(distance(a, b)).toBe(distance(b, a));
      }),
    );
  });

  it('gives ways whose steps are dependencies, of the length that it says', () => {
    fc.assert(
      fc.property(edges, names, (dependencies, from) => {
        const linked = new Set(dependencies.flatMap((edge) => [`${edge.from} ${edge.to}`, `${edge.to} ${edge.from}`]));
        for (const { service, distance, path } of compileTopology({ dependencies }).near([from], 3)) {
          expect([path[0], path.at(-1), path.length]).toEqual([from, service, distance + 1]);
          path.slice(1).forEach((step, index) => expect(linked.has(`${path[index]} ${step}`)).toBe(true));
        }
      }),
    );
  });

  it('of a hub lists two hundred services at most', () => {
    const dependencies = Array.from({ length: 500 }, (_, index) => ({ from: 'hub', to: `s${index}` }));
    expect(compileTopology({ dependencies }).near(['hub'], 2)).toHaveLength(200);
  });
});
