import { coalesce } from './coalesce.ts';
import type { IncidentEvent } from './events.ts';
import { evolve, fold } from './evolve.ts';
import type { Deadline } from './policy.ts';
import { initialState, type Incident } from './state.ts';
import type { AlertActivity, IncidentChange, KeyHolder, KnownAlert, World } from './world.ts';

interface Entry {
  before: Incident;
  /** Plural events that are certain: closed by an event that changes the status. */
  done: IncidentEvent[];
  settled: Incident;
  pending: IncidentEvent[];
  now: Incident;
}

const keyText = (key: Pick<KeyHolder, 'scope' | 'webhookId' | 'dedupKey'>): string =>
  JSON.stringify([key.scope, key.webhookId, key.dedupKey]);

/** The world while a batch is being decided: what was loaded, and on top what the batch has done so far. */
export class BatchJournal {
  readonly #entries = new Map<string, Entry>();
  readonly #holders = new Map<string, KeyHolder>();
  readonly #loadedHolders: ReadonlySet<string>;
  readonly #keyOfAlert = new Map<string, string>();
  readonly #alerts: Map<string, KnownAlert>;
  readonly #alertsOf = new Map<string, Set<string>>();
  readonly #activity = new Map<string, AlertActivity>();
  readonly #deadlines = new Map<string, Deadline | null>();
  readonly releasedAlerts = new Set<string>();
  readonly releasedIncidents = new Set<string>();
  readonly moved = new Map<string, KeyHolder[]>();

  constructor(private readonly world: World) {
    for (const holder of world.holders) this.#setHolder(holder);
    this.#loadedHolders = new Set(world.holders.map((holder) => holder.alertId));
    this.#alerts = new Map(world.alerts);
    for (const { id, incidentId } of world.alerts.values()) this.#index(incidentId, id);
  }

  incident(id: string): Incident {
    return this.#entries.get(id)?.now ?? this.world.incidents.get(id) ?? initialState(id);
  }

  alert(id: string): KnownAlert | undefined {
    return this.#alerts.get(id);
  }

  /** Takes in what a decision said. Versions are exact after every event that closes an incident. */
  apply(id: string, events: readonly IncidentEvent[]): void {
    for (const event of events) {
      const entry = this.#entryOf(id);
      entry.pending.push(event);
      entry.now = evolve(entry.now, event);
      this.#applyToAlerts(id, event);
      if (event.type === 'IncidentResolved') this.#close(id, entry);
    }
  }

