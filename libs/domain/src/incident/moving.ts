import { isWorse, type Severity } from '@tocsin/contracts';
import { chunks } from './coalesce.ts';
import { event, type EventContext } from './event.ts';
import { EVENT_ALERTS_MAX, type AlertRole, type AttachedAlert, type IncidentEvent } from './events.ts';

/** An alert of an incident as it is now. */
export interface MovableAlert {
  alert: AttachedAlert;
  role: AlertRole;
  status: 'open' | 'resolved';
  occurrences: number;
  resolvedAt: string | null;
  lastSeenAt: string;
}

/** Where alerts go from and to, and what a person said of it. */
export interface Move {
  incidentId: string;
  note: string | null;
}

/** Told by the incident that they leave. */
export const leaving = (
  alerts: readonly MovableAlert[],
  { incidentId: incident_id, note }: Move,
  context: EventContext,
): IncidentEvent[] =>
  [...chunks(alerts, EVENT_ALERTS_MAX)].map((part) =>
    event(context, 'AlertsMoved', {
      ...{ direction: 'out' as const, incident_id, note },
      alerts: part.map(({ alert, role, status, occurrences }) => ({ alert_id: alert.id, role, status, occurrences })),
    }),
  );

/** Told by the incident that they come to: complete, so that its stream alone says what it holds. The first may open it. */
export const arriving = (
  alerts: readonly MovableAlert[],
  { incidentId: incident_id, note, opens }: Move & { opens: boolean },
  context: EventContext,
): IncidentEvent[] => {
  const roleOf = (one: MovableAlert): AlertRole => (opens && one === alerts[0] ? 'opening' : 'correlated');
  return [...chunks(alerts, EVENT_ALERTS_MAX)].map((part) =>
    event(context, 'AlertsMoved', {
      ...{ direction: 'in' as const, incident_id, note },
      alerts: part.map((one) => ({
        alert: { ...one.alert, role: roleOf(one), status: one.status },
        ...{ occurrences: one.occurrences, resolved_at: one.resolvedAt, last_seen_at: one.lastSeenAt },
      })),
    }),
  );
};

/** What is worse in what comes raises the incident: nobody should have to look for it. */
export function raised(current: Severity, others: readonly Severity[], context: EventContext): IncidentEvent[] {
  const to = others.reduce((worst, other) => (isWorse(other, worst) ? other : worst), current);
  if (to === current) return [];
  return [event(context, 'SeverityChanged', { from: current, to, policy: 'highest', alert_id: null })];
}
