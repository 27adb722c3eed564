import { PlainClosings } from './plain-closings.ts';
import { PlainStorm, STORM } from './plain-storm.ts';
import type { Alert, Fact, PlainDecision, Rules } from './plain-words.ts';

const HOUR = 3_600_000;
const MINUTE = 60_000;
const DAY = 24 * HOUR;

/** Who has a key: the alert that took it, and its incident (null while it is only recorded). */
interface Key {
  webhook: string;
  key: string;
  resolveKey: string;
  incident: string | null;
  alert: string;
  newest: string;
  firstAt: number;
  lastAt: number;
  lastTrigger: number;
  firing: string | null;
  open: boolean;
}

interface Incident {
  name: string;
  /** 0 until the incident-store has confirmed it. */
  version: number;
  openedAt: number;
  lastAt: number;
  closedAt: number | null;
  /** Whether others may join it: not while its reopening is not confirmed, and not a roll-up (of a webhook or of a storm). */
  joinable: boolean;
  services: string[];
  /** Its own values for rules; null where they are not known. */
  own: { title: string; severity: string; tags: string[] } | null;
  rollUpOf: string | null;
}

/**
 * Architecture §9 and product P8–P11 as they read, for one scope: lists, and a look at every entry each time. Written without a
 * look at the fold; it shares no code with it. Slow on purpose.
 */
export class PlainCorrelator {
  private readonly seen: string[] = [];
  private readonly keys: Key[] = [];
  private readonly incidents: Incident[] = [];
  private readonly closings = new PlainClosings();
  private readonly storm = new PlainStorm();

  decide(alert: Alert, rules: Rules): PlainDecision {
    if (this.seen.includes(alert.id)) return { kind: 'skipped' };
    this.seen.push(alert.id);
    if (alert.status === 'triggered') return this.trigger(alert, rules);
    if (alert.status === 'resolved') return this.resolve(alert, rules);
    if (this.closings.isStale(alert)) return { kind: 'ignored' };
    const [target] = this.openKeysFor(alert);
    if (!target && alert.status === 'acknowledged') this.closings.remember(alert, rules);
    // P9: nothing to acknowledge or to change where there is no open alert with an incident.
    if (!target || target.incident === null) return { kind: 'ignored' };
    return { kind: alert.status, incident: target.incident, alerts: [target.newest] };
  }

  private trigger(alert: Alert, rules: Rules): PlainDecision {
    if (this.closings.isStale(alert)) return { kind: 'ignored' };
    const held = this.keys.find((one) => one.webhook === alert.webhook && one.key === alert.key);
    // §9: after a storm a key that was resolved since opens its own.
    const left = held && !held.open && this.named(held.incident)?.rollUpOf === STORM;
    const key = left && !this.storm.goesOnAs(held.incident, alert.receivedAt) ? undefined : held;
    const incident = key && this.named(key.incident);
    const windowFrom = key && (rules.windowFrom === 'first' ? key.firstAt : key.lastAt);
    const passed = windowFrom !== undefined && alert.receivedAt > windowFrom + rules.windowHours * HOUR;
    const isOpen = incident !== undefined && incident.closedAt === null;
    const isRecorded = key !== undefined && key.incident === null && !passed;
    const comesBack =
      incident !== undefined &&
      incident.closedAt !== null &&
      rules.reopenMinutes > 0 &&
      alert.receivedAt <= incident.closedAt + rules.reopenMinutes * MINUTE;

    if (key && isOpen && !passed) return this.repeat(alert, key, incident);
    if (rules.silenced(alert) || !rules.opens(alert)) {
      if (key && isOpen) return this.repeat(alert, key, incident);
      if (!isRecorded) return this.record(alert);
      this.count(alert, key);
      return { kind: 'recorded', effect: 'repeated', alerts: [key.alert] };
    }
    if (key && comesBack) {
      incident.closedAt = null;
      incident.joinable = false;
      incident.services = [];
      this.count(alert, key);
      return { kind: 'deduplicated', incident: incident.name, alerts: [key.alert] };
    }
    if (alert.overLimit) return this.rollUp(alert, key, isOpen ? incident : undefined);
    // P8: the window has passed and the incident is open: a new one opens and takes the key over.
    if (isOpen) return this.open(alert, null);
    const related = this.byRule(alert, rules) ?? this.byTime(alert, rules);
    return related ? this.join(alert, related, 'correlated') : this.arrive(alert, rules);
  }

