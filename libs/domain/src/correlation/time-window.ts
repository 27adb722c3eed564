import type { Case } from './correlate.ts';
import { ANY_TERM, groupOf, groupTerm, serviceTerm, tagTerm } from './facets.ts';
import { boundedText, instantOf, MAX_INCIDENT_SPAN_MS, MINUTE_MS, type Millis } from './moments.ts';
import { byActivity, type KnownIncident } from './state.ts';

/** More services than this on one incident would make it a candidate for everything. */
const MAX_INCIDENT_SERVICES = 200;

/** Values that a "why" lists; a service may have hundreds of neighbours. */
const SHOWN_MAX = 20;

/** The services by which an incident is found: bounded, each once, first seen first. */
export const incidentServices = (names: readonly string[]): string[] =>
  names.length === 1
    ? [boundedText(names[0] as string)]
    : [...new Set(names.map(boundedText))].slice(0, MAX_INCIDENT_SERVICES);

/** The services after another alert has joined. What it knew already stays as it is, so that no index is touched. */
export const joinedServices = ({ services }: KnownIncident, alert: Case['alert']): string[] =>
  alert.services.every((name) => services.includes(name))
    ? services
    : incidentServices([...services, ...alert.services]);

interface Shared {
  term: string;
  value: string;
  /** How it is near the alert's own services, where it is none of them. */
  near?: { distance: number; path: string[] };
}

/** What an alert shares with the incidents that it may join: index terms, and the values as people know them. */
export interface WindowBasis {
  by: string;
  shared: Shared[];
  /** Said where the alert has nothing to share. */
  lacks: string;
}

/** By which values the time window looks for an alert's incident. Source: product P10. */
export function windowBasis({ config, alert }: Pick<Case, 'config' | 'alert'>): WindowBasis {
  const by = config.correlation.by ?? 'service';
  if (by === 'any') return { by, shared: [{ term: ANY_TERM, value: 'any' }], lacks: '' };
  if (by === 'group') {
    const group = groupOf(alert);
    return { by, shared: group === null ? [] : [{ term: groupTerm(group), value: group }], lacks: 'no-group' };
  }
  const own = alert.services.map((value): Shared => ({ term: serviceTerm(value), value }));
  if (by === 'service') return { by, shared: own, lacks: 'no-services' };
  if (by === 'topology' || by === 'topology:1') {
    const near = config.topology?.near(alert.services, by === 'topology' ? 2 : 1) ?? [];
    const shared = near.map(({ service, ...way }): Shared => ({
      term: serviceTerm(service),
      value: service,
      near: way,
    }));
    return { by, shared: [...own, ...shared], lacks: 'no-services' };
  }
  const prefix = `${by.slice('tag:'.length)}:`;
  const tags = alert.tags.filter((tag) => tag.startsWith(prefix) && tag.length > prefix.length);
  return { by, shared: tags.map((value) => ({ term: tagTerm(value), value })), lacks: 'no-such-tag' };
}

/**
 * The most recently active open incident that shares what the window goes by (a service, unless configured otherwise), had its
 * last alert within the window and opened at most 24 h ago. Records the step. Source: product P10.
 */
export function findByTime(one: Case): KnownIncident | undefined {
  const { enabled, windowMinutes } = one.config.correlation;
  const basis = windowBasis(one);
  if (!enabled || basis.shared.length === 0) {
    one.trail.skip('time-window', enabled ? basis.lacks : 'disabled');
    return undefined;
  }
  const since = one.receivedAt - windowMinutes * MINUTE_MS;
  const best = bestOf(one, basis, since);
  if (!best) {
    const evidence = lookedAt(one, basis, since);
    const nearest = nearestMiss(one, basis, since);
    one.trail.miss('time-window', 'no-active-incident', nearest ? { ...evidence, nearest } : evidence);
    return undefined;
  }
  one.trail.hit('time-window', basis.by === 'service' ? ofService(one, best, since) : ofValue(one, basis, best, since));
  return best.incident;
}

type Evidence = Record<string, unknown>;

/** What the window looked at. */
function lookedAt({ alert, config }: Case, { by, shared }: WindowBasis, since: Millis): Evidence {
  const { services, receivedAt } = alert;
  const { windowMinutes } = config.correlation;
  const windowStart = instantOf(since);
  if (by === 'service') return { services, windowMinutes, windowStart, receivedAt };
  const values = shared.slice(0, SHOWN_MAX).map(({ value }) => value);
  return { by, values, windowMinutes, windowStart, receivedAt };
}

/** What it found by the alert's own service, as nearly always: said in one piece, which takes a fraction of adding to what it looked at. */
function ofService({ alert, config }: Case, { incident, shared }: Found, since: Millis): Evidence {
  return {
    services: alert.services,
    windowMinutes: config.correlation.windowMinutes,
    windowStart: instantOf(since),
    receivedAt: alert.receivedAt,
    matchedService: shared.value,
    incidentId: incident.incidentId,
    incidentLastAlertAt: instantOf(incident.lastAlertAt),
    incidentOpenedAt: instantOf(incident.openedAt),
  };
}

const ofValue = (one: Case, basis: WindowBasis, { incident, shared }: Found, since: Millis): Evidence => ({
  ...lookedAt(one, basis, since),
  matchedValue: shared.value,
  ...shared.near,
  incidentId: incident.incidentId,
  incidentLastAlertAt: instantOf(incident.lastAlertAt),
  incidentOpenedAt: instantOf(incident.openedAt),
});

/** How far back an incident that was missed is looked for: as long as it may take in alerts at all. */
export const missedSince = (receivedAt: Millis, windowStart: Millis): Millis =>
  Math.min(windowStart, receivedAt - MAX_INCIDENT_SPAN_MS);

/** The most recently active open incident with one of the values, and what kept the alert from joining it. */
function nearestMiss(one: Case, { by, shared }: WindowBasis, windowStart: Millis): Record<string, unknown> | undefined {
  let nearest: Found | undefined;
  for (const value of shared.slice(0, SHOWN_MAX)) {
    const [incident] = one.state.openUnder(one.alert.scope, value.term, missedSince(one.receivedAt, windowStart));
    if (incident && (!nearest || byActivity(nearest.incident, incident) < 0)) nearest = { incident, shared: value };
  }
  if (!nearest) return undefined;
  const { incidentId, lastAlertAt, openedAt } = nearest.incident;
  return {
    incidentId,
    [by === 'service' ? 'matchedService' : 'matchedValue']: nearest.shared.value,
    incidentLastAlertAt: instantOf(lastAlertAt),
    incidentOpenedAt: instantOf(openedAt),
    failed: lastAlertAt < windowStart ? 'last-alert-before-window' : 'opened-too-long-ago',
  };
}

interface Found {
  incident: KnownIncident;
  shared: Shared;
}

/** Of services the nearest counts before activity: an incident of the alert's own service is before one of its neighbours. */
function bestOf(one: Case, { shared }: WindowBasis, since: number): Found | undefined {
  let best: Found | undefined;
  for (const value of shared) {
    if (best && (value.near?.distance ?? 0) > (best.shared.near?.distance ?? 0)) return best; // listed by distance
    for (const incident of one.state.openUnder(one.alert.scope, value.term, since)) {
      if (one.receivedAt - incident.openedAt > MAX_INCIDENT_SPAN_MS) continue;
      if (!best || byActivity(best.incident, incident) < 0) best = { incident, shared: value };
      break; // the view lists the most recently active first
    }
  }
  return best;
}
