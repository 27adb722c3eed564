import type { Actor, AlertAnswer, Decision, IncidentFact, NormalizedAlert, Why } from '@tocsin/contracts';
import { correlate, learn, WorkingSet, type CorrelationConfig } from '../correlation/index.ts';
import type { AlertPolicy } from '../incident/index.ts';
import { MemoryIncidents } from './memory-incidents.ts';

/** What decides about a webhook's alerts, in both stages. */
export interface ReplayConfiguration {
  correlation: CorrelationConfig;
  policy: AlertPolicy;
}
export type ConfigurationOf = (webhookId: string) => ReplayConfiguration;

/** One alert with what was decided about it. */
export interface Replayed {
  alert: NormalizedAlert;
  decision: Decision;
  why: Why;
  incidentId: string | null;
  outcome: AlertAnswer['outcome'];
}

/** What a person did to an incident, which is named by the alert that opened it. */
export type ReplayedCommand = { openingAlertId: string; at: string; actor: Actor } & (
  | { kind: 'resolve' | 'reopen' }
  /** Merged into the incident that this alert opened. */
  | { kind: 'merge'; intoOpeningAlertId: string }
);

/**
 * Alerts and people's commands through the correlator and the incident-store in memory, in the order in which they are given. What the
 * one tells the other arrives at once, so the same inputs always give the same incidents. Pure but for its own state.
 */
export class Simulation {
  readonly replayed = new Map<string, Replayed>();
  readonly incidents: MemoryIncidents;
  private readonly state = new WorkingSet();

  constructor(private readonly configurationOf: ConfigurationOf) {
    this.incidents = new MemoryIncidents((webhookId) => configurationOf(webhookId).policy);
  }

  /** An alert that was seen before changes nothing. */
  alert(alert: NormalizedAlert): void {
    if (this.replayed.has(alert.id)) return;
    this.hear(this.incidents.endDue(alert.receivedAt));
    const { decision, why, changes } = correlate(this.state, alert, this.configurationOf(alert.webhookId).correlation);
    this.state.apply(changes);
    this.state.forgetChanges();
    const { answers, facts } = this.incidents.record([{ alert, decision, why }]);
    this.hear(facts);
    const [answer] = answers;
    if (!answer) throw new Error(`no answer to ${alert.id}`);
    this.replayed.set(alert.id, { alert, decision, why, incidentId: answer.incidentId, outcome: answer.outcome });
  }

  /** A command about an incident that is not there, or that does not fit its state, changes nothing. */
  command(said: ReplayedCommand): void {
    const incidentId = this.openedBy(said.openingAlertId);
    if (incidentId === null) return;
    const { kind, at, actor } = said;
    this.hear(this.incidents.endDue(at));
    if (kind !== 'merge')
      return this.hear(this.incidents.command(incidentId, { command: { kind, note: null }, at, actor }));
    const survivor = this.openedBy(said.intoOpeningAlertId);
    if (survivor !== null) this.hear(this.incidents.merge(incidentId, survivor, { at, actor }));
  }

  private openedBy = (alertId: string): string | null => this.replayed.get(alertId)?.incidentId ?? null;

  private hear(facts: readonly IncidentFact[]): void {
    for (const fact of facts) this.state.apply(learn(this.state, fact));
  }
}
