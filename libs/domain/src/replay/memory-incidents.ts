import type { Actor, CorrelatedAlert, IncidentFact } from '@tocsin/contracts';
import {
  decide,
  endAlerts,
  exists,
  factAbout,
  factOfNeverOpened,
  fold,
  initialState,
  isLive,
  isRejection,
  projectAlerts,
  RecordAlerts,
  type AlertSettled,
  type BatchPlan,
  type ExistingIncident,
  type Incident,
  type IncidentCommand,
  type IncidentEvent,
  type KeyHolder,
  type KnownAlert,
  type RecordedAlert,
  type World,
} from '../incident/index.ts';
import { Deadlines } from './deadlines.ts';

/** What a batch of correlated alerts, or a person's command, did. */
export interface Settled {
  answers: AlertSettled[];
  /** What the correlator hears of it. */
  facts: IncidentFact[];
}

/** A person's command, as a replay repeats it. */
export interface PersonCommand {
  command: Extract<IncidentCommand, { kind: 'resolve' | 'reopen' }>;
  at: string;
  actor: Actor;
}

const FIRING: ReadonlySet<string> = new Set(['opened', 'deduplicated', 'correlated', 'rolled-up', 'recorded']);
const SYSTEM: Actor = { kind: 'system', id: 'replay', name: null };
const keyText = (key: Pick<KeyHolder, 'scope' | 'webhookId' | 'dedupKey'>): string =>
  JSON.stringify([key.scope, key.webhookId, key.dedupKey]);

/**
 * The incidents of a replay: the decisions of the incident-store over plain maps instead of its tables. What a batch looks at
 * is picked out as that service does it, so that a batch costs what it touches. Nothing is kept of texts that nobody asks for.
 */
export class MemoryIncidents {
  private readonly incidents = new Map<string, ExistingIncident>();
  private readonly alerts = new Map<string, KnownAlert>();
  private readonly alertsOf = new Map<string, Set<string>>();
  private readonly holders = new Map<string, KeyHolder>();
  private readonly keyOfAlert = new Map<string, string>();
  private readonly settled = new Map<string, AlertSettled>();
  private readonly successors = new Map<string, string>();
  private readonly recorded = new Map<string, RecordedAlert>();
  private readonly deadlines = new Deadlines();

  constructor(private readonly policyOf: World['policyOf']) {}

  incident = (id: string): Incident => this.incidents.get(id) ?? initialState(id);

  /** Every incident, in the order of opening. */
  all = (): Iterable<ExistingIncident> => this.incidents.values();

  /** What became of an alert. */
  answer = (alertId: string): AlertSettled | undefined => this.settled.get(alertId);

  /** Applies what the correlator decided about the alerts of one batch, in log order. */
  record(items: readonly CorrelatedAlert[]): Settled {
    const recorder = new RecordAlerts(this.worldOf(items));
    const answers = items.map((item) => recorder.record(item));
    const last = items.at(-1);
    return { answers, facts: last ? this.apply(recorder.plan(), last.alert.receivedAt) : [] };
  }

  /** Does what a person did. A refused command changes nothing. */
  command(incidentId: string, { command, at, actor }: PersonCommand): IncidentFact[] {
    const before = this.incidents.get(incidentId);
    if (!before) return [];
    const decided = decide(command, before, { at, actor, causeId: `replay ${at}`, configRevision: 0 });
    if (isRejection(decided)) return [];
    return this.told(before, this.append(before, decided));
  }

  /** Ends alerts whose source vouched for them until before `now`, and those that have been quiet for too long. */
  endDue(now: string): IncidentFact[] {
    const due = this.deadlines.due(now).filter(({ alertId }) => this.alerts.get(alertId)?.status === 'open');
    const byIncident = Map.groupBy(due, ({ alertId }) => this.alerts.get(alertId)?.incidentId ?? '');
    return [...byIncident].flatMap(([incidentId, overdue]) => {
      const before = this.incidents.get(incidentId);
      const last = overdue.at(-1);
      if (!before || !last) return [];
      const { resolvePolicy } = this.policyOf(this.alerts.get(last.alertId)?.webhookId ?? '', 0);
      const { at } = last.deadline;
      const context = { at, actor: SYSTEM, causeId: `end ${last.alertId} ${at}`, configRevision: 0 };
      const events = endAlerts({ kind: 'end-alerts', overdue, resolvePolicy }, before, context);
      if ('rejected' in events) return [];
      const ended = overdue.map(({ alertId }) => alertId);
      const after = this.append(before, events);
      const facts = this.told(before, after);
      this.release(ended, []);
      return facts;
    });
  }

  /** What the correlator hears where an incident was closed or reopened without an alert. */
  private told(before: ExistingIncident, after: ExistingIncident): IncidentFact[] {
    if (isLive(before) === isLive(after)) return [];
    return isLive(after)
      ? [factAbout(after, [], after.updatedAt)]
      : [factAbout(after, this.release([], [after.id]), after.resolvedAt)];
  }

  private worldOf(items: readonly CorrelatedAlert[]): World {
    const settled = new Map<string, AlertSettled>();
    const note = (alertId: string): void => {
      const answer = this.settled.get(alertId);
      if (answer) settled.set(alertId, answer);
    };
    const named = new Set(items.flatMap(namedAlerts));
    for (const { alert } of items) note(alert.id);
    for (const alertId of [...named]) note(alertId);
    for (const { countedOn } of settled.values()) if (countedOn !== null) named.add(countedOn);
    const holders = this.holdersFor(items, named);
    for (const { alertId } of holders) named.add(alertId);
    const alerts = pick(this.alerts, named);
    const ids = [
      ...items.flatMap(({ decision }) => ('incidentId' in decision ? [decision.incidentId] : [])),
      ...[...alerts.values()].map(({ incidentId }) => incidentId),
      ...holders.map(({ incidentId }) => incidentId),
    ];
    const successors = this.chainFrom(ids);
    const recorded = pick(this.recorded, items.flatMap(recordedAlerts));
    const incidents = pick(this.incidents, new Set([...ids, ...successors.values()]));
    return { incidents, holders, alerts, settled, successors, recorded, policyOf: this.policyOf };
  }

