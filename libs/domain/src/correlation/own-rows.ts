import type { KeyHolder, KnownIncident } from './state.ts';

// Rows that change with nearly every alert are written into what is there: a new row each time would live long enough to be moved
// about by the collector, and the old ones would have to be found.

type Moving<Row, Fixed extends keyof Row> = Readonly<Record<Exclude<keyof Row, Fixed>, true>>;
/** Named so that a field that is added to the row is not forgotten here. */
export const movingOfKey: Moving<KeyHolder, 'workspaceId' | 'scope' | 'webhookId' | 'dedupKey'> = {
  resolveKey: true,
  incidentId: true,
  alertId: true,
  lastAlertId: true,
  firstAt: true,
  lastAt: true,
  lastTriggerAt: true,
  firingKey: true,
  alertOpen: true,
  toggles: true,
  heldUntil: true,
};
export const movingOfIncident: Moving<KnownIncident, 'workspaceId' | 'scope' | 'incidentId'> = {
  version: true,
  openedAt: true,
  lastAlertAt: true,
  closedAt: true,
  services: true,
  rollUpOf: true,
  facets: true,
  terms: true,
};

/** Writes a newer row of the same key into this one. */
export function takeOverKey(row: KeyHolder, from: KeyHolder): void {
  row.resolveKey = from.resolveKey;
  row.incidentId = from.incidentId;
  row.alertId = from.alertId;
  row.lastAlertId = from.lastAlertId;
  row.firstAt = from.firstAt;
  row.lastAt = from.lastAt;
  row.lastTriggerAt = from.lastTriggerAt;
  row.firingKey = from.firingKey;
  row.alertOpen = from.alertOpen;
  row.toggles = from.toggles;
  row.heldUntil = from.heldUntil;
}

/** Writes a newer row of the same incident into this one. */
export function takeOverIncident(row: KnownIncident, from: KnownIncident): void {
  row.version = from.version;
  row.openedAt = from.openedAt;
  row.lastAlertAt = from.lastAlertAt;
  row.closedAt = from.closedAt;
  row.services = from.services;
  row.rollUpOf = from.rollUpOf;
  row.facets = from.facets;
  row.terms = from.terms;
}

// Copies name their fields: rows that were spread have another hidden class than those that decisions make, and take longer to copy.

export const copyOfKey = (row: KeyHolder): KeyHolder => ({
  workspaceId: row.workspaceId,
  scope: row.scope,
  webhookId: row.webhookId,
  dedupKey: row.dedupKey,
  resolveKey: row.resolveKey,
  incidentId: row.incidentId,
  alertId: row.alertId,
  lastAlertId: row.lastAlertId,
  firstAt: row.firstAt,
  lastAt: row.lastAt,
  lastTriggerAt: row.lastTriggerAt,
  firingKey: row.firingKey,
  alertOpen: row.alertOpen,
  toggles: row.toggles,
  heldUntil: row.heldUntil,
});

export const copyOfIncident = (row: KnownIncident): KnownIncident => ({
  workspaceId: row.workspaceId,
  scope: row.scope,
  incidentId: row.incidentId,
  version: row.version,
  openedAt: row.openedAt,
  lastAlertAt: row.lastAlertAt,
  closedAt: row.closedAt,
  services: row.services,
  rollUpOf: row.rollUpOf,
  facets: row.facets,
  terms: row.terms,
});
