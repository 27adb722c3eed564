import {
  eventIdOf,
  successorIncidentIdOf,
  type CorrelatedAlert,
  type Decision,
  type DecisionReason,
} from '@tocsin/contracts';
import * as decisions from './alert-decisions.ts';
import { newsAtOf, type AlertChange } from './alert-decisions.ts';
import { BatchJournal } from './batch-journal.ts';
import { unreachable } from './events.ts';
import { FollowUps, type DecisionOf, type Verdict } from './follow-ups.ts';
import { deadlineOf, placementOf, windowPassed } from './policy.ts';
import { RecordedAlerts } from './recorded-alerts.ts';
import { exists, isLive } from './state.ts';
import type { AlertSettled, BatchPlan, KeyHolder, KnownAlert, World } from './world.ts';

type Firing = DecisionOf<'opened' | 'deduplicated' | 'correlated' | 'rolled-up'>;

/**
 * Applies what the correlator decided to the incidents as they really are, alert by alert in log order, and gathers what is to be written.
 * The correlator decides without locks; where a person, a timer or another writer was faster, the rules of architecture §9 (last paragraphs) hold:
 * a held key is a duplicate unless its window has passed, a missing target is opened, a closed one takes older alerts as they are,
 * reopens for newer ones or hands over to its successor. No alert is dropped on this path.
 */
export class RecordAlerts {
  readonly #journal: BatchJournal;
  readonly #recorded: RecordedAlerts;
  readonly #followUps: FollowUps;
  readonly #settled = new Map<string, AlertSettled>();
  readonly #successors = new Map<string, string>();
  readonly #unopened: BatchPlan['unopened'] = [];
  readonly #newSuccessors: BatchPlan['successors'] = [];

