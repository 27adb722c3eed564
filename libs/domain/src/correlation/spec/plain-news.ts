import type { Holder, Incident } from './plain-rows.ts';
import type { Fact } from './plain-words.ts';

interface Known {
  named(this: void, name: string): Incident | undefined;
  holders: readonly Holder[];
  receivedAt: number;
  /** When a person closed it; otherwise a fact is as old as the incident's last change. */
  closedAt: number | undefined;
}

/** Of the batch in hand: incidents that the correlator must hear about, keys that moved, those that never opened. */
export class PlainNews {
  private told: { incident: string; keys: Holder[] }[] = [];
  private changed: string[] = [];
  private neverOpened: { incident: string; at: number }[] = [];

  change(incident: string): void {
    this.changed.push(incident);
  }

  tell(incident: string, key?: Holder): void {
    let entry = this.told.find((one) => one.incident === incident);
    if (!entry) this.told.push((entry = { incident, keys: [] }));
    if (key) entry.keys.push(key);
  }

  never(incident: string, at: number): void {
    this.neverOpened.push({ incident, at });
  }

  /** What the batch comes to; incidents that changed have their next version. */
  facts(known: Known): Fact[] {
    for (const name of new Set(this.changed)) {
      const incident = known.named(name);
      if (incident) incident.version += 1;
    }
    const facts = this.told.flatMap(({ incident, keys }) => this.factOf(known, incident, keys) ?? []);
    const never = this.neverOpened.map(({ incident, at }): Fact => ({
      incident,
      version: 1,
      at,
      open: null,
      keys: [],
    }));
    [this.told, this.changed, this.neverOpened] = [[], [], []];
    return [...facts, ...never];
  }

  private factOf({ named, holders, receivedAt, closedAt }: Known, name: string, keys: Holder[]): Fact | undefined {
    const incident = named(name);
    if (!incident) return undefined;
    const { severity, services, lastAlertAt, version } = incident;
    const at = closedAt ?? (this.changed.includes(name) ? incident.updatedAt : receivedAt);
    if (!incident.live) return { incident: name, version, at, open: null, keys: [] };
    const held = keys.filter((key) => holders.some((one) => one.alert === key.alert && one.key === key.key));
    const own = name === `opened by ${incident.openedBy}` ? null : { title: incident.title, tags: [...incident.tags] };
    return { incident: name, version, at, open: { severity, services: [...services], lastAlertAt, own }, keys: held };
  }
}
