import type { CorrelatedAlert, DecisionReason, NormalizedAlert, Why } from '@tocsin/contracts';
import { event } from './event.ts';
import type { AlertRole, AttachedAlert, EditableFields, Held, IncidentEvent } from './events.ts';
import { closesIncident, severityAfter, type AlertPolicy } from './policy.ts';
import { isLive, type ExistingIncident, type Incident } from './state.ts';

/** One alert, why it came here, and the policy of its webhook. */
export interface AlertChange extends Pick<CorrelatedAlert, 'alert' | 'why' | 'holdUntil'> {
  policy: AlertPolicy;
}

/** When the condition changed: only a source time that the connector declares as the time of this change orders (architecture §9.2). */
export const changedAtOf = (alert: NormalizedAlert): string =>
  alert.changedAt ?? (alert.occurredAtOrders && alert.occurredAt !== null ? alert.occurredAt : alert.receivedAt);

/** When a closed incident's alert was news: after an end that nobody had said, whenever it was received. */
export const newsAtOf = (incident: Incident, alert: NormalizedAlert): string =>
  incident.status === 'resolved' && incident.byTimer ? alert.receivedAt : changedAtOf(alert);

const contextOf = ({ alert, policy }: AlertChange, reason: DecisionReason | null) => ({
  at: alert.receivedAt,
  actor: { kind: 'webhook' as const, id: alert.webhookId, name: null },
  causeId: alert.id,
  configRevision: Math.max(policy.configRevision, alert.configRevision),
  reason,
});

const held = ({ holdUntil }: AlertChange): Held => (holdUntil === undefined ? {} : { hold_until: holdUntil });

function attachedAlert({ alert, why }: AlertChange, role: AlertRole, status: AttachedAlert['status']): AttachedAlert {
  const { id, connector, kind, title, severity, services, tags, source, url } = alert;
  return {
    ...{ id, receipt_id: alert.receiptId, webhook_id: alert.webhookId, connector, kind, title, severity, status },
    ...{ services, tags, source, url, dedup_key: alert.dedupKey, resolve_key: alert.resolveKey },
    ...{ firing_key: alert.firingKey, occurred_at: alert.occurredAt, received_at: alert.receivedAt, role, why },
  };
}

/** What the severity policy makes of an alert that is not as severe as its incident goes into the "why". */
export function withSeverity(change: AlertChange, incident: Incident): AlertChange {
  const { alert, policy, why } = change;
  if (!isLive(incident) || alert.severity === incident.severity) return change;
  const after = severityAfter(incident.severity, alert.severity, policy.severityPolicy);
  const step: Why['tried'][number] = {
    ...{ step: 'severity', result: after === incident.severity ? 'miss' : 'hit', detail: policy.severityPolicy },
    evidence: { incident: incident.severity, alert: alert.severity, after },
  };
  return { ...change, why: { ...why, tried: [...why.tried, step] } };
}

/** A new incident out of an alert. The number is allotted when it is stored. */
export function openIncident(
  change: AlertChange,
  reason: DecisionReason,
  predecessorId: string | null,
): IncidentEvent[] {
  const { alert } = change;
  const { severity, services, tags, source, connector, url } = alert;
  const { title, description } =
    reason === 'over-limit' ? rollUpText(change) : reason === 'storm' ? stormText(change) : alert;
  return [
    event(contextOf(change, reason), 'IncidentOpened', {
      ...held(change),
      ...{
        workspace_id: alert.workspaceId,
        scope: alert.scope,
        number: 0,
        title,
        description,
        severity,
        services,
        tags,
      },
      ...{ source, connector, webhook_id: alert.webhookId, url, incident_type: alert.incidentType },
      ...{
        custom_fields: alert.customFields,
        predecessor_id: predecessorId,
        alert: attachedAlert(change, 'opening', 'open'),
      },
    }),
  ];
}

/** The incident of alerts above the limit is named after what they share; which alert was first says its text. */
const rollUpText = ({ alert, policy }: AlertChange) => ({
  title: `Alerts above the rate limit of ${policy.webhookName ?? alert.webhookId}`,
  description: `Requests came faster than this webhook's hourly limit. Alerts with new keys join here; the first one: ${alert.title}`,
});

