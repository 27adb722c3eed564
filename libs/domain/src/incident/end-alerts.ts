import { chunks } from './coalesce.ts';
import { event, type CommandContext } from './event.ts';
import { EVENT_ALERTS_MAX, type IncidentEvent } from './events.ts';
import { closesIncident, type Deadline, type ResolvePolicy } from './policy.ts';
import { isLive, type ExistingIncident } from './state.ts';

/** An open alert that is past its deadline. */
export interface OverdueAlert {
  alertId: string;
  deadline: Deadline;
}

/** Said by a timer: these alerts, read under the lock, were not heard of until their deadlines. */
export interface EndAlerts {
  kind: 'end-alerts';
  overdue: OverdueAlert[];
  /** Of the webhook whose alert ended last. */
  resolvePolicy: ResolvePolicy;
}

const REASONS: readonly Deadline['reason'][] = ['end-passed', 'quiet'];

/** Ends alerts as their source would have done, and the incident with them as its policy says. A timer that came too late ends nothing. */
export function endAlerts(
  { overdue, resolvePolicy }: EndAlerts,
  incident: ExistingIncident,
  context: CommandContext,
): IncidentEvent[] | { rejected: 'stale-timer' } {
  const last = overdue.reduce<OverdueAlert | undefined>(
    (latest, one) => (latest && latest.deadline.at >= one.deadline.at ? latest : one),
    undefined,
  );
  if (!last || !isLive(incident)) return { rejected: 'stale-timer' };
  const events = REASONS.flatMap((reason) => alertsResolved(overdue, reason, context));
  const left = Math.max(0, incident.openAlerts - overdue.length);
  const { at: as_of, reason } = last.deadline;
  // Whoever asks for an end after a quiet time wants one, though the source's own word never closes.
  const policy = reason === 'quiet' && resolvePolicy === 'never' ? 'all' : resolvePolicy;
  if (!closesIncident(policy, left)) return events;
  const data = { note: null, alert_id: last.alertId, as_of, open_alerts: left };
  return [...events, event({ ...context, reason }, 'IncidentResolved', data)];
}

function alertsResolved(
  overdue: readonly OverdueAlert[],
  reason: Deadline['reason'],
  context: CommandContext,
): IncidentEvent[] {
  const those = overdue.filter(({ deadline }) => deadline.reason === reason);
  return [...chunks(those, EVENT_ALERTS_MAX)].map((part) =>
    event({ ...context, reason }, 'AlertsResolved', {
      // Nobody else ended it, so it names itself.
      alerts: part.map(({ alertId, deadline }) => ({
        ...{ alert_id: alertId, resolved_at: deadline.at, by_alert_id: alertId },
      })),
    }),
  );
}