  constructor(private readonly world: World) {
    this.#journal = new BatchJournal(world);
    this.#recorded = new RecordedAlerts(world.recorded);
    this.#followUps = new FollowUps(
      this.#journal,
      (alertId) => this.#known(alertId),
      (incidentId, alert) => this.#follow(incidentId, alert),
    );
    for (const [from, to] of world.successors) this.#successors.set(from, to);
  }

  /** What became of one alert. One that was settled before gets its first answer again. */
  record({ alert, decision, why, holdUntil }: CorrelatedAlert): AlertSettled {
    const first = this.#settled.get(alert.id) ?? this.world.settled.get(alert.id);
    if (first) return first;
    const policy = this.world.policyOf(alert.webhookId, alert.configRevision);
    const change = { alert, why, policy, ...(holdUntil !== undefined && { holdUntil }) };
    const verdict = this.#decide(change, decision);
    if ('supersedes' in decision && decision.supersedes !== undefined && verdict.incidentId !== null)
      this.#recorded.supersede(decision.supersedes, verdict.incidentId, alert.receivedAt);
    const counted = verdict.countedOn ?? (isFiring(decision) ? alert.id : null);
    const settled: AlertSettled = {
      ...{ alertId: alert.id, index: alert.index, workspaceId: alert.workspaceId, webhookId: alert.webhookId },
      ...{
        receiptId: alert.receiptId,
        incidentId: verdict.incidentId,
        outcome: verdict.outcome,
        reason: verdict.reason,
      },
      occurrenceCount: counted === null ? null : this.#occurrencesOf(counted),
      countedOn: counted,
      why: counted === alert.id && verdict.incidentId !== null ? null : (verdict.why ?? why),
      settledAt: alert.receivedAt,
    };
    this.#settled.set(alert.id, settled);
    return settled;
  }

  #decide(change: AlertChange, decision: Decision): Verdict {
    switch (decision.kind) {
      case 'opened':
      case 'deduplicated':
      case 'correlated':
      case 'rolled-up':
        return this.#fire(change, decision);
      case 'recorded':
        return this.#record(change, decision);
      case 'resolved':
        return this.#followUps.resolve(change, decision);
      case 'acknowledged':
        return this.#followUps.acknowledge(change, decision);
      case 'updated':
        return this.#followUps.update(change, decision);
      case 'ignored':
        return { incidentId: null, outcome: 'ignored', reason: change.why.reason };
      case 'skipped': // its first answer is older than what is kept
        return { incidentId: null, outcome: 'ignored', reason: 'already-processed' };
      default:
        return unreachable(decision);
    }
  }

  #occurrencesOf(alertId: string): number | null {
    return this.#journal.alert(alertId)?.occurrences ?? this.#recorded.get(alertId)?.occurrences ?? null;
  }

  /** Kept without an incident; unless its key has an incident by now, because somebody promoted it. */
  #record(change: AlertChange, decision: DecisionOf<'recorded'>): Verdict {
    const { alert } = change;
    const promoted = this.#known(decision.alertId);
    if (decision.effect === 'resolved') {
      if (!promoted) return this.#recorded.resolve(decision.alertId, alert.receivedAt);
      const { incidentId } = promoted;
      return this.#followUps.resolve(change, { kind: 'resolved', incidentId, alertIds: [promoted.id] });
    }
    const holder = this.#journal.holderOf(alert);
    const held = promoted?.status === 'open' ? promoted : holder && this.#journal.alert(holder.alertId);
    if (!held) return this.#recorded.record(change, decision);
    const { incidentId } = held;
    return this.#repeat(change, { kind: 'deduplicated', incidentId, alertId: held.id }, held, holder);
  }

  #fire(change: AlertChange, decision: Firing): Verdict {
    const { alert, policy } = change;
    const holder = this.#journal.holderOf(alert);
    const held = holder && this.#journal.alert(holder.alertId);
    if (holder && held) {
      const expected =
        decision.kind === 'deduplicated' && this.#follow(decision.incidentId, alert) === holder.incidentId;
      if (expected || !windowPassed(held, alert.receivedAt, policy))
        return this.#repeat(change, decision, held, expected ? undefined : holder);
    }
    return this.#place(change, decision, holder !== undefined);
  }

  /** A duplicate of an attached alert. `surprise`: the correlator thought of another incident. */
  #repeat(change: AlertChange, decision: Firing, held: KnownAlert, surprise?: KeyHolder): Verdict {
    const { alert } = change;
    const incident = this.#journal.incident(held.incidentId);
    if (surprise) this.#tellHolder(change, decision, surprise);
    if (alert.firingKey !== null && alert.firingKey === held.firingKey && alert.severity === held.severity) {
      this.#journal.refresh(held.id, alert.receivedAt);
      this.#arm(change, held.id);
      return { incidentId: held.incidentId, outcome: 'repeated', reason: 'same-firing', countedOn: held.id };
    }
    const reason = incident.status === 'resolved' ? 'incident-closed' : 'same-dedup-key';
    this.#journal.apply(held.incidentId, decisions.countOccurrence(change, held.id, reason, incident));
    this.#arm(change, held.id);
    const { why } = decisions.withSeverity(change, incident);
    return { incidentId: held.incidentId, outcome: 'deduplicated', reason, countedOn: held.id, why };
  }

  /** The correlator learns who holds the key, and that the incident it opened for it does not exist. */
  #tellHolder({ alert }: AlertChange, decision: Firing, holder: KeyHolder): void {
    this.#journal.noteMoved(holder);
    const { incidentId } = decision;
    if (decision.kind !== 'opened' || exists(this.#journal.incident(incidentId)) || this.#successors.has(incidentId))
      return;
    this.#succeed(incidentId, holder.incidentId, alert.workspaceId);
    this.#unopened.push({ incidentId, workspaceId: alert.workspaceId, scope: alert.scope, at: alert.receivedAt });
  }

  #place(change: AlertChange, decision: Firing, takeover: boolean): Verdict {
    const { alert, why } = change;
    // A repeat goes where the alert is that it repeats: a person may have moved it.
    const moved = decision.kind === 'deduplicated' ? this.#known(decision.alertId)?.incidentId : undefined;
    const target = this.#follow(moved ?? decision.incidentId, alert);
    const incident = this.#journal.incident(target);
    const role = decision.kind === 'deduplicated' ? 'recurrence' : 'correlated';
    const outcome = outcomeOf(decision);
    switch (placementOf(incident, newsAtOf(incident, alert), change.policy)) {
      case 'open':
        return this.#open(change, target, takeover ? 'taken-over' : openingReason(decision, why.reason), null);
      case 'join':
        this.#attach(change, target, role, why.reason);
        return { incidentId: target, outcome, reason: why.reason };
      case 'late':
        return this.#late(change, decision, target);
      case 'reopen':
        this.#journal.apply(target, decisions.reopenIncident(change));
        this.#attach(change, target, role, 'recurrence');
        return { incidentId: target, outcome: 'reopened', reason: 'recurrence' };
      case 'successor': {
        const closing = incident.status === 'resolved' ? incident.closedByVersion : incident.version;
        const successor = successorIncidentIdOf(target, eventIdOf(target, closing));
        this.#succeed(target, successor, alert.workspaceId);
        return this.#open(change, successor, 'successor', target);
      }
    }
  }

  #open(change: AlertChange, incidentId: string, reason: DecisionReason, predecessorId: string | null): Verdict {
    this.#journal.apply(incidentId, decisions.openIncident(change, reason, predecessorId));
    this.#hold(change, incidentId);
    return { incidentId, outcome: 'created', reason };
  }

  #attach(change: AlertChange, incidentId: string, role: 'correlated' | 'recurrence', reason: DecisionReason): void {
    const incident = this.#journal.incident(incidentId);
    const decided = decisions.withSeverity(change, incident);
    this.#journal.apply(incidentId, decisions.attachAlert(decided, role, reason, incident));
    this.#hold(change, incidentId);
  }

  /** The incident was closed after this alert had changed: it is taken in, and nothing reopens. */
  #late(change: AlertChange, decision: Firing, incidentId: string): Verdict {
    const known = decision.kind === 'deduplicated' ? this.#known(decision.alertId) : undefined;
    if (known?.incidentId === incidentId) return this.#repeat(change, decision, known);
    const role = decision.kind === 'deduplicated' ? 'recurrence' : 'correlated';
    this.#journal.apply(
      incidentId,
      decisions.attachAlert(change, role, 'incident-closed', this.#journal.incident(incidentId)),
    );
    return { incidentId, outcome: outcomeOf(decision), reason: 'incident-closed' };
  }

  #arm({ alert, policy }: AlertChange, alertId: string): void {
    this.#journal.arm(alertId, alert.receivedAt, deadlineOf(alert, policy));
  }

  #hold(change: AlertChange, incidentId: string): void {
    const { alert } = change;
    const { workspaceId, scope, webhookId, dedupKey, resolveKey } = alert;
    this.#journal.acquire({ workspaceId, scope, webhookId, dedupKey, resolveKey, incidentId, alertId: alert.id });
    this.#arm(change, alert.id);
  }

  /** The attached alert of this id, or the one that an alert of this id was counted on. */
  #known(alertId: string): KnownAlert | undefined {
    const countedOn = (this.#settled.get(alertId) ?? this.world.settled.get(alertId))?.countedOn;
    return this.#journal.alert(alertId) ?? (countedOn ? this.#journal.alert(countedOn) : undefined);
  }

  /** Where records for this incident go now: along the successors and merges, but not past one that was closed after the alert had changed. */
  #follow(incidentId: string, alert: AlertChange['alert']): string {
    let id = incidentId;
    for (let next = this.#successors.get(id); next !== undefined; next = this.#successors.get(id)) {
      const incident = this.#journal.incident(id);
      if (incident.status === 'resolved' && incident.mergedInto === null && newsAtOf(incident, alert) <= incident.asOf)
        return id;
      if (isLive(incident)) return id;
      id = next;
    }
    return id;
  }

  #succeed(incidentId: string, successorId: string, workspaceId: string): void {
    this.#successors.set(incidentId, successorId);
    this.#newSuccessors.push({ incidentId, successorId, workspaceId });
  }

  plan(): BatchPlan {
    const journal = this.#journal;
    const changes = journal.changes();
    const told = new Map(journal.moved);
    for (const { before, events } of changes)
      if (!told.has(before.id) && events.some((event) => STATUS_EVENTS.has(event.type))) told.set(before.id, []);
    return {
      changes,
      settled: [...this.#settled.values()],
      activity: journal.activity(),
      acquired: journal.acquired(),
      releasedAlerts: [...journal.releasedAlerts],
      releasedIncidents: [...journal.releasedIncidents],
      successors: this.#newSuccessors,
      facts: [...told].map(([incidentId, keys]) => ({
        incidentId,
        keys: isLive(journal.incident(incidentId)) ? keys.filter((key) => journal.holds(key)) : keys,
      })),
      unopened: this.#unopened,
      recorded: this.#recorded.changes(),
    };
  }
}

const STATUS_EVENTS: ReadonlySet<string> = new Set(['IncidentOpened', 'IncidentReopened', 'IncidentResolved']);
const isFiring = (decision: Decision): decision is Firing =>
  ['opened', 'deduplicated', 'correlated', 'rolled-up'].includes(decision.kind);
/** What an alert is that joins what is there: `opened` for a key that another incident has taken meanwhile joins, too. */
const outcomeOf = ({ kind }: Firing): 'deduplicated' | 'correlated' | 'rolled-up' =>
  kind === 'opened' ? 'correlated' : kind;
/** An alert whose target never came to exist opens it: above the limit for that reason still, else as any new one. */
const openingReason = ({ kind }: Firing, reason: DecisionReason): DecisionReason =>
  kind === 'opened' || kind === 'rolled-up' ? reason : 'new-alert';
