import type { KeyHolder, KnownIncident, OrderMemory, StormState } from '@tocsin/domain/correlation';
import type { Row } from './statements.ts';

const text = (value: unknown): string => value as string;
const textOrNull = (value: unknown): string | null => value as string | null;
const millisOrNull = (value: unknown): number | null => (value === null ? null : Number(value));

export const keyOf = (row: Row): KeyHolder => ({
  workspaceId: text(row['workspace_id']),
  scope: text(row['scope']),
  webhookId: text(row['webhook_id']),
  dedupKey: text(row['dedup_key']),
  resolveKey: text(row['resolve_key']),
  incidentId: textOrNull(row['incident_id']),
  alertId: text(row['alert_id']),
  lastAlertId: text(row['last_alert_id']),
  firstAt: Number(row['first_at']),
  lastAt: Number(row['last_at']),
  lastTriggerAt: Number(row['last_trigger_at']),
  firingKey: textOrNull(row['firing_key']),
  alertOpen: row['alert_open'] as boolean,
  toggles: (row['toggles'] as string[]).map(Number),
  heldUntil: millisOrNull(row['held_until']),
});

export const stormOf = (row: Row): StormState => ({
  workspaceId: text(row['workspace_id']),
  scope: text(row['scope']),
  arrivals: row['arrivals'] as StormState['arrivals'],
  overAt: millisOrNull(row['over_at']),
  incidentId: textOrNull(row['incident_id']),
});

export const orderOf = (row: Row): OrderMemory => ({
  workspaceId: text(row['workspace_id']),
  scope: text(row['scope']),
  webhookId: text(row['webhook_id']),
  resolveKey: text(row['resolve_key']),
  closedAt: Number(row['closed_at']),
  closedBy: row['closed_by'] as OrderMemory['closedBy'],
  keptUntil: Number(row['kept_until']),
});

const SERVICE = 'service ';

/** Listed terms have the scope in front, and those of services are among them (see `listedTerms`). */
export function incidentOf(row: Row): KnownIncident {
  const scope = text(row['scope']);
  const terms = (row['terms'] as string[]).map((term) => term.slice(scope.length + 1));
  return {
    workspaceId: text(row['workspace_id']),
    scope,
    incidentId: text(row['incident_id']),
    version: Number(row['version']),
    openedAt: Number(row['opened_at']),
    lastAlertAt: Number(row['last_alert_at']),
    closedAt: millisOrNull(row['closed_at']),
    services: row['services'] as string[],
    rollUpOf: textOrNull(row['roll_up_of']),
    facets: row['facets'] as KnownIncident['facets'],
    terms: terms.filter((term) => !term.startsWith(SERVICE)),
  };
}

/** Under which terms the table's index lists an incident. */
export const listedTerms = ({ scope, services, terms }: KnownIncident): string[] =>
  [...terms, ...services.map((service) => `${SERVICE}${service}`)].map((term) => `${scope} ${term}`);
