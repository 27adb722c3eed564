import { incidentIdOf, type IncidentFact } from '@tocsin/contracts';
import { facetsOf, termsOf } from './facets.ts';
import { steady } from './flapping.ts';
import { boundedText, millisOf, type Millis } from './moments.ts';
import { copyOfIncident } from './own-rows.ts';
import type { Change, CorrelationView, KeyHolder, KnownIncident } from './state.ts';
import { incidentServices } from './time-window.ts';

/**
 * What the correlator learns from the incident-store about an incident. It only changes the state, never makes output, and
 * a fact with an older stream version than the last seen of that incident changes nothing. Source: architecture §9.
 */
export function learn(state: CorrelationView, fact: IncidentFact): Change[] {
  const known = state.incident(fact.scope, fact.incidentId);
  if (known && fact.version < known.version) return [];
  if (fact.fact.kind === 'closed') return [{ kind: 'incident', incident: closedIncident(known, fact) }];
  const incident = openIncident(known, fact, fact.fact);
  return [{ kind: 'incident', incident }, ...fact.keys.flatMap((key) => holdKey(state, fact, key))];
}

function closedIncident(known: KnownIncident | undefined, fact: IncidentFact): KnownIncident {
  const at = millisOf(fact.at);
  return closed(known ? copyOfIncident(known) : strange(fact, at, at), at, fact.version);
}

function closed(incident: KnownIncident, at: Millis, version: number): KnownIncident {
  incident.version = version;
  incident.closedAt = at;
  incident.services = [];
  incident.terms = [];
  return incident;
}

function openIncident(known: KnownIncident | undefined, fact: IncidentFact, open: OpenFact): KnownIncident {
  const lastAlertAt = millisOf(open.lastAlertAt);
  const before = known ?? strange(fact, millisOf(fact.at), lastAlertAt);
  // Nothing joins a roll-up incident by service, whatever its alerts say.
  const services = before.rollUpOf === null ? [...before.services, ...open.services] : [];
  const facets = before.facets ? { ...before.facets, severity: open.severity } : ownFacets(open);
  const incident = copyOfIncident(before);
  incident.facets = facets;
  incident.terms = before.rollUpOf === null ? termsOf(facets, null, before.terms) : [];
  incident.version = fact.version;
  incident.closedAt = null;
  // The fact may be behind alerts that were correlated since: it adds, it does not take back.
  incident.lastAlertAt = Math.max(before.lastAlertAt, lastAlertAt);
  incident.services = incidentServices(services);
  return incident;
}

/** Of what kind its alerts are nobody says. */
const ownFacets = ({ own, severity }: OpenFact): KnownIncident['facets'] =>
  own ? facetsOf({ ...own, severity, kind: null }) : null;

type OpenFact = Extract<IncidentFact['fact'], { kind: 'open' }>;

/** An incident that the correlator did not open: a successor, or one whose row has been pruned. */
function strange(fact: IncidentFact, openedAt: Millis, lastAlertAt: Millis): KnownIncident {
  const { workspaceId, scope, incidentId, version } = fact;
  return {
    workspaceId,
    scope,
    incidentId,
    version,
    openedAt,
    lastAlertAt,
    closedAt: null,
    services: [],
    rollUpOf: null,
    facets: null,
    terms: [],
  };
}

/**
 * The incident holds the key from now on. A fact that is older than the alert which took the key since is behind the
 * correlator's own decision and leaves it.
 */
function holdKey(state: CorrelationView, fact: IncidentFact, named: IncidentFact['keys'][number]): Change[] {
  const { workspaceId, scope, incidentId } = fact;
  const { webhookId, alertId } = named;
  const at = millisOf(fact.at);
  const identity = {
    workspaceId,
    scope,
    webhookId,
    dedupKey: boundedText(named.dedupKey),
    resolveKey: boundedText(named.resolveKey),
  };
  const before = state.key({ scope, webhookId, key: identity.dedupKey });
  if (!before) {
    const key: KeyHolder = {
      ...identity,
      incidentId,
      alertId,
      lastAlertId: alertId,
      firstAt: at,
      lastAt: at,
      lastTriggerAt: at,
      firingKey: null,
      alertOpen: true,
      ...steady,
    };
    return [{ kind: 'key', key }];
  }
  if (before.incidentId === incidentId) {
    return before.alertId === alertId ? [] : [{ kind: 'key', key: { ...before, alertId } }];
  }
  if (at < before.firstAt) return [];
  return [{ kind: 'key', key: { ...before, ...identity, incidentId, alertId } }, ...withdraw(state, before, at)];
}

/**
 * The alert that should have opened an incident went to another one (it reopened, or joined the key's holder): the incident
 * that was expected does not exist, so nothing may be correlated to it. Should it come to exist, its own fact says so.
 */
function withdraw(state: CorrelationView, before: KeyHolder, at: Millis): Change[] {
  if (before.incidentId === null) return [];
  const expected = state.incident(before.scope, before.incidentId);
  const neverOpened = expected?.version === 0 && expected.incidentId === incidentIdOf(before.scope, before.alertId);
  return neverOpened ? [{ kind: 'incident', incident: closed(copyOfIncident(expected), at, expected.version) }] : [];
}
