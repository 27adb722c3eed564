import { ActivityIndex } from './activity-index.ts';
import { Listed } from './activity-list.ts';
import type { OpenIncidents } from './open-incidents.ts';
import { copyOfIncident, copyOfKey, takeOverIncident, takeOverKey } from './own-rows.ts';
import type { KeyHolder, KnownIncident, OrderMemory } from './state.ts';
import { TextTable } from './text-table.ts';

/** A row, and whether it changed since the state was made. */
export interface Slot<Row> {
  row: Row;
  isChanged: boolean;
}

/**
 * What one text names within a webhook: a dedup key and a resolve key are mostly the same text, so that one lookup finds all of it. What
 * every decision reads stands first, so that it lies together.
 */
export class KeySlot {
  row: KeyHolder | undefined = undefined;
  /** The incident that the holder was found with last. */
  incident: IncidentSlot | undefined = undefined;
  order: Slot<OrderMemory> | undefined = undefined;
  isChanged = false;
  /** The row is nobody else's: a change is written into it. */
  isOwn = false;
  /** Holders that resolve under this text; where there is one it stands by itself. */
  resolving: KeySlot | KeySlot[] | undefined = undefined;
  /** As it was when the state was made. */
  loaded: KeyHolder | undefined = undefined;

  constructor(readonly text: string) {}
}

/** The rows of one webhook within one scope, each under what else names it. */
export class WebhookRows {
  private readonly slots = new TextTable<KeySlot>();
  /** What was looked up last, in vain where there is no slot: a decision asks for one key several times. */
  private lastText: string | undefined;
  private lastSlot: KeySlot | undefined;
  /** Roll-up incidents, open and closed. */
  readonly rollUps = new Map<string, KnownIncident>();

  /** What is known under a text. */
  named(text: string): KeySlot | undefined {
    if (this.lastText === text) return this.lastSlot;
    this.lastText = text;
    return (this.lastSlot = this.slots.get(text));
  }

  key = (dedupKey: string): KeyHolder | undefined => this.named(dedupKey)?.row;
  loadedKey = (dedupKey: string): KeyHolder | undefined => this.named(dedupKey)?.loaded;
  order = (resolveKey: string): OrderMemory | undefined => this.named(resolveKey)?.order?.row;

  keysOf(resolveKey: string): readonly KeyHolder[] {
    const resolving = this.named(resolveKey)?.resolving;
    if (!resolving) return [];
    return Array.isArray(resolving) ? resolving.map(({ row }) => row as KeyHolder) : [resolving.row as KeyHolder];
  }

  setKey(row: KeyHolder): KeySlot {
    const slot = this.slotOf(row.dedupKey);
    const known = slot.row;
    if (known?.resolveKey !== row.resolveKey) {
      if (known) this.leave(slot, known.resolveKey);
      this.enter(slot, row.resolveKey);
    }
    if (slot.isOwn && known) takeOverKey(known, row);
    else {
      slot.isOwn = known !== undefined;
      slot.row = known ? copyOfKey(row) : row;
    }
    return slot;
  }

  setOrder(row: OrderMemory): Slot<OrderMemory> {
    const slot = this.slotOf(row.resolveKey);
    if (slot.order) slot.order.row = row;
    else slot.order = { row, isChanged: false };
    return slot.order;
  }

  private slotOf(text: string): KeySlot {
    const known = this.named(text);
    if (known) return known;
    const slot = new KeySlot(text);
    this.slots.add(slot);
    this.lastText = text;
    return (this.lastSlot = slot);
  }

  private enter(slot: KeySlot, resolveKey: string): void {
    const named = this.slotOf(resolveKey);
    if (Array.isArray(named.resolving)) named.resolving.push(slot);
    else named.resolving = named.resolving ? [named.resolving, slot] : slot;
  }

  private leave(slot: KeySlot, resolveKey: string): void {
    const named = this.slotOf(resolveKey);
    const others = [named.resolving ?? []].flat().filter((one) => one !== slot);
    named.resolving = others.length > 0 ? others : undefined;
  }
}

export function setSlot<Row>(slots: Map<string, Slot<Row>>, name: string, row: Row): Slot<Row> {
  let slot = slots.get(name);
  if (slot) slot.row = row;
  else slots.set(name, (slot = { row, isChanged: false }));
  return slot;
}

/** An incident, and its place in the index. */
export class IncidentSlot extends Listed {
  isChanged = false;
  /** The row is nobody else's: a change is written into it. */
  isOwn = false;
}

/** The rows of one scope, with their index. */
export class ScopeRows {
  readonly active = new ActivityIndex<IncidentSlot>();
  readonly incidents = new TextTable<IncidentSlot>();
  private readonly webhooks = new Map<string, WebhookRows>();
  private lastWebhookId: string | undefined;
  private lastWebhook: WebhookRows | undefined;
  private lastIncident: IncidentSlot | undefined;
  /** The key that was asked for last: mostly its incident is asked for next. */
  private holder: KeySlot | undefined;

  constructor(
    readonly scope: string,
    /** Open incidents that are known without having been loaded. */
    readonly open: OpenIncidents | undefined,
  ) {}

  of(webhookId: string): WebhookRows {
    if (this.lastWebhook && this.lastWebhookId === webhookId) return this.lastWebhook;
    let rows = this.webhooks.get(webhookId);
    if (!rows) this.webhooks.set(webhookId, (rows = new WebhookRows()));
    this.lastWebhookId = webhookId;
    return (this.lastWebhook = rows);
  }

  key(webhookId: string, dedupKey: string): KeyHolder | undefined {
    const slot = this.of(webhookId).named(dedupKey);
    this.holder = slot;
    return slot?.row;
  }

  setKey(row: KeyHolder): KeySlot {
    const slot = this.of(row.webhookId).setKey(row);
    if (this.lastIncident?.text === row.incidentId) slot.incident = this.lastIncident;
    return slot;
  }

  incident(incidentId: string): KnownIncident | undefined {
    return this.slotOf(incidentId)?.incident ?? this.open?.get(incidentId);
  }

  setIncident(row: KnownIncident): IncidentSlot {
    const known = this.slotOf(row.incidentId);
    const slot = known ?? new IncidentSlot(row);
    if (!known) this.incidents.add(slot);
    else if (slot.isOwn) takeOverIncident(slot.incident, row);
    else {
      slot.incident = copyOfIncident(row);
      slot.isOwn = true;
    }
    this.lastIncident = slot;
    this.active.note(slot, slot.incident);
    if (row.rollUpOf !== null) this.of(row.rollUpOf).rollUps.set(row.incidentId, slot.incident);
    return slot;
  }

  private slotOf(incidentId: string): IncidentSlot | undefined {
    const { lastIncident, holder, active } = this;
    if (lastIncident?.text === incidentId) return lastIncident;
    const linked = holder?.incident;
    if (linked?.text === incidentId) return (this.lastIncident = linked);
    const slot = active.found?.text === incidentId ? active.found : this.incidents.get(incidentId);
    if (!slot) return undefined;
    if (holder?.row?.incidentId === incidentId) holder.incident = slot;
    return (this.lastIncident = slot);
  }
}
