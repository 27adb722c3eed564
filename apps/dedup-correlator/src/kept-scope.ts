import { OpenIncidents, type KnownIncident } from '@tocsin/domain/correlation';

/**
 * The open incidents of one scope. A batch decides on them and changes them while it does; until it is committed, what they were is kept, and
 * is put back where it was not.
 */
export class KeptScope {
  readonly open: OpenIncidents;
  /** As they were committed, where a batch has changed them; undefined = the incident was not open. */
  private readonly before = new Map<string, KnownIncident | undefined>();

  constructor(incidents: Iterable<KnownIncident>) {
    this.open = new OpenIncidents(incidents);
  }

  /** An incident as the batch leaves it, for now. */
  change(incident: KnownIncident): void {
    const { incidentId } = incident;
    if (!this.before.has(incidentId)) this.before.set(incidentId, this.open.get(incidentId));
    this.open.set(incident);
  }

  hasChanged = (incidentId: string): boolean => this.before.has(incidentId);

  /** As it was committed last, unless it was not open. */
  committed(incidentId: string): KnownIncident | undefined {
    return this.before.has(incidentId) ? this.before.get(incidentId) : this.open.get(incidentId);
  }

  /** What was changed counts from now on. */
  commit(): void {
    this.before.clear();
  }

  /** What was changed was not committed. */
  undo(): void {
    for (const [incidentId, before] of this.before) {
      const changed = this.open.get(incidentId);
      if (before) this.open.set(before);
      else if (changed) this.open.set({ ...changed, closedAt: changed.lastAlertAt });
    }
    this.before.clear();
  }
}
