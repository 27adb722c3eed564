import { IdSet } from './id-set.ts';
import type { Millis } from './moments.ts';
import { merged, type OpenIncidents } from './open-incidents.ts';
import { ScopeRows, setSlot, type IncidentSlot, type KeySlot, type Slot } from './scope-rows.ts';
import {
  byOpening,
  type Change,
  type CorrelationRows,
  type CorrelationView,
  type KeyHolder,
  type KeyPath,
  type KnownIncident,
  type OrderMemory,
  type ProcessedAlert,
  type StormState,
  type StoredRows,
} from './state.ts';
import type { Named, TextTable } from './text-table.ts';

/**
 * The part of the state that a batch touches, with its indexes. It knows which rows changed since it was made. Rows that it gives out are
 * as they are now: it may write the next change into them.
 */
export class WorkingSet implements CorrelationView {
  private readonly processed = new IdSet();
  private readonly scopes = new Map<string, ScopeRows>();
  private lastScope: ScopeRows | undefined;
  private readonly storms = new Map<string, Slot<StormState>>();
  private readonly newlyProcessed: ProcessedAlert[] = [];
  private readonly changedKeys: KeySlot[] = [];
  private readonly changedOrders: Slot<OrderMemory>[] = [];
  private readonly changedIncidents: IncidentSlot[] = [];
  private readonly changedStorms: Slot<StormState>[] = [];

  /** `openOf`: open incidents of a scope that are known without having been loaded; what the set itself knows goes before. */
  constructor(
    rows: Partial<StoredRows> = {},
    private readonly openOf: (scope: string) => OpenIncidents | undefined = () => undefined,
  ) {
    for (const row of rows.processed ?? []) this.processed.add(row.alertId);
    for (const row of rows.keys ?? []) this.rowsOf(row.scope).of(row.webhookId).setKey(row).loaded = row;
    for (const row of rows.orders ?? []) this.rowsOf(row.scope).of(row.webhookId).setOrder(row);
    for (const row of rows.incidents ?? []) this.rowsOf(row.scope).setIncident(row);
    for (const row of rows.storms ?? []) setSlot(this.storms, row.scope, row);
  }

  isProcessed(alertId: string): boolean {
    return this.processed.has(alertId);
  }

  key({ scope, webhookId, key }: KeyPath): KeyHolder | undefined {
    return this.rowsOf(scope).key(webhookId, key);
  }

  keysOf({ scope, webhookId, key }: KeyPath): readonly KeyHolder[] {
    return this.rowsOf(scope).of(webhookId).keysOf(key);
  }

  order({ scope, webhookId, key }: KeyPath): OrderMemory | undefined {
    return this.rowsOf(scope).of(webhookId).order(key);
  }

  incident(scope: string, incidentId: string): KnownIncident | undefined {
    return this.rowsOf(scope).incident(incidentId);
  }

  openUnder(scope: string, term: string, since: Millis): Iterable<KnownIncident> {
    const { active, incidents, open } = this.rowsOf(scope);
    const own = active.under(term, since);
    if (!open) return own;
    const others = open.under(term, since);
    return incidents.size === 0 ? others : merged(own, unchanged(others, incidents));
  }

  rollUp(scope: string, webhookId: string): KnownIncident | undefined {
    let newest: KnownIncident | undefined;
    for (const incident of this.rowsOf(scope).of(webhookId).rollUps.values())
      if (incident.closedAt === null && (!newest || byOpening(newest, incident) < 0)) newest = incident;
    return newest;
  }

  storm(scope: string): StormState | undefined {
    return this.storms.get(scope)?.row;
  }

  /** Folds what one decision or fact changed into the set. */
  apply(changes: readonly Change[]): void {
    for (const change of changes) {
      switch (change.kind) {
        case 'processed':
          this.processed.add(change.processed.alertId);
          this.newlyProcessed.push(change.processed);
          break;
        case 'key':
          mark(this.rowsOf(change.key.scope).setKey(change.key), this.changedKeys);
          break;
        case 'order':
          mark(this.rowsOf(change.order.scope).of(change.order.webhookId).setOrder(change.order), this.changedOrders);
          break;
        case 'incident':
          mark(this.rowsOf(change.incident.scope).setIncident(change.incident), this.changedIncidents);
          break;
        case 'storm':
          mark(setSlot(this.storms, change.storm.scope, change.storm), this.changedStorms);
          break;
        default:
          change satisfies never;
      }
    }
  }

  /** The row of this key as it was when the set was made. */
  loadedKey({ scope, webhookId, dedupKey }: KeyHolder): KeyHolder | undefined {
    return this.rowsOf(scope).of(webhookId).loadedKey(dedupKey);
  }

  /** Every row that changed, once, as it is now. */
  changes(): CorrelationRows {
    const rows = <Row>(slots: readonly Slot<Row>[]): Row[] => slots.map(({ row }) => row);
    return {
      processed: [...this.newlyProcessed],
      keys: this.changedKeys.flatMap(({ row }) => row ?? []),
      orders: rows(this.changedOrders),
      incidents: this.changedIncidents.map(({ incident }) => incident),
      storms: rows(this.changedStorms),
    };
  }

  /** For one who writes nothing, as a replay: what changed until now, and which alerts were processed, is not asked for any more. */
  forgetChanges(): void {
    this.processed.clear();
    for (const changed of [this.changedKeys, this.changedOrders, this.changedIncidents, this.changedStorms]) {
      for (const slot of changed) slot.isChanged = false;
      changed.length = 0;
    }
    this.newlyProcessed.length = 0;
  }

  private rowsOf(scope: string): ScopeRows {
    if (this.lastScope?.scope === scope) return this.lastScope;
    let rows = this.scopes.get(scope);
    if (!rows) this.scopes.set(scope, (rows = new ScopeRows(scope, this.openOf(scope))));
    this.lastScope = rows;
    return rows;
  }
}

function mark<Changed extends { isChanged: boolean }>(slot: Changed, changed: Changed[]): void {
  if (slot.isChanged) return;
  slot.isChanged = true;
  changed.push(slot);
}

/** Those that the set does not know by itself. */
function* unchanged(incidents: Iterable<KnownIncident>, known: TextTable<Named>): Iterable<KnownIncident> {
  for (const incident of incidents) if (!known.get(incident.incidentId)) yield incident;
}
