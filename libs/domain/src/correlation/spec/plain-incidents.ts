import { isWorse, PlainLedger } from './plain-ledger.ts';
import type { Attached, Holder, Incident } from './plain-rows.ts';
import type { Alert, Fact, PlainDecision, Rules } from './plain-words.ts';

const HOUR = 3_600_000;
const MINUTE = 60_000;

type Firing = { kind: string; incident: string; alerts: string[] };

/**
 * The incidents as architecture §9 describes them (last paragraphs): what is decided is applied to what is there by then, because a
 * person or a timer may have been faster. Lists and scans; shares no code with the incident-store's decisions.
 */
export class PlainIncidents extends PlainLedger {
  settle(items: readonly { alert: Alert; decision: PlainDecision }[], rulesOf: (webhook: string) => Rules): Fact[] {
    for (const { alert, decision } of items) {
      if (this.answers.some(({ id }) => id === alert.id)) continue; // gets its first answer again
      this.answers.push({ id: alert.id, ...this.place(alert, decision, rulesOf(alert.webhook)) });
    }
    return this.facts(items.at(-1)?.alert.receivedAt ?? 0);
  }

  close(name: string, at: number): Fact[] {
    const incident = this.named(name);
    if (!incident?.live) return [];
    this.end(incident, at, at);
    return this.facts(at, at);
  }

  reopen(name: string, at: number): Fact[] {
    const incident = this.named(name);
    if (!incident || incident.live || incident.mergedInto !== null) return [];
    incident.live = true;
    incident.acknowledged = false;
    this.touch(incident, at);
    this.tell(name);
    return this.facts(at);
  }

  /** One of two: alerts and keys go to the survivor, the other is closed for good. */
  merge(name: string, into: string, at: number): Fact[] {
    const [source, survivor] = [this.named(name), this.named(into)];
    if (!source || !survivor?.live || source === survivor || source.mergedInto !== null) return [];
    const moved = this.alerts.filter(({ incident }) => incident === name);
    const keys = this.holders.filter((holder) => moved.some(({ id }) => id === holder.alert));
    for (const one of [...moved, ...keys]) one.incident = into;
    survivor.services = [...new Set([...survivor.services, ...source.services])];
    survivor.tags = [...new Set([...survivor.tags, ...source.tags])];
    survivor.lastAlertAt = Math.max(survivor.lastAlertAt, ...moved.map(({ lastSeen }) => lastSeen));
    if (source.live) {
      if (isWorse(source, survivor)) survivor.severity = source.severity;
      this.end(source, at, at);
    } else this.touch(source, at);
    source.mergedInto = into;
    if (!this.successors.some(({ of }) => of === name)) this.successors.push({ of: name, is: into });
    this.touch(survivor, at);
    this.tell(into);
    for (const key of keys) this.tell(into, key);
    return this.facts(at, at);
  }

  private place(
    alert: Alert,
    decision: PlainDecision,
    rules: Rules,
  ): { incident: string | null; countedOn: string | null } {
    switch (decision.kind) {
      case 'skipped':
      case 'ignored':
        return { incident: null, countedOn: null };
      case 'recorded':
        return this.record(alert, decision, rules);
      case 'resolved':
        return this.resolve(alert, decision, rules);
      case 'acknowledged':
        return this.acknowledge(alert, decision);
      case 'update':
        return this.update(alert, decision);
      default:
        return this.fire(alert, decision, rules);
    }
  }

  private fire(alert: Alert, decision: Firing, rules: Rules) {
    const holder = this.holderOf(alert);
    const held = holder && this.attached(holder.alert);
    if (holder && held) {
      const expected = decision.kind === 'deduplicated' && this.follow(decision.incident, alert) === holder.incident;
      const from = rules.windowFrom === 'first' ? held.firstSeen : held.lastSeen;
      if (expected) return this.repeat(alert, held);
      if (alert.receivedAt - from <= rules.windowHours * HOUR) return this.heldElsewhere(alert, decision, holder, held);
    }
    // A repeat goes where the alert is by now that it repeats.
    const known = decision.kind === 'deduplicated' ? this.known(decision.alerts[0] ?? '') : undefined;
    const target = this.follow(known?.incident ?? decision.incident, alert);
    const incident = this.named(target);
    if (!incident) return this.open(alert, target); // missing: open it with the given id
    if (incident.live) return this.attach(alert, incident);
    const since = alert.changedAt - incident.asOf;
    if (since <= 0) return this.attachLate(alert, decision, incident); // older: attach only
    if (since <= rules.reopenMinutes * MINUTE) {
      incident.live = true;
      incident.acknowledged = false;
      this.tell(incident.name);
      return this.attach(alert, incident);
    }
    const successor = `after ${target}, closed ${incident.closings} times`;
    this.successors.push({ of: target, is: successor });
    return this.open(alert, successor);
  }

  /** Its key has an open incident by now: a duplicate there. What the correlator thought it opens never comes to exist. */
  private heldElsewhere(alert: Alert, decision: Firing, holder: Holder, held: Attached) {
    this.tell(holder.incident, holder);
    const { incident } = decision;
    if (decision.kind === 'opened' && !this.named(incident) && !this.successors.some(({ of }) => of === incident)) {
      this.successors.push({ of: incident, is: holder.incident });
      this.news.never(incident, alert.receivedAt);
    }
    return this.repeat(alert, held);
  }

