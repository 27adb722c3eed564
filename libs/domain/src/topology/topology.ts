import type { TopologyBody } from '@tocsin/contracts';

/** Services that one alert may be related to; a hub that everything depends on relates to nothing in particular. */
const NEAR_MAX = 200;

/** Answers that are kept: alerts of one service come again and again. */
const KNOWN_MAX = 1_000;

/** A service near another one, and how one gets there. */
export interface NearService {
  service: string;
  /** Dependencies between them, whatever their direction. */
  distance: number;
  /** From the service that was asked about to this one. */
  path: string[];
}

/** Which services are next to which. */
export interface Topology {
  /** Services at most `depth` dependencies away, without those that were asked about: the nearest first, then by name. */
  near(services: readonly string[], depth: number): NearService[];
}

/** Reads dependencies once per revision. Cycles are no matter: each service is visited once, by a shortest way. */
export function compileTopology({ dependencies }: TopologyBody): Topology {
  const neighbours = new Map<string, Set<string>>();
  const join = (a: string, b: string): void => {
    const known = neighbours.get(a);
    if (known) known.add(b);
    else neighbours.set(a, new Set([b]));
  };
  for (const { from, to } of dependencies) {
    if (from === to) continue;
    join(from, to);
    join(to, from);
  }
  const sorted = new Map([...neighbours].map(([name, names]) => [name, [...names].sort()]));
  const known = new Map<string, NearService[]>();
  return {
    near(services, depth) {
      const asked = [depth, ...services].join('\u0000');
      const before = known.get(asked);
      if (before) return before;
      if (known.size >= KNOWN_MAX) known.clear();
      const found = nearIn(sorted, services, depth);
      known.set(asked, found);
      return found;
    },
  };
}

function nearIn(neighbours: ReadonlyMap<string, string[]>, services: readonly string[], depth: number): NearService[] {
  const visited = new Set(services);
  const found: NearService[] = [];
  let edge: NearService[] = [...visited].map((service) => ({ service, distance: 0, path: [service] }));
  for (let distance = 1; distance <= depth && edge.length > 0 && found.length < NEAR_MAX; distance++) {
    edge = edge.flatMap(({ service, path }) => {
      const fresh = (neighbours.get(service) ?? []).filter((neighbour) => !visited.has(neighbour));
      for (const neighbour of fresh) visited.add(neighbour);
      return fresh.map((neighbour) => ({ service: neighbour, distance, path: [...path, neighbour] }));
    });
    edge.sort((a, b) => (a.service < b.service ? -1 : 1));
    found.push(...edge);
  }
  return found.slice(0, NEAR_MAX);
}
