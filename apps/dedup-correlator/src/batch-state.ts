import {
  WorkingSet,
  type Change,
  type CorrelationView,
  type KeyPath,
  type KnownIncident,
  type Millis,
  type StoredRows,
} from '@tocsin/domain/correlation';
import type { KeptScope } from './kept-scope.ts';

/**
 * The state that a batch decides on. Candidates are looked for among the kept open incidents of a scope, which are changed with the state: to
 * list what the batch changed once more, by all of its terms, would cost more than to decide.
 */
export class BatchState implements CorrelationView {
  readonly rows: WorkingSet;

  constructor(
    rows: StoredRows,
    private readonly keptOf: (scope: string) => KeptScope | undefined,
  ) {
    this.rows = new WorkingSet(rows, (scope) => keptOf(scope)?.open);
  }

  isProcessed = (alertId: string): boolean => this.rows.isProcessed(alertId);
  key = (path: KeyPath) => this.rows.key(path);
  keysOf = (path: KeyPath) => this.rows.keysOf(path);
  order = (path: KeyPath) => this.rows.order(path);
  incident = (scope: string, incidentId: string) => this.rows.incident(scope, incidentId);
  rollUp = (scope: string, webhookId: string) => this.rows.rollUp(scope, webhookId);
  storm = (scope: string) => this.rows.storm(scope);

  openUnder(scope: string, term: string, since: Millis): Iterable<KnownIncident> {
    return this.keptOf(scope)?.open.under(term, since) ?? this.rows.openUnder(scope, term, since);
  }

  apply(changes: readonly Change[]): void {
    this.rows.apply(changes);
    for (const change of changes) {
      if (change.kind !== 'incident') continue;
      const { scope, incidentId } = change.incident;
      this.keptOf(scope)?.change(this.rows.incident(scope, incidentId) ?? change.incident);
    }
  }
}
