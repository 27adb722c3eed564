import type { Actor, CorrelatedAlert, IncidentFact, NormalizedAlert } from '@tocsin/contracts';
import { isLive } from '../../incident/index.ts';
import { MemoryIncidents } from '../../replay/memory-incidents.ts';
import { correlate, type CorrelationConfig, type Correlated } from '../correlate.ts';
import { learn } from '../learn.ts';
import { instantOf } from '../moments.ts';
import { OpenIncidents } from '../open-incidents.ts';
import type { Change, CorrelationView, KnownIncident, StoredRows } from '../state.ts';
import { WorkingSet } from '../working-set.ts';
import { configs, policies } from './configurations.ts';
import type { SentAlert } from './history.ts';
import type { Parts } from './site.ts';
import { RowTable } from './stored-rows.ts';

/** Where a fault can be put into the fold, to see that it is found. Each gets what the fold would do and may do something else. */
export interface Faults {
  view?(view: CorrelationView): CorrelationView;
  config?(config: CorrelationConfig): CorrelationConfig;
  alert?(alert: NormalizedAlert): NormalizedAlert;
  answer?(answer: Correlated): Correlated;
  learned?(changes: Change[], fact: IncidentFact): Change[];
  restored?(rows: Partial<StoredRows>): Partial<StoredRows>;
}

/** One decision as the log has it: with the bytes of its "why", and what it was decided from. */
export interface Logged {
  input: NormalizedAlert | IncidentFact;
  config: CorrelationConfig | null;
  said: string;
}

/** Correlators that share one store: each scope has one owner at a time, who starts from the stored rows. */
export class Correlators {
  readonly logs = new Map<string, Logged[]>();
  private readonly table = new RowTable();
  private readonly states = new Map<number, WorkingSet>();
  private readonly owners = new Map<string, number>();

  private readonly open = new Map<string, OpenIncidents>();

  /** `keepsOpen`: open incidents are kept from batch to batch beside the rows, as the service does, and each failover ends a batch. */
  constructor(
    private readonly replicas: number,
    private readonly faults: Faults = {},
    private readonly keepsOpen = false,
  ) {}

  decide(alert: NormalizedAlert, config: CorrelationConfig): Correlated {
    const { faults } = this;
    const state = this.stateOf(alert.scope);
    const seen = faults.alert?.(alert) ?? alert;
    const decided = correlate(faults.view?.(state) ?? state, seen, faults.config?.(config) ?? config);
    const answer = faults.answer?.(decided) ?? decided;
    state.apply(answer.changes);
    this.log(alert.scope, { input: alert, config, said: JSON.stringify([answer.decision, answer.why]) });
    return answer;
  }

  learn(fact: IncidentFact): void {
    const state = this.stateOf(fact.scope);
    const changes = learn(state, fact);
    state.apply(this.faults.learned?.(changes, fact) ?? changes);
    this.log(fact.scope, { input: fact, config: null, said: '' });
  }

  /** Another replica takes the scope over; with one replica it starts anew. Nothing survives but rows. */
  failover(scope: string, to: number): void {
    this.owners.set(scope, to % this.replicas);
    for (const state of this.states.values()) {
      this.table.save(state);
      for (const incident of state.changes().incidents) this.keep(incident);
    }
    this.states.clear();
  }

  private stateOf(scope: string): WorkingSet {
    const owner = this.owners.get(scope) ?? 0;
    const state = this.states.get(owner);
    if (state) return state;
    const rows = this.table.rows();
    const fresh = this.keepsOpen ? this.batch(rows) : new WorkingSet(this.faults.restored?.(rows) ?? rows);
    this.states.set(owner, fresh);
    return fresh;
  }

  private keep(incident: KnownIncident): void {
    const open = this.open.get(incident.scope) ?? new OpenIncidents();
    this.open.set(incident.scope, open);
    open.set(incident);
  }

  /** What a batch loads of incidents: those that it names, closed ones among them, and roll-ups. */
  private batch({ incidents = [], ...rows }: Partial<StoredRows>): WorkingSet {
    const isLoaded = ({ closedAt, rollUpOf, incidentId }: KnownIncident): boolean =>
      closedAt !== null || rollUpOf !== null || incidentId.charCodeAt(5) % 2 === 0;
    return new WorkingSet({ ...rows, incidents: incidents.filter(isLoaded) }, (scope) => this.open.get(scope));
  }

  private log(scope: string, entry: Logged): void {
    const log = this.logs.get(scope);
    if (log) log.push(entry);
    else this.logs.set(scope, [entry]);
  }
}

const PERSON: Actor = { kind: 'api-key', id: 'key', name: null };

/** The correlator's fold and the incident-store's decisions, with only their tables replaced. */
export class RealParts implements Parts<Correlated, IncidentFact> {
  private readonly incidents = new MemoryIncidents((webhook) => policies[this.configured(webhook)] as never);

  constructor(
    private readonly alerts: readonly SentAlert[],
    private readonly configured: (webhook: string) => number,
    private readonly correlators: Correlators,
  ) {}

  private alert = (index: number): NormalizedAlert => normalized(this.alerts[index] as SentAlert);

  decide(index: number): Correlated {
    const alert = this.alert(index);
    return this.correlators.decide(alert, configs[this.configured(alert.webhookId)] as CorrelationConfig);
  }

  learn = (fact: IncidentFact): void => this.correlators.learn(fact);

  settle(items: readonly { alert: number; decision: Correlated }[]): IncidentFact[] {
    const batch = items.map(({ alert, decision: { decision, why } }): CorrelatedAlert => ({
      alert: this.alert(alert),
      decision,
      why,
    }));
    return this.incidents.record(batch).facts;
  }

  command(kind: 'close' | 'reopen', incident: string, at: number): IncidentFact[] {
    const known = this.incidents.incident(incident);
    if (kind === 'reopen' && isLive(known)) return [];
    return this.incidents.command(incident, {
      command: { kind: kind === 'close' ? 'resolve' : 'reopen', note: null },
      at: instantOf(at),
      actor: PERSON,
    });
  }

  merge = (incident: string, into: string, at: number): IncidentFact[] =>
    this.incidents.merge(incident, into, { at: instantOf(at), actor: PERSON });

  incidentOf = (index: number): string | null => this.incidents.homeOf((this.alerts[index] as SentAlert).id);
  isLive = (incident: string): boolean => isLive(this.incidents.incident(incident));
}

const known = new WeakMap<SentAlert, NormalizedAlert>();

function normalized(sent: SentAlert): NormalizedAlert {
  const before = known.get(sent);
  if (before) return before;
  const { id, scope, status, title, services, tags, receivedAt, occurredAt, orders } = sent;
  const alert: NormalizedAlert = {
    ...{ id, index: 0, receiptId: id, workspaceId: scope, scope, webhookId: sent.webhook, connector: 'generic' },
    ...{ kind: 'alert', status, title, services, tags, description: '', source: null, url: null },
    severity: sent.severity as NormalizedAlert['severity'],
    occurredAt: occurredAt === null ? null : instantOf(Math.min(occurredAt, receivedAt)),
    occurredAtOrders: orders,
    receivedAt: instantOf(receivedAt),
    dedupKey: sent.key,
    dedupKeyOrigin: sent.hasVendorKey ? 'connector' : 'recipe',
    resolveKey: sent.resolveKey,
    firingKey: sent.firing,
    ...{ incidentType: null, customFields: {}, fields: {}, configRevision: 1, notes: [] },
    ...(sent.overLimit ? { overLimit: true } : {}),
  };
  known.set(sent, alert);
  return alert;
}
