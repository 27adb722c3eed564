import type { ServiceDependency } from '@tocsin/contracts';
import type { ServiceRow } from './service-store.ts';
import type { TopologyRow } from './topology-rows.ts';

/** Which services each service depends on, and which depend on it, by name. */
export class Dependencies {
  private readonly needs = new Map<string, string[]>();
  private readonly neededBy = new Map<string, string[]>();

  constructor(dependencies: readonly ServiceDependency[]) {
    for (const { from, to } of dependencies) {
      append(this.needs, from, to);
      append(this.neededBy, to, from);
    }
  }

  of(name: string) {
    const needs = this.needs.get(name) ?? [];
    const neededBy = this.neededBy.get(name) ?? [];
    return { depends_on: needs, dependents: neededBy, neighbours: [...new Set([...needs, ...neededBy])].sort() };
  }
}

function append(lists: Map<string, string[]>, key: string, value: string): void {
  const known = lists.get(key);
  if (known) known.push(value);
  else lists.set(key, [value]);
}

export const serviceView = (row: ServiceRow, dependencies: Dependencies) => ({
  ...{ id: row.id, name: row.name, owner: row.owner, tags: row.tags },
  ...dependencies.of(row.name),
  first_seen_at: row.first_seen_at?.toISOString() ?? null,
  created_at: row.created_at.toISOString(),
  updated_at: row.updated_at.toISOString(),
});

/** Services and their dependencies. Before anybody has declared one the revision is 0. */
export function topologyView(id: string, row: TopologyRow | null, services: readonly ServiceRow[]) {
  const edges = row?.dependencies ?? [];
  const dependencies = new Dependencies(edges);
  return {
    id,
    revision: row?.revision ?? 0,
    nodes: services.map((service) => serviceView(service, dependencies)),
    edges,
    updated_at: row?.updatedAt.toISOString() ?? null,
  };
}
