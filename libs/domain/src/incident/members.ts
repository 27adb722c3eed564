import type { AlertsMoved, ArrivingAlert, AttachedAlert, IncidentsMerged } from './events.ts';
import type { ExistingIncident } from './state.ts';

/** Services and tags of an incident are a union over its alerts, kept to the list limit of product P7. */
const LIST_MAX = 100;
const union = (known: string[], added: string[]): string[] =>
  added.every((item) => known.includes(item)) ? known : [...new Set([...known, ...added])].slice(0, LIST_MAX);
/** The later of two instants. */
export const latest = (a: string | null, b: string): string => (a === null || a < b ? b : a);

/** Alerts that joined. */
export function attached<State extends ExistingIncident>(incident: State, alerts: AttachedAlert[]): State {
  const correlated = alerts.filter((alert) => alert.role === 'correlated').length;
  return {
    ...incident,
    services: union(
      incident.services,
      alerts.flatMap((alert) => alert.services),
    ),
    tags: union(
      incident.tags,
      alerts.flatMap((alert) => alert.tags),
    ),
    lastAlertAt: alerts.reduce<string | null>((last, alert) => latest(last, alert.received_at), incident.lastAlertAt),
    correlated: incident.correlated + correlated,
    occurrences: incident.occurrences + alerts.length - correlated,
    openAlerts: incident.openAlerts + alerts.filter((alert) => alert.status === 'open').length,
  };
}

/** What the survivor of a merge takes over, or where a merged one went. */
export function merged<State extends ExistingIncident>(incident: State, data: IncidentsMerged['data']): State {
  if (data.role === 'merged') return { ...incident, mergedInto: data.into.incident_id };
  const { incidents } = data;
  return {
    ...incident,
    services: union(
      incident.services,
      incidents.flatMap(({ services }) => services),
    ),
    tags: union(
      incident.tags,
      incidents.flatMap(({ tags }) => tags),
    ),
    mergedFrom: union(
      incident.mergedFrom,
      incidents.map(({ incident_id }) => incident_id),
    ),
  };
}

/** An alert of another key counts once as correlated and its repeats as occurrences; all others are occurrences. */
const countsOf = (role: AttachedAlert['role'], occurrences: number): { occurrences: number; correlated: number } =>
  role === 'correlated' ? { occurrences: occurrences - 1, correlated: 1 } : { occurrences, correlated: 0 };

/** Alerts that came with all their repeats, or left with them. */
export function moved<State extends ExistingIncident>(incident: State, data: AlertsMoved['data']): State {
  const isIn = data.direction === 'in';
  const counts = isIn
    ? data.alerts.map(({ alert, occurrences }) => ({ ...countsOf(alert.role, occurrences), status: alert.status }))
    : data.alerts.map(({ role, occurrences, status }) => ({ ...countsOf(role, occurrences), status }));
  const sign = isIn ? 1 : -1;
  const add = (before: number, numbers: number[]): number =>
    Math.max(0, before + sign * numbers.reduce((sum, number) => sum + number, 0));
  const after: State = {
    ...incident,
    occurrences: add(
      incident.occurrences,
      counts.map(({ occurrences }) => occurrences),
    ),
    correlated: add(
      incident.correlated,
      counts.map(({ correlated }) => correlated),
    ),
    openAlerts: add(
      incident.openAlerts,
      counts.map(({ status }) => (status === 'open' ? 1 : 0)),
    ),
  };
  return isIn ? arrived(after, data.alerts) : after;
}

function arrived<State extends ExistingIncident>(incident: State, arriving: ArrivingAlert[]): State {
  const alerts = arriving.map(({ alert }) => alert);
  return {
    ...incident,
    openingAlertId: incident.openingAlertId ?? alerts.find(({ role }) => role === 'opening')?.id ?? null,
    services: union(
      incident.services,
      alerts.flatMap(({ services }) => services),
    ),
    tags: union(
      incident.tags,
      alerts.flatMap(({ tags }) => tags),
    ),
    lastAlertAt: arriving.reduce<string | null>(
      (last, { last_seen_at }) => latest(last, last_seen_at),
      incident.lastAlertAt,
    ),
  };
}
