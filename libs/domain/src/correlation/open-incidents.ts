import { ActivityIndex } from './activity-index.ts';
import { Listed } from './activity-list.ts';
import type { Millis } from './moments.ts';
import { byActivity, type KnownIncident } from './state.ts';

/** The open incidents of one scope, as they were committed last: kept from batch to batch, so that candidates need no query. */
export class OpenIncidents {
  private readonly byId = new Map<string, Listed>();
  private readonly active = new ActivityIndex();

  constructor(incidents: Iterable<KnownIncident> = []) {
    for (const incident of incidents) this.set(incident);
  }

  get size(): number {
    return this.byId.size;
  }

  get = (incidentId: string): KnownIncident | undefined => this.byId.get(incidentId)?.incident;

  /** Takes in an incident as a batch has left it; a closed one goes. */
  set(incident: KnownIncident): void {
    const { incidentId, closedAt } = incident;
    let listed = this.byId.get(incidentId);
    if (closedAt !== null && !this.byId.delete(incidentId)) return;
    if (!listed) this.byId.set(incidentId, (listed = new Listed(incident)));
    this.active.note(listed, incident);
  }

  under = (term: string, since: Millis): Iterable<KnownIncident> => this.active.under(term, since);
}

/** Two lists, each the most recently active first, as one. */
export function* merged(some: Iterable<KnownIncident>, others: Iterable<KnownIncident>): Iterable<KnownIncident> {
  const rest = others[Symbol.iterator]();
  let next = rest.next();
  for (const incident of some) {
    for (; !next.done && byActivity(next.value, incident) > 0; next = rest.next()) yield next.value;
    yield incident;
  }
  for (; !next.done; next = rest.next()) yield next.value;
}
