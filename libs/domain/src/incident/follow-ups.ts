import type { Decision, DecisionReason, NormalizedAlert, Outcome, Why } from '@tocsin/contracts';
import * as decisions from './alert-decisions.ts';
import type { AlertChange } from './alert-decisions.ts';
import type { BatchJournal } from './batch-journal.ts';
import { deadlineOf } from './policy.ts';
import { exists, isLive } from './state.ts';
import type { KnownAlert } from './world.ts';

export type DecisionOf<Kind extends Decision['kind']> = Extract<Decision, { kind: Kind }>;

/** What became of one alert. */
export interface Verdict {
  incidentId: string | null;
  outcome: Outcome;
  reason: DecisionReason;
  countedOn?: string;
  /** Where more was decided here than the correlator knew. */
  why?: Why;
}

/** What a source says later about alerts that it sent: applied to the incidents that hold them now. */
export class FollowUps {
  constructor(
    private readonly journal: BatchJournal,
    private readonly known: (alertId: string) => KnownAlert | undefined,
    private readonly follow: (incidentId: string, alert: NormalizedAlert) => string,
  ) {}

  resolve(change: AlertChange, decision: DecisionOf<'resolved'>): Verdict {
    const named = decision.alertIds.map((id) => this.known(id)).filter((alert) => alert !== undefined);
    const byIncident = Map.groupBy(
      new Set(named.filter((alert) => alert.status === 'open')),
      (alert) => alert.incidentId,
    );
    let reason: DecisionReason = 'alert-resolved';
    let last: string | null = null;
    let alertId: string | undefined;
    for (const [incidentId, alerts] of byIncident) {
      const incident = this.journal.incident(incidentId);
      if (!exists(incident)) continue;
      this.journal.apply(
        incidentId,
        decisions.resolveAlerts(
          change,
          alerts.map(({ id }) => id),
          incident,
        ),
      );
      const after = this.journal.incident(incidentId);
      if (isLive(after)) reason = after.openAlerts > 0 ? 'other-alerts-open' : 'alert-resolved';
      else reason = 'all-alerts-resolved';
      [last, alertId] = [incidentId, alerts[0]?.id];
    }
    if (last !== null && alertId !== undefined)
      return { incidentId: last, outcome: 'resolved', reason, countedOn: alertId };
    const target = named[0]?.incidentId ?? this.follow(decision.incidentId, change.alert);
    const incident = this.journal.incident(target);
    const closed = incident.status === 'resolved';
    return {
      incidentId: exists(incident) ? target : null,
      outcome: 'ignored',
      reason: closed ? 'incident-closed' : 'no-open-alert',
    };
  }

  acknowledge(change: AlertChange, decision: DecisionOf<'acknowledged'>): Verdict {
    const incidentId = this.known(decision.alertId)?.incidentId ?? this.follow(decision.incidentId, change.alert);
    const incident = this.journal.incident(incidentId);
    const events = decisions.acknowledgeFromSource(change, incident);
    this.journal.apply(incidentId, events);
    if (events.length > 0) return { incidentId, outcome: 'acknowledged', reason: 'source-acknowledged' };
    if (!exists(incident)) return { incidentId: null, outcome: 'ignored', reason: 'no-open-alert' };
    return { incidentId, outcome: 'ignored', reason: isLive(incident) ? 'already-acknowledged' : 'incident-closed' };
  }

  update(change: AlertChange, decision: DecisionOf<'updated'>): Verdict {
    const known = this.known(decision.alertId);
    const incidentId = known?.incidentId ?? this.follow(decision.incidentId, change.alert);
    const incident = this.journal.incident(incidentId);
    if (!exists(incident)) return { incidentId: null, outcome: 'ignored', reason: 'no-open-alert' };
    if (!isLive(incident)) return { incidentId, outcome: 'ignored', reason: 'incident-closed' };
    const { why, policy, alert } = decisions.withSeverity(change, incident);
    this.journal.apply(incidentId, decisions.updateFromSource(change, known?.id === incident.openingAlertId, incident));
    if (!known) return { incidentId, outcome: 'updated', reason: 'source-updated', why };
    this.journal.arm(known.id, alert.receivedAt, deadlineOf(alert, policy));
    return { incidentId, outcome: 'updated', reason: 'source-updated', countedOn: known.id, why };
  }
}
