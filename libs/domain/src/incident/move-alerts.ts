import { isWorse, type LifecycleReason, type Severity } from '@tocsin/contracts';
import { wrongState, type Rejection } from './decide.ts';
import { declareIncident } from './declare.ts';
import type { EventContext } from './event.ts';
import { arriving, leaving, raised, type MovableAlert } from './moving.ts';
import { isLive, type ExistingIncident, type NoIncident } from './state.ts';
import type { IncidentChange } from './world.ts';

/** Some alerts of an incident that belong elsewhere. */
export interface MoveAlerts {
  source: ExistingIncident;
  alerts: readonly MovableAlert[];
  /** None yet: a new incident is opened for them. */
  target: ExistingIncident | NoIncident;
  /** Of a new incident, where a person names them. */
  title: string | undefined;
  severity: Severity | undefined;
  note: string | null;
}

const REASON: LifecycleReason = 'alerts-moved';

/** Takes alerts, with all that was counted on them, to another incident. The one they leave stays as it is otherwise. */
export function moveAlerts(move: MoveAlerts, context: EventContext): IncidentChange[] | Rejection {
  const { source, alerts, target, note } = move;
  const because = { ...context, reason: REASON };
  if (target.status !== 'none') {
    if (!isLive(target)) return wrongState(target);
    if (target.scope !== source.scope) return { rejected: 'other-scope', incidentId: target.id };
  }
  const away: IncidentChange = { before: source, events: leaving(alerts, { incidentId: target.id, note }, because) };
  const opens = target.status === 'none';
  const arrived = arriving(alerts, { incidentId: source.id, note, opens }, because);
  if (target.status === 'none') return [away, { before: target, events: [openFor(move, because), ...arrived] }];
  const open = alerts.flatMap(({ status, alert }) => (status === 'open' ? [alert.severity] : []));
  return [away, { before: target, events: [...arrived, ...raised(target.severity, open, because)] }];
}

/** The new incident is named after the first alert, and as severe as the worst. */
function openFor({ source, alerts, title, severity }: MoveAlerts, context: EventContext) {
  const first = alerts[0]?.alert;
  const worst = alerts.reduce<Severity>(
    (found, { alert }) => (isWorse(alert.severity, found) ? alert.severity : found),
    first?.severity ?? source.severity,
  );
  return declareIncident(
    {
      ...{ workspace_id: source.workspaceId, scope: source.scope, title: title ?? first?.title ?? source.title },
      ...{ description: '', severity: severity ?? worst, priority: null, services: [], tags: [] },
      ...{ source: first?.source ?? null, connector: first?.connector ?? null, webhook_id: first?.webhook_id ?? null },
      ...{ url: first?.url ?? null, incident_type: null, custom_fields: {}, assignee: null },
    },
    context,
  );
}
