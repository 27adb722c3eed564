import type { KnownIncident, OpenIncidents } from '@tocsin/domain/correlation';
import { KeptScope } from './kept-scope.ts';

export interface KeptMost {
  /** A scope with more open incidents asks the tables for its candidates: some kilobytes each would be kept. */
  perScope: number;
  /** All scopes together; the ones that were quiet for longest go first. */
  all: number;
}

const MOST: KeptMost = { perScope: 100_000, all: 300_000 };

/**
 * Open incidents of the scopes that a process serves, as they were committed. Read once per scope, when its first batch comes, and
 * changed after each commit; dropped when another owner may have written. A scope has one owner at a time (commit-batch, rule 1).
 */
export class OpenScopes {
  /** In the order of their last use. `null`: too large. */
  private readonly scopes = new Map<string, KeptScope | null>();

  constructor(private readonly most = MOST) {}

  /** `read` gives at most so many open incidents of a scope. */
  async load(scopes: Iterable<string>, read: (scope: string, most: number) => Promise<KnownIncident[]>): Promise<void> {
    for (const scope of scopes) {
      const known = this.scopes.get(scope);
      this.scopes.delete(scope);
      this.scopes.set(scope, known === undefined ? await this.read(scope, read) : known);
    }
  }

  private async read(
    scope: string,
    read: (scope: string, most: number) => Promise<KnownIncident[]>,
  ): Promise<KeptScope | null> {
    const incidents = await read(scope, this.most.perScope + 1);
    return incidents.length > this.most.perScope ? null : new KeptScope(incidents);
  }

  kept = (scope: string): KeptScope | undefined => this.scopes.get(scope) ?? undefined;
  of = (scope: string): OpenIncidents | undefined => this.scopes.get(scope)?.open;

  /** Whether it has more open incidents than are kept. */
  isLarge = (scope: string): boolean => this.scopes.get(scope) === null;

  /** What a committed batch changed. */
  take(incidents: readonly KnownIncident[]): void {
    const changed = new Set<KeptScope>();
    for (const incident of incidents) {
      const kept = this.scopes.get(incident.scope);
      if (!kept) continue;
      if (!kept.hasChanged(incident.incidentId)) kept.open.set(incident);
      changed.add(kept);
      if (kept.open.size > this.most.perScope) this.scopes.set(incident.scope, null);
    }
    for (const kept of changed) kept.commit();
    this.evict();
  }

  forget(): void {
    this.scopes.clear();
  }

  private evict(): void {
    let all = 0;
    for (const kept of this.scopes.values()) all += kept?.open.size ?? 0;
    for (const [scope, kept] of this.scopes) {
      if (all <= this.most.all) return;
      all -= kept?.open.size ?? 0;
      this.scopes.delete(scope);
    }
  }
}
