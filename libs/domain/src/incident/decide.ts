import type { ExternalLink, IncidentStatus, RcaEvent } from '@tocsin/contracts';
import { editIncident, type EditIncident } from './edit.ts';
import { endAlerts, type EndAlerts } from './end-alerts.ts';
import { event, type CommandContext } from './event.ts';
import { unreachable, type IncidentEvent } from './events.ts';
import { exists, isLive, type ExistingIncident, type Incident } from './state.ts';

/** Commands of people and of other services. Alerts have their own decision: `alert-decisions.ts`. */
export type IncidentCommand =
  | { kind: 'acknowledge'; note: string | null }
  | { kind: 'resolve'; note: string | null }
  | { kind: 'reopen'; note: string | null }
  | { kind: 'snooze'; until: string; note: string | null }
  | { kind: 'unsnooze'; note: string | null }
  /** Said by a timer: it belongs to the snooze of that version. */
  | { kind: 'end-snooze'; snoozedByVersion: number }
  | EndAlerts
  | { kind: 'suppress'; note: string | null }
  | { kind: 'assign'; assignee: string | null }
  | EditIncident
  | { kind: 'comment'; text: string }
  /** A record of it is in another system. */
  | { kind: 'link'; link: ExternalLink }
  | { kind: 'note-rca'; rca: RcaEvent };

/** An expected refusal, told to the caller as it is. */
export type Rejection =
  /** The time to which it should be put aside is not in the future, or too far in it. */
  | { rejected: 'bad-time'; message: string }
  /** A timer whose snooze is over, or was replaced. */
  | { rejected: 'stale-timer' }
  | { rejected: 'no-such-incident' }
  /** `incidentId` and `mergedInto` are those of the incident that is in the way. */
  | { rejected: 'wrong-state'; incidentId: string; status: IncidentStatus; version: number; mergedInto: string | null }
  /** The target of a merge is, or went into, one that is to be merged. */
  | { rejected: 'merge-cycle'; incidentId: string }
  /** Incidents of different scopes never share keys. */
  | { rejected: 'other-scope'; incidentId: string }
  | { rejected: 'version-mismatch'; expected: number; version: number };

export const isRejection = <Decided extends object>(decided: Decided | Rejection): decided is Rejection =>
  'rejected' in decided;

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
      return isLive(incident) && incident.status !== 'acknowledged'
        ? [event(context, 'IncidentAcknowledged', { note: command.note, alert_id: null })]
        : wrongState(incident);
    case 'resolve':
      return incident.status === 'resolved' ? wrongState(incident) : [resolvedBy(command.note, incident, context)];
    case 'reopen':
      return incident.status === 'open' || incident.mergedInto !== null
        ? wrongState(incident)
        : [event(context, 'IncidentReopened', { note: command.note, alert_id: null })];
    case 'snooze':
      return snooze(command, incident, context);
    case 'unsnooze':
      return incident.status === 'snoozed'
        ? [event(context, 'SnoozeEnded', { by_timer: false, note: command.note })]
        : wrongState(incident);
    case 'end-snooze':
      return incident.status === 'snoozed' && incident.snoozedByVersion === command.snoozedByVersion
        ? [event(context, 'SnoozeEnded', { by_timer: true, note: null })]
        : { rejected: 'stale-timer' };
    case 'end-alerts':
      return endAlerts(command, incident, context);
    case 'suppress':
      return isLive(incident) && incident.status !== 'suppressed'
        ? [event(context, 'IncidentSuppressed', { note: command.note })]
        : wrongState(incident);
    case 'assign':
      return command.assignee === incident.assignee
        ? []
        : [event(context, 'IncidentAssigned', { assignee: command.assignee, before: incident.assignee })];
    case 'edit':
      return editIncident(command, incident, context);
    case 'comment':
      return [event(context, 'CommentAdded', { text: command.text })];
    case 'link':
      return linked(command.link, incident, context);
    case 'note-rca':
      return noteRca(command.rca, context);
    default:
      return unreachable(command);
  }
}

/** The incident is not in a state for this. */
export const wrongState = ({ id: incidentId, status, version, mergedInto }: ExistingIncident): Rejection => ({
  ...{ rejected: 'wrong-state', incidentId, status, version, mergedInto },
});

const resolvedBy = (note: string | null, incident: ExistingIncident, context: CommandContext): IncidentEvent =>
  event(context, 'IncidentResolved', { note, alert_id: null, as_of: context.at, open_alerts: incident.openAlerts });

/** Longer ones are a suppression that nobody remembers. */
export const SNOOZE_MAX_MS = 90 * 24 * 3_600_000;

function snooze(
  { until, note }: Extract<IncidentCommand, { kind: 'snooze' }>,
  incident: ExistingIncident,
  context: CommandContext,
): IncidentEvent[] | Rejection {
  if (!isLive(incident)) return wrongState(incident);
  const ahead = Date.parse(until) - Date.parse(context.at);
  if (!(ahead > 0)) return { rejected: 'bad-time', message: 'must be in the future' };
  if (ahead > SNOOZE_MAX_MS) return { rejected: 'bad-time', message: 'must be within 90 days' };
  return [event(context, 'IncidentSnoozed', { until, note })];
}

/** More records than that of one incident are of no use to anybody, and each travels with every event. */
export const EXTERNAL_LINKS_MAX = 50;

/** The same record is linked once. */
const linked = ({ system, id, url }: ExternalLink, { externalLinks }: ExistingIncident, context: CommandContext) =>
  externalLinks.length >= EXTERNAL_LINKS_MAX || externalLinks.some((one) => one.system === system && one.id === id)
    ? []
    : [event(context, 'ExternalLinkAdded', { system, id, url })];

/** A request is no result: only what an investigation found, or that it failed, belongs on the stream. */
function noteRca(rca: RcaEvent, context: CommandContext): IncidentEvent[] {
  if (rca.type === 'rca.requested') return [];
  const { rca_id, investigator, summary, hypotheses } = rca;
  const outcome = rca.type === 'rca.completed' ? 'completed' : 'failed';
  return [
    event({ ...context, reason: rca.reason }, 'RcaNoted', { rca_id, outcome, investigator, summary, hypotheses }),
  ];
}
