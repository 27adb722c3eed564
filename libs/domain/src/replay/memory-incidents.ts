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
  mergeIncidents,
  RecordAlerts,
  type AlertSettled,
  type BatchPlan,
  type ExistingIncident,
  type Incident,
  type IncidentCommand,
  type IncidentEvent,
  type KeyHolder,
  type RecordedAlert,
  type World,
} from '../incident/index.ts';
import { firingAlerts, namedAlerts, recordedAlerts } from './batch-names.ts';
import { Deadlines } from './deadlines.ts';
import { MemoryAlerts } from './memory-alerts.ts';
import { MemoryKeys, pick } from './memory-keys.ts';

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

const SYSTEM: Actor = { kind: 'system', id: 'replay', name: null };

/**
 * The incidents of a replay: the decisions of the incident-store over plain maps instead of its tables. What a batch looks at
 * is picked out as that service does it, so that a batch costs what it touches. Nothing is kept of texts that nobody asks for.
 */
export class MemoryIncidents {
  private readonly incidents = new Map<string, ExistingIncident>();
  private readonly alerts = new MemoryAlerts();
  private readonly keys = new MemoryKeys();
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

  /** Makes one incident of two, as a person did. A refused merge changes nothing. */
  merge(sourceId: string, survivorId: string, { at, actor }: Pick<PersonCommand, 'at' | 'actor'>): IncidentFact[] {
    const [source, survivor] = [this.incidents.get(sourceId), this.incidents.get(survivorId)];
    if (!source || !survivor) return [];
    const alerts = this.alerts.movableOf(sourceId);
    const decided = mergeIncidents(
      { sources: [{ incident: source, alerts }], survivor, survivorWentTo: this.wayFrom(survivor), note: null },
      { at, actor, causeId: `replay ${at}`, configRevision: 0 },
    );
    if (isRejection(decided)) return [];
    const [gone, stays] = decided.map(({ before, events }) => this.append(before, events));
    const keys = this.keys.rehome(
      alerts.map(({ alert }) => alert.id),
      survivorId,
    );
    // One that has a successor already keeps it.
    if (!this.successors.has(sourceId)) this.successors.set(sourceId, survivorId);
    return [
      ...(gone && isLive(source) ? [factAbout(gone, [], at)] : []),
      ...(stays ? [factAbout(stays, keys, at)] : []),
    ];
  }

  /** Where an alert is now: where it was taken in or counted, unless a merge has moved that. Null = in no incident. */
  homeOf(alertId: string): string | null {
    const answer = this.settled.get(alertId);
    return this.alerts.get(answer?.countedOn ?? alertId)?.incidentId ?? answer?.incidentId ?? null;
  }

  /** Where an incident was merged into, and that one, to the end. */
  private wayFrom({ mergedInto }: ExistingIncident): string[] {
    const way: string[] = [];
    for (let id = mergedInto; id !== null; id = this.incidents.get(id)?.mergedInto ?? null) way.push(id);
    return way;
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
    const holders = this.keys.heldOf(firingAlerts(items), named);
    for (const { alertId } of holders) named.add(alertId);
    const alerts = this.alerts.named(named);
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

  private release(alertIds: readonly string[], incidentIds: readonly string[]): KeyHolder[] {
    const ofIncidents = incidentIds.flatMap(this.alerts.idsOf);
    return this.keys.release([...alertIds, ...ofIncidents]);
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
    for (const holder of plan.acquired) this.keys.hold(holder);
    for (const { incidentId, successorId } of plan.successors) this.successors.set(incidentId, successorId);
    for (const { alertId, lastSeenAt, deadline } of plan.activity) {
      this.alerts.seen(alertId, lastSeenAt);
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
    this.alerts.project(after.id, events);
    return after;
  }
}
