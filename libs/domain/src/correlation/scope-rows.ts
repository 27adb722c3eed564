import { ActivityIndex, Listed } from './activity-index.ts';
import type { OpenIncidents } from './open-incidents.ts';
import type { KeyHolder, KnownIncident, OrderMemory } from './state.ts';

/** A row, and whether it changed since the state was made. */
export interface Slot<Row> {
  row: Row;
  isChanged: boolean;
  /** As it was when the state was made. */
  loaded?: Row;
}

/** The rows of one webhook within one scope, each under what else names it. */
export class WebhookRows {
  readonly orders = new Map<string, Slot<OrderMemory>>();
  private readonly keys = new Map<string, Slot<KeyHolder>>();
  private readonly byResolveKey = new Map<string, Slot<KeyHolder>[]>();
  /** Roll-up incidents, open and closed. */
  readonly rollUps = new Map<string, KnownIncident>();

  key = (dedupKey: string): KeyHolder | undefined => this.keys.get(dedupKey)?.row;
  loadedKey = (dedupKey: string): KeyHolder | undefined => this.keys.get(dedupKey)?.loaded;
  keysOf = (resolveKey: string): readonly KeyHolder[] => this.byResolveKey.get(resolveKey)?.map(({ row }) => row) ?? [];

  setKey(row: KeyHolder): Slot<KeyHolder> {
    const known = this.keys.get(row.dedupKey);
    if (known?.row.resolveKey === row.resolveKey) {
      known.row = row;
      return known;
    }
    if (known) this.leave(known);
    const slot = known ?? { row, isChanged: false };
    slot.row = row;
    if (!known) this.keys.set(row.dedupKey, slot);
    const siblings = this.byResolveKey.get(row.resolveKey);
    if (siblings) siblings.push(slot);
    else this.byResolveKey.set(row.resolveKey, [slot]);
    return slot;
  }

  setOrder(row: OrderMemory): Slot<OrderMemory> {
    return setSlot(this.orders, row.resolveKey, row);
  }

  private leave(slot: Slot<KeyHolder>): void {
    const { resolveKey } = slot.row;
    const others = this.byResolveKey.get(resolveKey)?.filter((one) => one !== slot) ?? [];
    if (others.length > 0) this.byResolveKey.set(resolveKey, others);
    else this.byResolveKey.delete(resolveKey);
  }
}

export function setSlot<Row>(slots: Map<string, Slot<Row>>, name: string, row: Row): Slot<Row> {
  let slot = slots.get(name);
  if (slot) slot.row = row;
  else slots.set(name, (slot = { row, isChanged: false }));
  return slot;
}

/** An incident, and its place in the index. */
export class IncidentSlot implements Slot<KnownIncident> {
  isChanged = false;
  readonly listed: Listed;

  constructor(public row: KnownIncident) {
    this.listed = new Listed(row);
  }
}

/** The rows of one scope, with their index. */
export class ScopeRows {
  readonly active = new ActivityIndex();
  readonly incidents = new Map<string, IncidentSlot>();
  private readonly webhooks = new Map<string, WebhookRows>();
  private lastWebhook: { id: string; rows: WebhookRows } | undefined;

  constructor(
    readonly scope: string,
    /** Open incidents that are known without having been loaded. */
    readonly open: OpenIncidents | undefined,
  ) {}

  of(webhookId: string): WebhookRows {
    if (this.lastWebhook?.id === webhookId) return this.lastWebhook.rows;
    let rows = this.webhooks.get(webhookId);
    if (!rows) this.webhooks.set(webhookId, (rows = new WebhookRows()));
    this.lastWebhook = { id: webhookId, rows };
    return rows;
  }

  incident = (incidentId: string): KnownIncident | undefined =>
    this.incidents.get(incidentId)?.row ?? this.open?.get(incidentId);

  setIncident(row: KnownIncident): IncidentSlot {
    let slot = this.incidents.get(row.incidentId);
    if (slot) slot.row = row;
    else this.incidents.set(row.incidentId, (slot = new IncidentSlot(row)));
    this.active.note(slot.listed, row);
    if (row.rollUpOf !== null) this.of(row.rollUpOf).rollUps.set(row.incidentId, row);
    return slot;
  }
}
