import type { CorrelationRows, StoredRows } from '../state.ts';
import type { WorkingSet } from '../working-set.ts';

/** What the correlators of a model share: the newest form of every row, as the service's tables keep it. */
export class RowTable {
  private readonly kinds = new Map<string, Map<string, object>>();

  /** Takes every row that changed since the state was made. */
  save(state: WorkingSet): void {
    for (const [kind, rows] of Object.entries(state.changes()) as [string, object[]][]) {
      const table = this.kinds.get(kind) ?? new Map<string, object>();
      this.kinds.set(kind, table);
      for (const row of rows) table.set(identityOf(row), row);
    }
  }

  rows(): Partial<StoredRows> {
    return Object.fromEntries([...this.kinds].map(([kind, rows]) => [kind, [...rows.values()]]));
  }
}

type AnyRow = CorrelationRows[keyof CorrelationRows][number];

/** Every kind of row belongs to a scope and is known by what else names it. */
function identityOf(row: object): string {
  const named = row as Partial<
    Record<'scope' | 'webhookId' | 'dedupKey' | 'resolveKey' | 'incidentId' | 'alertId', string>
  > &
    Pick<AnyRow, 'scope'>;
  const { scope, webhookId, dedupKey, resolveKey, incidentId, alertId } = named;
  if (webhookId !== undefined) return JSON.stringify([scope, webhookId, dedupKey ?? resolveKey]);
  return JSON.stringify([scope, 'arrivals' in row ? 'storm' : (incidentId ?? alertId)]);
}
