import type { Actor, DeliveryEvent, IncidentCommandRecord, SyncNoteType, Why } from '@tocsin/contracts';
import { loadEvent, tell, type AttachedAlert } from '@tocsin/domain/incident';

export interface TimelineRow {
  position: string;
  at: Date;
  entry: DeliveryEvent | SyncEntry | null;
  event_id: string | null;
  type: string | null;
  version: string | null;
  actor: Actor | null;
  cause_id: string | null;
  reason: string | null;
  schema_version: number | null;
  config_revision: string | null;
  hash: string | null;
  body: Buffer | null;
}

/** What happened between an incident and its issue in another system, and is no event of the stream. */
export interface SyncEntry extends Pick<IncidentCommandRecord, 'link' | 'external' | 'actor' | 'source_at'> {
  kind: 'sync';
  id: string;
  type: SyncNoteType;
  detail: string;
}

/** An event of the stream, or a fact that is none (a delivery). Both have the same keys. */
export function entryOf(row: TimelineRow) {
  if (row.entry) return 'link' in row.entry ? syncOf(row.entry, row.at) : deliveryOf(row.entry, row.at);
  const { at, event_id, type, version, actor, cause_id, reason, hash, body } = row;
  const data: unknown = body === null ? null : JSON.parse(body.toString('utf8'));
  return {
    ...{ kind: 'event', id: event_id, type, version: Number(version), at: at.toISOString(), actor },
    ...{ cause_id, reason, summary: summaryOf(row, data), hash, data },
  };
}

const deliveryOf = (entry: DeliveryEvent, at: Date) => {
  const actor: Actor = { kind: 'system', id: entry.subscription_id, name: entry.subscription_name };
  return {
    ...{ kind: 'delivery', id: entry.id, type: entry.type, version: null, at: at.toISOString(), actor },
    ...{ cause_id: entry.event_id, reason: entry.detail, summary: deliverySummary(entry), hash: null },
    data: entry as unknown,
  };
};

const syncOf = (entry: SyncEntry, at: Date) => ({
  ...{ kind: 'sync', id: entry.id, type: entry.type, version: null, at: at.toISOString(), actor: entry.actor },
  ...{ cause_id: entry.link.id, reason: null, summary: entry.detail, hash: null, data: entry as unknown },
});

const DELIVERED: Readonly<Record<DeliveryEvent['type'], string>> = {
  'delivery.delivered': 'was delivered to',
  'delivery.failed': 'could not be delivered to',
  'delivery.retrying': 'will be tried again at',
  'delivery.skipped': 'was not sent to',
};
const deliverySummary = ({ type, event_type, subscription_name, detail }: DeliveryEvent): string =>
  `${event_type} ${DELIVERED[type]} “${subscription_name}”${type === 'delivery.delivered' || detail === null ? '' : `: ${detail}`}.`;

/** One plain sentence. What was erased, or was written by a newer release, is named only. */
function summaryOf({ at, type, actor, cause_id, reason, schema_version, config_revision }: TimelineRow, data: unknown) {
  if (type === null || actor === null || cause_id === null || !isObject(data)) return `${type ?? 'An event'}.`;
  const envelope = { type, schemaVersion: schema_version ?? 1, at: at.toISOString(), actor, causeId: cause_id, reason };
  try {
    return tell(loadEvent({ ...envelope, configRevision: Number(config_revision), data }));
  } catch {
    return `${type}.`; // parts of it were erased
  }
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

export interface AlertRow {
  position: string;
  status: 'open' | 'resolved';
  role: string;
  occurrences: number;
  resolved_at: Date | null;
  alert: AttachedAlert;
  last_seen_at: Date | null;
  ends_at: Date | null;
  ends_because: string | null;
  outcome: string | null;
  reason: string | null;
}

export const whyOf = ({ reason, tried, configRevision }: Why) => ({ reason, tried, config_revision: configRevision });

/** An alert of an incident with its decision. */
export function alertOf(row: AlertRow) {
  const { status, role, occurrences, resolved_at, alert, last_seen_at, ends_at, ends_because, outcome, reason } = row;
  const { why, status: _stored, role: _role, ...facts } = alert;
  const ending = status === 'open' ? ends_at : null;
  return {
    ...facts,
    ...{ status, role, occurrence_count: occurrences, last_seen_at: last_seen_at?.toISOString() ?? null },
    ...{ ends_at: ending?.toISOString() ?? null, ends_because: ending && ends_because },
    ...{ resolved_at: resolved_at?.toISOString() ?? null, outcome, reason, why: whyOf(why) },
  };
}
