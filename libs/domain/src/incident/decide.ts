import type { Actor, IncidentStatus, RcaEvent } from '@tocsin/contracts';
import { unreachable, type IncidentEvent } from './events.ts';
import { exists, type ExistingIncident, type Incident } from './state.ts';

/** Commands of people and of other services. Alerts have their own decision: `alert-decisions.ts`. */
export type IncidentCommand =
  | { kind: 'acknowledge'; note: string | null }
  | { kind: 'resolve'; note: string | null }
  | { kind: 'comment'; text: string }
  | { kind: 'note-rca'; rca: RcaEvent };

export interface CommandContext {
  at: string;
  actor: Actor;
  causeId: string;
  configRevision: number;
  /** `If-Match`: the version that the caller has seen. */
  expectedVersion?: number;
}

/** An expected refusal, told to the caller as it is. */
export type Rejection =
  | { rejected: 'no-such-incident' }
  | { rejected: 'wrong-state'; status: IncidentStatus; version: number }
  | { rejected: 'version-mismatch'; expected: number; version: number };

export const isRejection = (decided: IncidentEvent[] | Rejection): decided is Rejection => 'rejected' in decided;

/** What a command does to an incident: its events, or why it is refused. Pure and total. */
export function decide(
  command: IncidentCommand,
  incident: Incident,
  context: CommandContext,
): IncidentEvent[] | Rejection {
  if (!exists(incident)) return { rejected: 'no-such-incident' };
  const { expectedVersion } = context;
  if (expectedVersion !== undefined && expectedVersion !== incident.version)
    return { rejected: 'version-mismatch', expected: expectedVersion, version: incident.version };
  switch (command.kind) {
    case 'acknowledge':
      return incident.status === 'open'
        ? [event(context, 'IncidentAcknowledged', { note: command.note, alert_id: null })]
        : wrongState(incident);
    case 'resolve':
      return incident.status === 'resolved' ? wrongState(incident) : [resolvedBy(command.note, incident, context)];
    case 'comment':
      return [event(context, 'CommentAdded', { text: command.text })];
    case 'note-rca':
      return noteRca(command.rca, context);
    default:
      return unreachable(command);
  }
}

const wrongState = ({ status, version }: ExistingIncident): Rejection => ({ rejected: 'wrong-state', status, version });

const resolvedBy = (note: string | null, incident: ExistingIncident, context: CommandContext): IncidentEvent =>
  event(context, 'IncidentResolved', { note, alert_id: null, as_of: context.at, open_alerts: incident.openAlerts });

/** A request is no result: only what an investigation found, or that it failed, belongs on the stream. */
function noteRca(rca: RcaEvent, context: CommandContext): IncidentEvent[] {
  if (rca.type === 'rca.requested') return [];
  const { rca_id, investigator, summary, hypotheses } = rca;
  const outcome = rca.type === 'rca.completed' ? 'completed' : 'failed';
  return [
    event({ ...context, reason: rca.reason }, 'RcaNoted', { rca_id, outcome, investigator, summary, hypotheses }),
  ];
}

type DataOf<Type extends IncidentEvent['type']> = Extract<IncidentEvent, { type: Type }>['data'];

/** One event of the newest schema version. */
export function event<Type extends IncidentEvent['type']>(
  context: Omit<CommandContext, 'expectedVersion'> & { reason?: string | null },
  type: Type,
  data: DataOf<Type>,
): Extract<IncidentEvent, { type: Type }> {
  const { at, actor, causeId, configRevision, reason = null } = context;
  return { type, schemaVersion: 1, at, actor, causeId, reason, configRevision, data } as Extract<
    IncidentEvent,
    { type: Type }
  >;
}