  private repeat(alert: Alert, held: Attached) {
    const incident = this.named(held.incident);
    held.lastSeen = Math.max(held.lastSeen, alert.receivedAt);
    const sameFiring = alert.firing !== null && alert.firing === held.firing && alert.severity === held.severity;
    if (incident && !sameFiring) {
      this.touch(incident, alert.receivedAt);
      incident.lastAlertAt = Math.max(incident.lastAlertAt, alert.receivedAt);
      if (incident.live) this.raise(incident, alert);
    }
    return { incident: held.incident, countedOn: held.id };
  }

  private open(alert: Alert, name: string) {
    this.incidents.push({
      ...{ name, openedBy: alert.id, version: 0, live: true, acknowledged: false, asOf: 0, closings: 0 },
      ...{ updatedAt: alert.receivedAt, lastAlertAt: alert.receivedAt },
      ...{ severity: alert.severity, title: alert.title, services: [...alert.services], tags: [...alert.tags] },
      mergedInto: null,
    });
    this.news.change(name);
    this.tell(name);
    return this.hold(alert, name);
  }

  private attach(alert: Alert, incident: Incident) {
    this.join(alert, incident);
    this.raise(incident, alert);
    return this.hold(alert, incident.name);
  }

  private attachLate(alert: Alert, decision: Firing, incident: Incident) {
    const known = decision.kind === 'deduplicated' ? this.known(decision.alerts[0] ?? '') : undefined;
    if (known?.incident === incident.name) return this.repeat(alert, known);
    this.join(alert, incident);
    this.note(alert, incident.name, false);
    return { incident: incident.name, countedOn: alert.id };
  }

  private join(alert: Alert, incident: Incident): void {
    this.touch(incident, alert.receivedAt);
    incident.lastAlertAt = Math.max(incident.lastAlertAt, alert.receivedAt);
    incident.services = [...new Set([...incident.services, ...alert.services])];
    incident.tags = [...new Set([...incident.tags, ...alert.tags])];
  }

  private hold(alert: Alert, incident: string) {
    const { webhook, key, resolveKey, id } = alert;
    this.note(alert, incident, true);
    this.holders = this.holders.filter((one) => one.webhook !== webhook || one.key !== key);
    const holder = { webhook, key, resolveKey, alert: id, incident };
    this.holders.push(holder);
    this.tell(incident, holder);
    return { incident, countedOn: id };
  }

  private note(alert: Alert, incident: string, open: boolean): void {
    const { id, webhook, key, resolveKey, severity, firing, receivedAt } = alert;
    this.alerts.push({
      ...{ id, incident, webhook, key, resolveKey, severity, firing, open },
      ...{ firstSeen: receivedAt, lastSeen: receivedAt },
    });
  }

  private record(alert: Alert, { effect, alerts: [named = ''] }: { effect: string; alerts: string[] }, rules: Rules) {
    const known = this.known(named);
    if (effect === 'resolved')
      return known
        ? this.resolve(alert, { incident: known.incident, alerts: [known.id] }, rules)
        : { incident: null, countedOn: named };
    const holder = this.holderOf(alert);
    const held = known?.open ? known : holder && this.attached(holder.alert);
    // Without an incident it counts on what was recorded; only attached alerts matter to later lookups.
    if (!held) return { incident: null, countedOn: null };
    if (holder) this.tell(holder.incident, holder);
    return this.repeat(alert, held);
  }

  private resolve(alert: Alert, { incident, alerts }: { incident: string; alerts: string[] }, rules: Rules) {
    const named = alerts.flatMap((id) => this.known(id) ?? []);
    const open = [...new Set(named.filter((one) => one.open))];
    for (const name of new Set(open.map((one) => one.incident)))
      this.resolveIn(
        name,
        open.filter((one) => one.incident === name),
        alert,
        rules,
      );
    const last = open.at(-1);
    if (last)
      return { incident: last.incident, countedOn: open.find((one) => one.incident === last.incident)?.id ?? null };
    const target = named[0]?.incident ?? this.follow(incident, alert);
    return { incident: this.named(target) ? target : null, countedOn: null };
  }

  private resolveIn(name: string, alerts: readonly Attached[], { changedAt, receivedAt }: Alert, rules: Rules): void {
    const incident = this.named(name);
    if (!incident) return;
    for (const alert of alerts) {
      alert.open = false;
      this.holders = this.holders.filter((one) => one.alert !== alert.id);
    }
    this.touch(incident, receivedAt);
    const left = this.alerts.filter((one) => one.incident === name && one.open).length;
    const closes = rules.resolvePolicy === 'any' || (rules.resolvePolicy === 'all' && left === 0);
    if (incident.live && closes) this.end(incident, changedAt, receivedAt);
  }

  private acknowledge(alert: Alert, { incident, alerts }: { incident: string; alerts: string[] }) {
    const name = this.known(alerts[0] ?? '')?.incident ?? this.follow(incident, alert);
    const target = this.named(name);
    if (target?.live && !target.acknowledged) {
      target.acknowledged = true;
      this.touch(target, alert.receivedAt);
    }
    return { incident: target ? name : null, countedOn: null };
  }

  private update(alert: Alert, { incident, alerts }: { incident: string; alerts: string[] }) {
    const known = this.known(alerts[0] ?? '');
    const name = known?.incident ?? this.follow(incident, alert);
    const target = this.named(name);
    if (!target) return { incident: null, countedOn: null };
    if (!target.live) return { incident: name, countedOn: null };
    if (known?.id === target.openedBy && alert.title !== target.title) {
      target.title = alert.title;
      this.touch(target, alert.receivedAt);
    }
    this.raise(target, alert);
    return { incident: name, countedOn: known?.id ?? null };
  }
}
