import { PlainNews } from './plain-news.ts';
import type { Attached, Holder, Incident } from './plain-rows.ts';
import type { Alert, Fact } from './plain-words.ts';

const WORSE = ['info', 'low', 'medium', 'high', 'critical'];

export const isWorse = (one: { severity: string }, other: { severity: string }): boolean =>
  WORSE.indexOf(one.severity) > WORSE.indexOf(other.severity);

/** What the plain model's incidents keep, in lists that are scanned, and what follows from each change of them. */
export class PlainLedger {
  protected readonly incidents: Incident[] = [];
  protected readonly alerts: Attached[] = [];
  protected holders: Holder[] = [];
  protected readonly answers: { id: string; incident: string | null; countedOn: string | null }[] = [];
  protected readonly successors: { of: string; is: string }[] = [];
  protected readonly news = new PlainNews();

  /** Where it is, or what it was counted on. */
  incidentOf = (alert: string): string | null =>
    this.known(alert)?.incident ?? this.answers.find(({ id }) => id === alert)?.incident ?? null;

  isLive = (name: string): boolean => this.named(name)?.live === true;

  protected holderOf(alert: Alert): Holder | undefined {
    const holder = this.holders.find(({ webhook, key }) => webhook === alert.webhook && key === alert.key);
    return holder && this.attached(holder.alert)?.open && this.isLive(holder.incident) ? holder : undefined;
  }

  /** Along the successors, but not past an incident that was closed, by no merge, after the alert had changed. */
  protected follow(name: string, alert: Alert): string {
    const incident = this.named(name);
    const successor = this.successors.find(({ of }) => of === name)?.is;
    if (successor === undefined || incident?.live) return name;
    if (incident?.mergedInto === null && alert.changedAt <= incident.asOf) return name;
    return this.follow(successor, alert);
  }

  protected named = (name: string): Incident | undefined => this.incidents.find((one) => one.name === name);
  protected attached = (id: string): Attached | undefined => this.alerts.find((one) => one.id === id);

  /** The attached alert of this id, or the one that it was counted on. */
  protected known(id: string): Attached | undefined {
    const countedOn = this.answers.find((one) => one.id === id)?.countedOn ?? '';
    return this.attached(id) ?? this.attached(countedOn);
  }

  protected touch(incident: Incident, at: number): void {
    incident.updatedAt = Math.max(incident.updatedAt, at);
    this.news.change(incident.name);
  }

  protected tell(incident: string, key?: Holder): void {
    this.news.tell(incident, key);
  }

  protected facts(receivedAt: number, closedAt?: number): Fact[] {
    return this.news.facts({ named: this.named, holders: this.holders, receivedAt, closedAt });
  }

  protected raise(incident: Incident, alert: Alert): void {
    if (isWorse(alert, incident)) {
      incident.severity = alert.severity;
      this.touch(incident, alert.receivedAt);
    }
  }

  protected end(incident: Incident, asOf: number, at: number): void {
    incident.live = false;
    incident.asOf = asOf;
    incident.closings += 1;
    for (const one of this.alerts) if (one.incident === incident.name) one.open = false;
    this.holders = this.holders.filter((one) => one.incident !== incident.name);
    this.touch(incident, at);
    this.tell(incident.name);
  }
}