  private holdersFor(items: readonly CorrelatedAlert[], named: ReadonlySet<string>): KeyHolder[] {
    const keys = new Set<string>();
    for (const { alert, decision } of items) if (FIRING.has(decision.kind)) keys.add(keyText(alert));
    for (const alertId of named) {
      const key = this.keyOfAlert.get(alertId);
      if (key !== undefined) keys.add(key);
    }
    return [...pick(this.holders, keys).values()];
  }

  private chainFrom(ids: readonly string[]): Map<string, string> {
    const chain = new Map<string, string>();
    for (const id of ids)
      for (let at = id, next = this.successors.get(at); next !== undefined && !chain.has(at);) {
        chain.set(at, next);
        at = next;
        next = this.successors.get(at);
      }
    return chain;
  }

  private apply(plan: BatchPlan, receivedAt: string): IncidentFact[] {
    const changed = new Set<string>();
    for (const { before, events } of plan.changes) {
      this.append(before, events);
      changed.add(before.id);
    }
    const released = this.release(plan.releasedAlerts, plan.releasedIncidents);
    for (const holder of plan.acquired) this.hold(holder);
    for (const { incidentId, successorId } of plan.successors) this.successors.set(incidentId, successorId);
    for (const { alertId, lastSeenAt, deadline } of plan.activity) {
      this.seen(alertId, lastSeenAt);
      this.deadlines.set(alertId, deadline);
    }
    for (const one of plan.recorded) this.recorded.set(one.alert.id, one);
    for (const answer of plan.settled) this.settled.set(answer.alertId, answer);
    const told = plan.facts.flatMap(({ incidentId, keys }): IncidentFact[] => {
      const incident = this.incidents.get(incidentId);
      if (!incident) return [];
      const freed = isLive(incident) ? [] : released.filter((holder) => holder.incidentId === incidentId);
      return [factAbout(incident, [...keys, ...freed], changed.has(incidentId) ? incident.updatedAt : receivedAt)];
    });
    return [...told, ...plan.unopened.map(factOfNeverOpened)];
  }

  /** Folds events into the incident and its alerts. */
  private append(before: Incident, events: readonly IncidentEvent[]): ExistingIncident {
    const after = fold(before, events);
    if (!exists(after)) throw new Error(`events without an incident: ${before.id}`);
    this.incidents.set(after.id, after);
    const rows = projectAlerts(events);
    if (rows.closedAt !== null) for (const id of this.alertsOf.get(after.id) ?? []) this.change(id, 'resolved');
    for (const { alertId, added, resolvedAt } of rows.changed.values())
      this.change(alertId, resolvedAt === null ? undefined : 'resolved', added);
    for (const { alert, status, occurrences, lastSeenAt } of rows.inserted.values()) {
      const { id, webhook_id: webhookId, severity, firing_key: firingKey, received_at: firstSeenAt } = alert;
      const known = { id, incidentId: after.id, webhookId, status, severity, occurrences, firingKey };
      this.alerts.set(id, { ...known, firstSeenAt, lastSeenAt });
      const siblings = this.alertsOf.get(after.id);
      if (siblings) siblings.add(id);
      else this.alertsOf.set(after.id, new Set([id]));
    }
    return after;
  }

  private change(alertId: string, status?: 'resolved', added = 0): void {
    const alert = this.alerts.get(alertId);
    if (!alert) return;
    this.alerts.set(alertId, { ...alert, status: status ?? alert.status, occurrences: alert.occurrences + added });
  }

  private seen(alertId: string, at: string): void {
    const alert = this.alerts.get(alertId);
    if (alert && alert.lastSeenAt < at) this.alerts.set(alertId, { ...alert, lastSeenAt: at });
  }

  private release(alertIds: readonly string[], incidentIds: readonly string[]): KeyHolder[] {
    const ofIncidents = incidentIds.flatMap((id) => [...(this.alertsOf.get(id) ?? [])]);
    return [...alertIds, ...ofIncidents].flatMap((alertId) => {
      const key = this.keyOfAlert.get(alertId);
      const holder = key === undefined ? undefined : this.holders.get(key);
      if (key === undefined || holder?.alertId !== alertId) return [];
      this.holders.delete(key);
      this.keyOfAlert.delete(alertId);
      return [holder];
    });
  }

  private hold(holder: KeyHolder): void {
    const key = keyText(holder);
    this.holders.set(key, holder);
    this.keyOfAlert.set(holder.alertId, key);
  }
}

const namedAlerts = ({ decision }: CorrelatedAlert): string[] =>
  'alertIds' in decision ? decision.alertIds : 'alertId' in decision ? [decision.alertId] : [];

/** Recorded alerts that a decision goes on with, or takes the key of. */
const recordedAlerts = ({ decision }: CorrelatedAlert): string[] => {
  if (decision.kind === 'recorded') return decision.effect === 'recorded' ? [] : [decision.alertId];
  return 'supersedes' in decision && decision.supersedes !== undefined ? [decision.supersedes] : [];
};

function pick<Value>(from: ReadonlyMap<string, Value>, keys: Iterable<string>): Map<string, Value> {
  const picked = new Map<string, Value>();
  for (const key of keys) {
    const value = from.get(key);
    if (value !== undefined) picked.set(key, value);
  }
  return picked;
}
