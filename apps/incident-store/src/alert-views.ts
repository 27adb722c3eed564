import type { NormalizedAlert, Why } from '@tocsin/contracts';
import type { AttachedAlert, RecordedStatus } from '@tocsin/domain/incident';
import { alertOf, whyOf } from './views.ts';

export interface RecordedRow {
  alert_id: string;
  alert: NormalizedAlert;
  why: Why;
  status: RecordedStatus;
  incident_id: string | null;
  occurrences: number;
  received_at: Date;
  last_seen_at: Date;
  ended_at: Date | null;
}

/** Reasons of alerts that a silence or a maintenance window kept. */
export const SUPPRESSED = ['silenced', 'maintenance'];
const outcomeOf = ({ reason }: Why): string => (SUPPRESSED.includes(reason) ? 'suppressed' : 'recorded');

/** A recorded alert. `incident_id` is set once it was promoted, or an alert that came later took its key to an incident. */
export function recordedView({ alert, why, status, incident_id, occurrences, last_seen_at, ended_at }: RecordedRow) {
  const { id, receiptId, webhookId, connector, kind, title, description, severity, services, tags, source, url } =
    alert;
  return {
    ...{ id, receipt_id: receiptId, webhook_id: webhookId, connector, kind, title, description, severity, status },
    ...{ services, tags, source, url, dedup_key: alert.dedupKey, custom_fields: alert.customFields },
    ...{ occurred_at: alert.occurredAt, received_at: alert.receivedAt, last_seen_at: last_seen_at.toISOString() },
    ...{ ended_at: ended_at?.toISOString() ?? null, occurrence_count: occurrences, incident_id },
    ...{ outcome: outcomeOf(why), reason: why.reason, why: whyOf(why) },
  };
}

export interface DecidedRow {
  alert_id: string;
  receipt_id: string;
  webhook_id: string;
  incident_id: string | null;
  outcome: string;
  reason: string;
  occurrence_count: number | null;
  counted_on: string | null;
  why: Why | null;
  settled_at: Date;
  status: 'open' | 'resolved' | null;
  role: string | null;
  occurrences: number | null;
  resolved_at: Date | null;
  alert: AttachedAlert | null;
  attached_to: string | null;
  last_seen_at: Date | null;
  ends_at: Date | null;
  ends_because: string | null;
}

/** An alert that is part of an incident. */
export const attachedView = (row: DecidedRow, alert: AttachedAlert) => ({
  ...alertOf({
    ...row,
    alert,
    position: '0',
    status: row.status ?? 'open',
    role: row.role ?? alert.role,
    occurrences: row.occurrences ?? 1,
  }),
  incident_id: row.attached_to ?? row.incident_id,
});

/** An alert of which only the decision is kept: a repeat, a resolve, one that was ignored. */
export const outcomeView = (row: DecidedRow) => ({
  ...{ id: row.alert_id, receipt_id: row.receipt_id, webhook_id: row.webhook_id, incident_id: row.incident_id },
  ...{ outcome: row.outcome, reason: row.reason, counted_on: row.counted_on },
  ...{ occurrence_count: row.occurrence_count, settled_at: row.settled_at.toISOString() },
  why: row.why && whyOf(row.why),
});
