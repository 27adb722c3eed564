import { ActivityIndex } from './activity-index.ts';
import { fileUnder, type Millis } from './moments.ts';
import { merged, type OpenIncidents } from './open-incidents.ts';
import {
  byOpening,
  holderPath,
  type Change,
  type CorrelationRows,
  type CorrelationView,
  type KeyHolder,
  type KnownIncident,
  type OrderMemory,
  type ProcessedAlert,
  type StormState,
  type StoredRows,
} from './state.ts';

const holderPathOf = (key: KeyHolder): string => holderPath(key.scope, key.webhookId, key.dedupKey);
const resolvePathOf = (row: KeyHolder | OrderMemory): string => holderPath(row.scope, row.webhookId, row.resolveKey);
const incidentPathOf = (incident: KnownIncident): string => fileUnder(incident.scope, incident.incidentId);

/** The part of the state that a batch touches, with its indexes. It knows which rows changed since it was made. */
export class WorkingSet implements CorrelationView {
  private readonly processed = new Set<string>();
  private readonly keys = new Map<string, KeyHolder>();
  private readonly byResolveKey = new Map<string, Map<string, KeyHolder>>();
  private readonly orders = new Map<string, OrderMemory>();
  private readonly incidents = new Map<string, KnownIncident>();
  private readonly active = new ActivityIndex();
  /** Roll-up incidents per scope and webhook, open and closed. */
  private readonly rollUps = new Map<string, Map<string, KnownIncident>>();
  /** Per scope. */
  private readonly storms = new Map<string, StormState>();
  private readonly newlyProcessed: ProcessedAlert[] = [];
  private readonly changedKeys = new Set<string>();
  private readonly changedOrders = new Set<string>();
  private readonly changedIncidents = new Set<string>();
  private readonly changedStorms = new Set<string>();

  /** `openOf`: open incidents of a scope that are known without having been loaded; what the set itself knows goes before. */
  constructor(
    rows: Partial<StoredRows> = {},
    private readonly openOf: (scope: string) => OpenIncidents | undefined = () => undefined,
  ) {
    for (const row of rows.processed ?? []) this.processed.add(row.alertId);
    for (const row of rows.keys ?? []) this.setKey(row);
    for (const row of rows.orders ?? []) this.orders.set(resolvePathOf(row), row);
    for (const row of rows.incidents ?? []) this.setIncident(row);
    for (const row of rows.storms ?? []) this.storms.set(row.scope, row);
  }

  isProcessed(alertId: string): boolean {
    return this.processed.has(alertId);
  }

  key(path: string): KeyHolder | undefined {
    return this.keys.get(path);
  }

  keysOf(resolvePath: string): readonly KeyHolder[] {
    return [...(this.byResolveKey.get(resolvePath)?.values() ?? [])];
  }

  order(resolvePath: string): OrderMemory | undefined {
    return this.orders.get(resolvePath);
  }

  incident(scope: string, incidentId: string): KnownIncident | undefined {
    return this.incidents.get(fileUnder(scope, incidentId)) ?? this.openOf(scope)?.get(incidentId);
  }

  openUnder(scope: string, term: string, since: Millis): Iterable<KnownIncident> {
    const own = this.active.under(scope, term, since);
    const open = this.openOf(scope);
    return open ? merged(own, this.unchanged(open.under(scope, term, since))) : own;
  }

  private *unchanged(incidents: Iterable<KnownIncident>): Iterable<KnownIncident> {
    for (const incident of incidents) if (!this.incidents.has(incidentPathOf(incident))) yield incident;
  }

  rollUp(scope: string, webhookId: string): KnownIncident | undefined {
    let newest: KnownIncident | undefined;
    for (const incident of this.rollUps.get(fileUnder(scope, webhookId))?.values() ?? [])
      if (incident.closedAt === null && (!newest || byOpening(newest, incident) < 0)) newest = incident;
    return newest;
  }

  storm(scope: string): StormState | undefined {
    return this.storms.get(scope);
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
          this.setKey(change.key);
          this.changedKeys.add(holderPathOf(change.key));
          break;
        case 'order':
          this.orders.set(resolvePathOf(change.order), change.order);
          this.changedOrders.add(resolvePathOf(change.order));
          break;
        case 'incident':
          this.setIncident(change.incident);
          this.changedIncidents.add(incidentPathOf(change.incident));
          break;
        case 'storm':
          this.storms.set(change.storm.scope, change.storm);
          this.changedStorms.add(change.storm.scope);
          break;
        default:
          change satisfies never;
      }
    }
  }

  /** Every row that changed, once, as it is now. */
  changes(): CorrelationRows {
    const pick = <Row>(rows: Map<string, Row>, paths: Set<string>): Row[] =>
      [...paths].flatMap((path) => rows.get(path) ?? []);
    return {
      processed: [...this.newlyProcessed],
      keys: pick(this.keys, this.changedKeys),
      orders: pick(this.orders, this.changedOrders),
      incidents: pick(this.incidents, this.changedIncidents),
      storms: pick(this.storms, this.changedStorms),
    };
  }

  private setKey(key: KeyHolder): void {
    const path = holderPathOf(key);
    const before = this.keys.get(path);
    if (before && before.resolveKey !== key.resolveKey) this.byResolveKey.get(resolvePathOf(before))?.delete(path);
    this.keys.set(path, key);
    const resolvePath = resolvePathOf(key);
    const siblings = this.byResolveKey.get(resolvePath);
    if (siblings) siblings.set(path, key);
    else this.byResolveKey.set(resolvePath, new Map([[path, key]]));
  }

  private setIncident(incident: KnownIncident): void {
    const path = incidentPathOf(incident);
    this.incidents.set(path, incident);
    this.active.note(path, incident);
    if (incident.rollUpOf !== null) this.setRollUp(fileUnder(incident.scope, incident.rollUpOf), incident);
  }

  private setRollUp(path: string, incident: KnownIncident): void {
    const known = this.rollUps.get(path);
    if (known) known.set(incident.incidentId, incident);
    else this.rollUps.set(path, new Map([[incident.incidentId, incident]]));
  }
}