  // §9.7: over the threshold new keys of a scope roll up into one incident.
  private arrive(alert: Alert, { stormAbove }: Rules): PlainDecision {
    if (stormAbove === null || !this.storm.takes(alert.receivedAt, stormAbove)) return this.open(alert, null);
    const target = this.named(this.storm.incident);
    if (target?.closedAt === null) return this.join(alert, target, 'rolled-up');
    this.storm.incident = `opened by ${alert.id}`;
    return this.open(alert, STORM);
  }

  private repeat(alert: Alert, key: Key, incident: Incident): PlainDecision {
    const sameFiring = alert.firing !== null && alert.firing === key.firing && key.open;
    if (!sameFiring) incident.lastAt = Math.max(incident.lastAt, alert.receivedAt);
    this.count(alert, key);
    return { kind: 'deduplicated', incident: incident.name, alerts: [key.alert] };
  }

  private count(alert: Alert, key: Key): void {
    key.resolveKey = alert.resolveKey;
    key.newest = alert.id;
    key.lastAt = Math.max(key.lastAt, alert.receivedAt);
    key.lastTrigger = Math.max(key.lastTrigger, alert.changedAt);
    key.firing = alert.firing ?? key.firing;
    key.open = true;
  }

  private record(alert: Alert): PlainDecision {
    this.take(alert, null);
    return { kind: 'recorded', effect: 'recorded', alerts: [alert.id] };
  }

  // P7: alerts above the limit share one incident per webhook.
  private rollUp(alert: Alert, key: Key | undefined, holding: Incident | undefined): PlainDecision {
    const target = this.incidents
      .filter(({ rollUpOf, closedAt }) => rollUpOf === alert.webhook && closedAt === null)
      .sort((a, b) => b.openedAt - a.openedAt)[0];
    if (key && holding && holding === target) return this.repeat(alert, key, holding);
    return target ? this.join(alert, target, 'rolled-up') : this.open(alert, alert.webhook);
  }

  private open(alert: Alert, rollUpOf: string | null): PlainDecision {
    const { title, severity, tags, services, receivedAt } = alert;
    const name = `opened by ${alert.id}`;
    const supersedes = this.supersededBy(alert);
    this.incidents.push({
      name,
      version: 0,
      openedAt: receivedAt,
      lastAt: receivedAt,
      closedAt: null,
      joinable: rollUpOf === null,
      services: rollUpOf === null ? [...services] : [],
      own: { title, severity, tags: [...tags] },
      rollUpOf,
    });
    this.take(alert, name);
    return { kind: 'opened', incident: name, alerts: [], supersedes };
  }

  private join(alert: Alert, incident: Incident, kind: 'correlated' | 'rolled-up'): PlainDecision {
    const supersedes = this.supersededBy(alert);
    incident.lastAt = Math.max(incident.lastAt, alert.receivedAt);
    if (kind === 'correlated') {
      incident.services = [...incident.services, ...alert.services];
      if (incident.own) incident.own.tags = [...incident.own.tags, ...alert.tags];
    }
    this.take(alert, incident.name);
    return { kind, incident: incident.name, alerts: [], supersedes };
  }

  /** A recorded alert that had the key loses it. */
  private supersededBy(alert: Alert): string | null {
    const key = this.keys.find((one) => one.webhook === alert.webhook && one.key === alert.key);
    return key && key.incident === null && key.open ? key.alert : null;
  }

  private take(alert: Alert, incident: string | null): void {
    const { webhook, key, resolveKey, id, receivedAt, changedAt, firing } = alert;
    const taken: Key = {
      ...{ webhook, key, resolveKey, incident, alert: id, newest: id, firing, open: true },
      ...{ firstAt: receivedAt, lastAt: receivedAt, lastTrigger: changedAt },
    };
    const at = this.keys.findIndex((one) => one.webhook === webhook && one.key === key);
    if (at < 0) this.keys.push(taken);
    else this.keys[at] = taken;
  }

  // P10: rules in the order of priority, candidates of the last 24 h, the most recently active one.
  private byRule(alert: Alert, rules: Rules): Incident | undefined {
    if (!rules.correlate) return undefined;
    const candidates = this.latestFirst(
      ({ own, lastAt, joinable }) => joinable && own !== null && lastAt >= alert.receivedAt - DAY,
    );
    for (const fits of rules.rules) {
      const found = candidates.find(({ services, own }) => own && fits(alert, { services, ...own }));
      if (found) return found;
    }
    return undefined;
  }

