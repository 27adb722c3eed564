import type { AlertChange } from './alert-decisions.ts';
import type { DecisionOf, Verdict } from './follow-ups.ts';
import type { RecordedAlert } from './world.ts';

const MUTED = { silence: 'silenced', 'maintenance-window': 'maintenance' } as const;

/** Alerts without an incident while a batch is being decided: what was loaded, and on top what the batch did to them. */
export class RecordedAlerts {
  readonly #alerts: Map<string, RecordedAlert>;
  readonly #changed = new Set<string>();

  constructor(known: ReadonlyMap<string, RecordedAlert> = new Map()) {
    this.#alerts = new Map(known);
  }

  get(alertId: string): RecordedAlert | undefined {
    return this.#alerts.get(alertId);
  }

  /** A new one, or a repeat. What it repeats may be unknown (a dead letter), or have had an incident that is closed: then it is new. */
  record({ alert, why }: AlertChange, decision: DecisionOf<'recorded'>): Verdict {
    const { receivedAt: lastSeenAt } = alert;
    const { mutedBy } = decision;
    const kept = mutedBy ? 'suppressed' : 'recorded';
    const before = decision.effect === 'repeated' ? this.#alerts.get(decision.alertId) : undefined;
    if (before?.status !== 'recorded' && before?.status !== 'resolved') {
      this.#set({ alert, why, status: 'recorded', incidentId: null, occurrences: 1, lastSeenAt, endedAt: null });
      return { incidentId: null, outcome: kept, reason: mutedBy ? MUTED[mutedBy] : 'open-when', countedOn: alert.id };
    }
    const counted = why.reason === 'same-firing' ? 0 : 1;
    const seen = before.lastSeenAt < lastSeenAt ? lastSeenAt : before.lastSeenAt;
    const occurrences = before.occurrences + counted;
    this.#set({ ...before, status: 'recorded', incidentId: null, occurrences, lastSeenAt: seen, endedAt: null });
    const outcome = counted === 0 ? 'repeated' : kept;
    return { incidentId: null, outcome, reason: why.reason, countedOn: before.alert.id };
  }

  resolve(alertId: string, at: string): Verdict {
    const before = this.#alerts.get(alertId);
    if (before?.status !== 'recorded') return { incidentId: null, outcome: 'ignored', reason: 'no-open-alert' };
    this.#set({ ...before, status: 'resolved', endedAt: at });
    return { incidentId: null, outcome: 'resolved', reason: 'alert-resolved', countedOn: alertId };
  }

  /** A later alert of its key has an incident: it holds the key no more. */
  supersede(alertId: string, incidentId: string, at: string): void {
    const before = this.#alerts.get(alertId);
    if (before?.status === 'recorded') this.#set({ ...before, status: 'taken-over', incidentId, endedAt: at });
  }

  changes(): RecordedAlert[] {
    return [...this.#changed].flatMap((id) => this.#alerts.get(id) ?? []);
  }

  #set(recorded: RecordedAlert): void {
    this.#alerts.set(recorded.alert.id, recorded);
    this.#changed.add(recorded.alert.id);
  }
}