  #entryOf(id: string): Entry {
    let entry = this.#entries.get(id);
    if (!entry) {
      const before = this.incident(id);
      this.#entries.set(id, (entry = { before, done: [], settled: before, pending: [], now: before }));
    }
    return entry;
  }

  #close(id: string, entry: Entry): void {
    const plural = coalesce(entry.pending);
    entry.done.push(...plural);
    entry.settled = fold(entry.settled, plural);
    entry.pending = [];
    entry.now = entry.settled;
    this.releasedIncidents.add(id);
    for (const alertId of this.#alertsOf.get(id) ?? []) {
      this.#forgetHolder(alertId);
      const alert = this.#alerts.get(alertId);
      if (alert?.status === 'open') this.#alerts.set(alertId, { ...alert, status: 'resolved' });
    }
  }

  #index(incidentId: string, alertId: string): void {
    const known = this.#alertsOf.get(incidentId);
    if (known) known.add(alertId);
    else this.#alertsOf.set(incidentId, new Set([alertId]));
  }

  #setHolder(holder: KeyHolder): void {
    const key = keyText(holder);
    this.#holders.set(key, holder);
    this.#keyOfAlert.set(holder.alertId, key);
  }

  #forgetHolder(alertId: string): void {
    const key = this.#keyOfAlert.get(alertId);
    if (key !== undefined && this.#holders.get(key)?.alertId === alertId) this.#holders.delete(key);
    this.#keyOfAlert.delete(alertId);
  }

  #applyToAlerts(incidentId: string, event: IncidentEvent): void {
    if (event.type === 'IncidentOpened') this.#attach(incidentId, event.data.alert);
    if (event.type === 'AlertsAttached') for (const alert of event.data.alerts) this.#attach(incidentId, alert);
    if (event.type === 'AlertsResolved') for (const { alert_id } of event.data.alerts) this.#release(alert_id);
    if (event.type === 'OccurrencesCounted')
      for (const { alert_id, count, last_seen_at } of event.data.alerts) this.#seen(alert_id, last_seen_at, count);
  }

  #attach(incidentId: string, alert: Extract<IncidentEvent, { type: 'IncidentOpened' }>['data']['alert']): void {
    const { id, status, severity, firing_key: firingKey, received_at: firstSeenAt, webhook_id: webhookId } = alert;
    this.#alerts.set(id, {
      id,
      incidentId,
      webhookId,
      status,
      severity,
      occurrences: 1,
      firingKey,
      firstSeenAt,
      lastSeenAt: firstSeenAt,
    });
    this.#index(incidentId, id);
    this.#noteActivity(id);
  }

  #release(alertId: string): void {
    const alert = this.#alerts.get(alertId);
    if (alert) this.#alerts.set(alertId, { ...alert, status: 'resolved' });
    this.#drop(alertId);
  }

  #drop(alertId: string): void {
    if (this.#loadedHolders.has(alertId)) this.releasedAlerts.add(alertId);
    this.#forgetHolder(alertId);
  }

  #seen(alertId: string, at: string, count: number): void {
    const alert = this.#alerts.get(alertId);
    if (!alert) return;
    const lastSeenAt = alert.lastSeenAt < at ? at : alert.lastSeenAt;
    this.#alerts.set(alertId, { ...alert, lastSeenAt, occurrences: alert.occurrences + count });
    this.#noteActivity(alertId);
  }

  /** The alert is over at its deadline unless it is heard of again. A record that is older than the newest says nothing of that. */
  arm(alertId: string, receivedAt: string, deadline: Deadline | null): void {
    const alert = this.#alerts.get(alertId);
    if (!alert || receivedAt < alert.lastSeenAt) return;
    this.#deadlines.set(alertId, deadline);
    this.#noteActivity(alertId);
  }

  /** What was seen, with the deadlines of alerts that are still open. */
  activity(): AlertActivity[] {
    return [...this.#activity.values()].map((one) =>
      this.#alerts.get(one.alertId)?.status === 'open' ? one : { ...one, deadline: null },
    );
  }

  /** The same firing again: seen, not counted. */
  refresh(alertId: string, at: string): void {
    this.#seen(alertId, at, 0);
  }

  #noteActivity(alertId: string): void {
    const alert = this.#alerts.get(alertId);
    const incident = alert && this.incident(alert.incidentId);
    if (!alert || !incident || incident.status === 'none') return;
    const { incidentId, firingKey, firstSeenAt, lastSeenAt } = alert;
    const deadline = this.#deadlines.get(alertId) ?? null;
    this.#activity.set(alertId, {
      ...{ alertId, workspaceId: incident.workspaceId, incidentId, firingKey, firstSeenAt, lastSeenAt, deadline },
    });
  }

  /** Who holds a key now, if the alert and its incident are still open. */
  holderOf(key: Pick<KeyHolder, 'scope' | 'webhookId' | 'dedupKey'>): KeyHolder | undefined {
    const holder = this.#holders.get(keyText(key));
    if (!holder || this.#alerts.get(holder.alertId)?.status !== 'open') return undefined;
    const { status } = this.incident(holder.incidentId);
    return status === 'none' || status === 'resolved' ? undefined : holder;
  }

  acquire(holder: KeyHolder): void {
    const former = this.#holders.get(keyText(holder));
    if (former) this.#drop(former.alertId);
    this.#setHolder(holder);
    this.noteMoved(holder);
  }

  /** The correlator should hear that this incident holds this key. */
  noteMoved(holder: KeyHolder): void {
    const keys = this.moved.get(holder.incidentId);
    if (keys) keys.push(holder);
    else this.moved.set(holder.incidentId, [holder]);
  }

  /** Whether the incident still holds this key: it may have been resolved later in the batch. */
  holds(key: KeyHolder): boolean {
    return this.#holders.get(keyText(key))?.alertId === key.alertId;
  }

  /** Holders that were not there when the batch began. */
  acquired(): KeyHolder[] {
    return [...this.#holders.values()].filter((holder) => !this.#loadedHolders.has(holder.alertId));
  }

  changes(): IncidentChange[] {
    const plural = [...this.#entries.values()].map(({ before, done, pending }) => ({
      before,
      events: [...done, ...coalesce(pending)],
    }));
    return plural.filter(({ events }) => events.length > 0);
  }
}
