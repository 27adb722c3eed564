import { unreachable, type ArrivingAlert, type AttachedAlert, type IncidentEvent } from './events.ts';

/** A new row of the alerts projection, as it is after all events of the batch. */
export interface AlertRow {
  alert: AttachedAlert;
  status: 'open' | 'resolved';
  resolvedAt: string | null;
  occurrences: number;
  lastSeenAt: string;
}

/** What events do to alerts that were there before: counts add up, a resolve is set. */
export interface AlertRowChange {
  alertId: string;
  added: number;
  lastSeenAt: string | null;
  resolvedAt: string | null;
}

export interface AlertRowChanges {
  inserted: Map<string, AlertRow>;
  changed: Map<string, AlertRowChange>;
  /** Rows that were there before and went to another incident. They go before any row comes. */
  removed: Set<string>;
  /** When the incident was closed, so that every row that was open before is resolved; null = it was not. */
  closedAt: string | null;
}

/** The alerts projection of one stream, folded from its events: the same function serves the batch and a rebuild. */
export function projectAlerts(events: readonly IncidentEvent[]): AlertRowChanges {
  const rows: AlertRowChanges = { inserted: new Map(), changed: new Map(), removed: new Set(), closedAt: null };
  for (const event of events) project(rows, event);
  return rows;
}

function project(rows: AlertRowChanges, event: IncidentEvent): void {
  switch (event.type) {
    case 'IncidentOpened':
      return insert(rows, event.data.alert, event.at);
    case 'AlertsAttached':
      return event.data.alerts.forEach((alert) => insert(rows, alert, event.at));
    case 'OccurrencesCounted':
      return event.data.alerts.forEach(({ alert_id, count, last_seen_at }) =>
        counted(rows, alert_id, count, last_seen_at),
      );
    case 'AlertsResolved':
      return event.data.alerts.forEach(({ alert_id, resolved_at }) => resolved(rows, alert_id, resolved_at));
    case 'IncidentResolved':
      // What was open before was closed by the first of several closings.
      rows.closedAt ??= event.data.as_of;
      for (const [id, row] of rows.inserted) if (row.status === 'open') resolved(rows, id, event.data.as_of);
      return;
    case 'AlertsMoved':
      return event.data.direction === 'out'
        ? event.data.alerts.forEach(({ alert_id }) => left(rows, alert_id))
        : event.data.alerts.forEach((one) => arrived(rows, one));
    case 'IncidentDeclared':
    case 'IncidentsMerged':
    case 'SeverityChanged':
    case 'IncidentAcknowledged':
    case 'IncidentReopened':
    case 'IncidentAssigned':
    case 'IncidentSnoozed':
    case 'SnoozeEnded':
    case 'IncidentSuppressed':
    case 'CommentAdded':
    case 'IncidentEdited':
    case 'ExternalLinkAdded':
    case 'PayloadErased':
    case 'RcaNoted':
      return;
    default:
      return unreachable(event);
  }
}

function insert(rows: AlertRowChanges, alert: AttachedAlert, at: string): void {
  const { status, received_at: lastSeenAt } = alert;
  rows.inserted.set(alert.id, {
    alert,
    status,
    resolvedAt: status === 'resolved' ? at : null,
    occurrences: 1,
    lastSeenAt,
  });
}

function arrived(rows: AlertRowChanges, { alert, occurrences, resolved_at, last_seen_at }: ArrivingAlert): void {
  const { status } = alert;
  rows.inserted.set(alert.id, { alert, status, resolvedAt: resolved_at, occurrences, lastSeenAt: last_seen_at });
}

function left(rows: AlertRowChanges, alertId: string): void {
  rows.changed.delete(alertId);
  if (!rows.inserted.delete(alertId)) rows.removed.add(alertId);
}

const changeOf = (rows: AlertRowChanges, alertId: string): AlertRowChange =>
  rows.changed.get(alertId) ?? { alertId, added: 0, lastSeenAt: null, resolvedAt: null };

function counted(rows: AlertRowChanges, alertId: string, count: number, at: string): void {
  const row = rows.inserted.get(alertId);
  if (row) {
    const lastSeenAt = row.lastSeenAt < at ? at : row.lastSeenAt;
    rows.inserted.set(alertId, { ...row, occurrences: row.occurrences + count, lastSeenAt });
    return;
  }
  const change = changeOf(rows, alertId);
  const lastSeenAt = change.lastSeenAt === null || change.lastSeenAt < at ? at : change.lastSeenAt;
  rows.changed.set(alertId, { ...change, added: change.added + count, lastSeenAt });
}

function resolved(rows: AlertRowChanges, alertId: string, resolvedAt: string): void {
  const row = rows.inserted.get(alertId);
  if (row) rows.inserted.set(alertId, { ...row, status: 'resolved', resolvedAt });
  else rows.changed.set(alertId, { ...changeOf(rows, alertId), resolvedAt });
}
