import { WorkingSet } from './working-set.ts';

/** For specs: keeps the newest form of every row that ever changed, as the service's tables do. */
export class RestartableStore {
  private readonly rows = new Map<
    string,
    { kind: 'processed' | 'keys' | 'orders' | 'incidents' | 'storms'; row: never }
  >();

  restart(state: WorkingSet): WorkingSet {
    const changed = state.changes();
    for (const kind of ['processed', 'keys', 'orders', 'incidents', 'storms'] as const)
      for (const row of changed[kind]) this.rows.set(`${kind} ${idOf(row)}`, { kind, row: row as never });
    const all = [...this.rows.values()];
    const pick = (wanted: string) => all.filter(({ kind }) => kind === wanted).map(({ row }) => row);
    return new WorkingSet({
      processed: pick('processed'),
      keys: pick('keys'),
      orders: pick('orders'),
      incidents: pick('incidents'),
      storms: pick('storms'),
    });
  }
}

function idOf(row: object): string {
  if ('dedupKey' in row) return String(row.dedupKey);
  if ('resolveKey' in row) return String(row.resolveKey);
  return 'incidentId' in row ? String(row.incidentId) : String((row as { alertId?: string }).alertId);
}
