import type { Actor, DeliveryEvent, Why } from '@tocsin/contracts';
import type { AttachedAlert } from '@tocsin/domain/incident';

export interface TimelineRow {
  position: string;
  at: Date;
  entry: DeliveryEvent | null;
  event_id: string | null;
  type: string | null;
  version: string | null;
  actor: Actor | null;
  cause_id: string | null;
  reason: string | null;
  hash: string | null;
  body: Buffer | null;
}

/** An event of the stream, or a fact that is none (a delivery). Both have the same keys. */
export function entryOf({ at, entry, event_id, type, version, actor, cause_id, reason, hash, body }: TimelineRow) {
  if (entry) {
    const system: Actor = { kind: 'system', id: entry.subscription_id, name: entry.subscription_name };
    return {
      ...{ kind: 'delivery', id: entry.id, type: entry.type, version: null, at: at.toISOString(), actor: system },
      ...{ cause_id: entry.event_id, reason: entry.detail, hash: null, data: entry as unknown },
    };
  }
  const data: unknown = body === null ? null : JSON.parse(body.toString('utf8'));
  return {
    kind: 'event',
    id: event_id,
    type,
    version: Number(version),
    at: at.toISOString(),
    actor,
    cause_id,
    reason,
    hash,
    data,
  };
}

export interface AlertRow {
  position: string;
  status: 'open' | 'resolved';
  role: string;
  occurrences: number;
  resolved_at: Date | null;
  alert: AttachedAlert;
  last_seen_at: Date | null;
  outcome: string | null;
  reason: string | null;
}

export const whyOf = ({ reason, tried, configRevision }: Why) => ({ reason, tried, config_revision: configRevision });

/** An alert of an incident with its decision. */
export function alertOf({ status, role, occurrences, resolved_at, alert, last_seen_at, outcome, reason }: AlertRow) {
  const { why, status: _stored, role: _role, ...facts } = alert;
  return {
    ...facts,
    ...{ status, role, occurrence_count: occurrences, last_seen_at: last_seen_at?.toISOString() ?? null },
    ...{ resolved_at: resolved_at?.toISOString() ?? null, outcome, reason, why: whyOf(why) },
  };
}
