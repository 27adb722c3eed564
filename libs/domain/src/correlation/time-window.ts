import type { Case } from './correlate.ts';
import { boundedText, instantOf, MAX_INCIDENT_SPAN_MS, MINUTE_MS } from './moments.ts';
import { byActivity, type KnownIncident } from './state.ts';

/** More services than this on one incident would make it a candidate for everything. */
const MAX_INCIDENT_SERVICES = 200;

/** The services by which an incident is found: bounded, each once, first seen first. */
export const incidentServices = (names: readonly string[]): string[] =>
  [...new Set(names.map(boundedText))].slice(0, MAX_INCIDENT_SERVICES);

/**
 * The most recently active open incident that shares a service, had its last alert within the window and opened at most
 * 24 h ago. Records the step. Source: product P10.
 */
export function findByTime(one: Case): KnownIncident | undefined {
  const { enabled, windowMinutes } = one.config.correlation;
  if (!enabled || one.alert.services.length === 0) {
    one.trail.skip('time-window', enabled ? 'no-services' : 'disabled');
    return undefined;
  }
  const since = one.receivedAt - windowMinutes * MINUTE_MS;
  const evidence = {
    services: one.alert.services,
    windowMinutes,
    windowStart: instantOf(since),
    receivedAt: one.alert.receivedAt,
  };
  const best = bestOf(one, since);
  if (!best) {
    one.trail.miss('time-window', 'no-active-incident', evidence);
    return undefined;
  }
  one.trail.hit('time-window', {
    ...evidence,
    matchedService: best.service,
    incidentId: best.incident.incidentId,
    incidentLastAlertAt: instantOf(best.incident.lastAlertAt),
    incidentOpenedAt: instantOf(best.incident.openedAt),
  });
  return best.incident;
}

function bestOf(one: Case, since: number): { incident: KnownIncident; service: string } | undefined {
  let best: { incident: KnownIncident; service: string } | undefined;
  for (const service of one.alert.services) {
    for (const incident of one.state.openWith(one.alert.scope, boundedText(service), since)) {
      if (one.receivedAt - incident.openedAt > MAX_INCIDENT_SPAN_MS) continue;
      if (!best || byActivity(best.incident, incident) < 0) best = { incident, service };
      break; // the view lists the most recently active first
    }
  }
  return best;
}
