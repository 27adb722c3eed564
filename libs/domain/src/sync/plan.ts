import type {
  IncidentEventRecord,
  IncidentStatus,
  SyncFieldOut,
  SyncLinkDocument,
  SyncedIncident,
} from '@tocsin/contracts';
import { isIncidentEventType, loadEvent, tell, type IncidentEventType } from '../incident/index.ts';
import { cameOver } from './echo.ts';
import { mapsOf, statusFor } from './maps.ts';

/** One thing to do on the other side; ops of one incident are done in order. */
export type SyncOp =
  /** `adopt`: the incident was opened by the platform itself, for the issue with this key. */
  | { kind: 'create'; incident: SyncedIncident; adopt: string | null }
  | { kind: 'comment'; text: string; internal: boolean }
  | { kind: 'status'; status: IncidentStatus }
  | { kind: 'fields'; fields: SyncFieldOut[]; incident: SyncedIncident };

export interface PlannedOp {
  eventId: string;
  /** When it was done here. */
  at: string;
  op: SyncOp;
}

/** Events that a work note tells in a sentence. */
const NOTED: ReadonlySet<IncidentEventType> = new Set<IncidentEventType>([
  ...(['SeverityChanged', 'IncidentAcknowledged', 'IncidentResolved', 'IncidentReopened', 'IncidentAssigned'] as const),
  ...(['IncidentSnoozed', 'SnoozeEnded', 'IncidentSuppressed', 'IncidentsMerged', 'AlertsMoved', 'RcaNoted'] as const),
]);

/**
 * What an event of an incident means for the other side. Nothing, where it came from there: that is the first half of the echo guard.
 * Where several parts follow, they keep this order.
 */
export function opsOf(record: IncidentEventRecord, link: SyncLinkDocument): PlannedOp[] {
  const { event, incident } = record;
  const { body } = link;
  if (!body.active || body.direction === 'in' || cameOver(link.id, event.cause_id)) return [];
  if (!isIncidentEventType(event.type)) return []; // of a newer release
  const ops = isBeginning(event.type) ? [creation(record, link)] : changes(record, link);
  return ops.map((op) => ({ eventId: event.id, at: event.at, op: forget(op, incident) }));
}

const isBeginning = (type: string): boolean => type === 'IncidentOpened' || type === 'IncidentDeclared';

function creation({ event, incident }: IncidentEventRecord, { body }: SyncLinkDocument): SyncOp {
  const alert = event.data['alert'] as { dedup_key?: string } | undefined;
  const own = body.webhookId !== null && incident.webhook_id === body.webhookId;
  return { kind: 'create', incident, adopt: own ? (alert?.dedup_key ?? null) : null };
}

function changes(record: IncidentEventRecord, { body }: SyncLinkDocument): SyncOp[] {
  const { event, incident, changed } = record;
  const ops: SyncOp[] = [];
  const fields = mapsOf(body, 'out')
    .map(({ field }) => field)
    .filter((field) => changed.includes(field));
  if (fields.length > 0) ops.push({ kind: 'fields', fields: [...new Set(fields)], incident });
  if (event.type === 'CommentAdded') {
    const internal = !body.comments;
    if (body.comments || body.workNotes) ops.push({ kind: 'comment', text: spoken(record), internal });
  } else if (body.workNotes && NOTED.has(event.type as IncidentEventType))
    ops.push({ kind: 'comment', text: spoken(record), internal: true });
  if (body.status && changed.includes('status') && statusFor(body, incident.status) !== undefined)
    ops.push({ kind: 'status', status: incident.status });
  return ops;
}

/** Only what a later write needs travels with it. */
const forget = (op: SyncOp, incident: SyncedIncident): SyncOp =>
  op.kind === 'create' || op.kind === 'fields' ? { ...op, incident: { ...incident, custom_fields: {} } } : op;

/**
 * Text of a comment: what was said and by whom, and the id of its event, by which a comment is found again that was written just before
 * its writer ended.
 */
function spoken({ event }: IncidentEventRecord): string {
  const by = event.actor.name ?? event.actor.id ?? 'Tocsin';
  if (event.type === 'CommentAdded') return signed(textIn(event.data), by, event.id);
  const { type, schema_version, at, actor, cause_id, reason, config_revision, data } = event;
  const stored = { type, at, actor, reason, data, schemaVersion: schema_version, causeId: cause_id };
  return signed(tell(loadEvent({ ...stored, configRevision: config_revision })), by, event.id);
}

const textIn = ({ text }: Record<string, unknown>): string => (typeof text === 'string' ? text : '');
const signed = (text: string, by: string, eventId: string): string => `${text}\n\n${by}, Tocsin (${eventId})`;