/** Of a storm the threshold is in the "why"; its alerts have nothing else in common. */
const stormText = ({ alert }: AlertChange) => ({
  title: 'Alert storm',
  description: `More new incidents came within a minute than the workspace allows. Alerts with new keys join here; the first one: ${alert.title}`,
});

/** A further alert joins. On an incident that stays closed it is taken in as resolved. */
export function attachAlert(
  change: AlertChange,
  role: AlertRole,
  reason: DecisionReason,
  incident: Incident,
): IncidentEvent[] {
  const status = isLive(incident) ? 'open' : 'resolved';
  const attached = event(contextOf(change, reason), 'AlertsAttached', {
    alerts: [attachedAlert(change, role, status)],
    ...held(change),
  });
  return isLive(incident) ? [attached, ...severityChange(change, incident)] : [attached];
}

/** A repeat of an attached alert. */
export function countOccurrence(
  change: AlertChange,
  holderAlertId: string,
  reason: DecisionReason,
  incident: Incident,
): IncidentEvent[] {
  const { id, receivedAt } = change.alert;
  const counted = event(contextOf(change, reason), 'OccurrencesCounted', {
    count: 1,
    alerts: [{ alert_id: holderAlertId, count: 1, last_seen_at: receivedAt, alert_ids: [id] }],
    ...held(change),
  });
  return isLive(incident) ? [counted, ...severityChange(change, incident)] : [counted];
}

/** A closed incident whose alert came back. */
export const reopenIncident = (change: AlertChange): IncidentEvent[] => [
  event(contextOf(change, 'recurrence'), 'IncidentReopened', {
    ...{ note: null, alert_id: change.alert.id },
    ...held(change),
  }),
];

/** The source says that alerts of this incident are over; the incident follows its policy. */
export function resolveAlerts(change: AlertChange, alertIds: string[], incident: ExistingIncident): IncidentEvent[] {
  if (alertIds.length === 0) return [];
  const { alert, policy } = change;
  const asOf = changedAtOf(alert);
  const alerts = alertIds.map((alert_id) => ({ alert_id, resolved_at: asOf, by_alert_id: alert.id }));
  const events: IncidentEvent[] = [
    event(contextOf(change, 'alert-resolved'), 'AlertsResolved', { alerts, ...held(change) }),
  ];
  const left = Math.max(0, incident.openAlerts - alertIds.length);
  if (!isLive(incident) || !closesIncident(policy.resolvePolicy, left)) return events;
  const reason = left === 0 ? 'all-alerts-resolved' : 'alert-resolved';
  const data = { note: null, alert_id: alert.id, as_of: asOf, open_alerts: left, ...held(change) };
  return [...events, event(contextOf(change, reason), 'IncidentResolved', data)];
}

/** Somebody acknowledged it where it came from (product P9). */
export function acknowledgeFromSource(change: AlertChange, incident: Incident): IncidentEvent[] {
  if (incident.status !== 'open') return [];
  return [
    event(contextOf(change, 'source-acknowledged'), 'IncidentAcknowledged', { note: null, alert_id: change.alert.id }),
  ];
}

/** Fields that the source has changed. Title, text and link are the incident's own only where `opening` says that this alert opened it. */
export function updateFromSource(change: AlertChange, opening: boolean, incident: Incident): IncidentEvent[] {
  if (!isLive(incident)) return [];
  const { alert } = change;
  const fields: EditableFields = {};
  const before: EditableFields = {};
  if (opening && alert.title !== '' && alert.title !== incident.title)
    [fields.title, before.title] = [alert.title, incident.title];
  if (opening && alert.description !== '' && alert.description !== incident.description)
    [fields.description, before.description] = [alert.description, incident.description];
  if (opening && alert.url !== null && alert.url !== incident.url) [fields.url, before.url] = [alert.url, incident.url];
  const edited = event(contextOf(change, 'source-updated'), 'IncidentEdited', { fields, before, alert_id: alert.id });
  return [...(Object.keys(fields).length > 0 ? [edited] : []), ...severityChange(change, incident)];
}

function severityChange(change: AlertChange, incident: ExistingIncident): IncidentEvent[] {
  const { alert, policy } = change;
  const to = severityAfter(incident.severity, alert.severity, policy.severityPolicy);
  if (to === incident.severity) return [];
  const data = { from: incident.severity, to, policy: policy.severityPolicy, alert_id: alert.id, ...held(change) };
  return [event(contextOf(change, null), 'SeverityChanged', data)];
}