  // §9.6: at most so long after the incident's last alert, sharing a service, and at most 24 h after it opened.
  private byTime(alert: Alert, rules: Rules): Incident | undefined {
    if (!rules.correlate) return undefined;
    return this.latestFirst(
      (one) =>
        one.joinable &&
        one.lastAt >= alert.receivedAt - rules.windowMinutes * MINUTE &&
        alert.receivedAt - one.openedAt <= DAY &&
        (rules.by === 'any' || alert.services.some((service) => one.services.includes(service))),
    )[0];
  }

  private latestFirst(wanted: (one: Incident) => boolean): Incident[] {
    const open = this.incidents.filter((one) => one.closedAt === null && wanted(one));
    return open.sort((a, b) => b.lastAt - a.lastAt || b.openedAt - a.openedAt);
  }

  // P8: a resolve matches by the vendor's id, else by the key without severity, newest open first.
  private resolve(alert: Alert, rules: Rules): PlainDecision {
    const target = this.openKeysFor(alert).find(({ lastTrigger }) => lastTrigger <= alert.changedAt);
    this.closings.remember(alert, rules);
    if (!target) return { kind: 'ignored' };
    target.open = false;
    if (target.incident === null) return { kind: 'recorded', effect: 'resolved', alerts: [target.alert] };
    return { kind: 'resolved', incident: target.incident, alerts: [target.alert, target.newest] };
  }

  private openKeysFor(alert: Alert): Key[] {
    const open = this.keys.filter(
      (key) => key.webhook === alert.webhook && key.open && (key.incident === null || this.isOpen(key.incident)),
    );
    const exact = alert.hasVendorKey ? open.filter(({ key }) => key === alert.key) : [];
    const others = open.filter((key) => key.resolveKey === alert.resolveKey && !exact.includes(key));
    return [...exact, ...others.sort((a, b) => b.firstAt - a.firstAt || b.lastTrigger - a.lastTrigger)];
  }

  private isOpen = (name: string): boolean => this.named(name)?.closedAt === null;
  private named = (name: string | null): Incident | undefined => this.incidents.find((one) => one.name === name);

  /** What the incident-store says of an incident; an older version than the last one says nothing. */
  learn(fact: Fact): void {
    const known = this.named(fact.incident);
    if (known && fact.version < known.version) return;
    const incident = known ?? this.stranger(fact);
    incident.version = fact.version;
    if (!fact.open) {
      incident.closedAt = fact.at;
      incident.joinable = false;
      incident.services = [];
      return;
    }
    incident.closedAt = null;
    incident.joinable = incident.rollUpOf === null;
    incident.lastAt = Math.max(incident.lastAt, fact.open.lastAlertAt);
    if (incident.rollUpOf === null) incident.services = [...incident.services, ...fact.open.services];
    const { own, severity } = fact.open;
    incident.own ??= own && { ...own, severity };
    if (incident.own) incident.own.severity = severity;
    for (const { webhook, key, resolveKey, alert } of fact.keys)
      this.moveKey(fact, { webhook, key, resolveKey, alert });
  }

  private stranger({ incident: name, at, open }: Fact): Incident {
    const made: Incident = {
      ...{ name, version: 0, openedAt: at, lastAt: open ? open.lastAlertAt : at, closedAt: null },
      ...{ joinable: true, services: [], own: null, rollUpOf: null },
    };
    this.incidents.push(made);
    return made;
  }

  private moveKey({ incident, at }: Fact, named: Pick<Key, 'webhook' | 'key' | 'resolveKey' | 'alert'>): void {
    const key = this.keys.find((one) => one.webhook === named.webhook && one.key === named.key);
    if (!key) {
      const times = { firstAt: at, lastAt: at, lastTrigger: at };
      this.keys.push({ ...named, ...times, incident, newest: named.alert, firing: null, open: true });
    } else if (key.incident === incident) key.alert = named.alert;
    else if (at >= key.firstAt) {
      const expected = this.named(key.incident);
      // It went elsewhere: the incident that this alert should have opened does not exist.
      if (expected?.version === 0 && expected.name === `opened by ${key.alert}`) {
        expected.closedAt = at;
        expected.joinable = false;
        expected.services = [];
      }
      Object.assign(key, named, { incident });
    }
  }
}
