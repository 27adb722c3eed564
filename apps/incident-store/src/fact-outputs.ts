import { encodeRecord, type IncidentFact } from '@tocsin/contracts';
import { isLive, type BatchPlan, type ExistingIncident, type KeyHolder } from '@tocsin/domain/incident';
import type { Output } from '@tocsin/postgres';

const keyOf = ({ webhookId, dedupKey, resolveKey, alertId }: KeyHolder): IncidentFact['keys'][number] => ({
  webhookId,
  dedupKey,
  resolveKey,
  alertId,
});

/** What the correlator is told about an incident: whether it is open, and which keys came to it or are free now. */
export function factOutput(
  incident: ExistingIncident,
  keys: readonly KeyHolder[],
  at: string,
  by: Output['by'],
): Output {
  const { workspaceId, scope, id: incidentId, version, severity, services, lastAlertAt } = incident;
  const fact: IncidentFact['fact'] = isLive(incident)
    ? { kind: 'open', severity, services, lastAlertAt }
    : { kind: 'closed' };
  const value = encodeRecord('incident.fact.v1', {
    workspaceId,
    scope,
    incidentId,
    version,
    at,
    fact,
    keys: keys.map(keyOf),
  });
  return { topic: 'correlation.inputs', key: scope, type: 'incident.fact.v1', value, by };
}

/** The correlator expected this incident to open; its alert went to the holder of the key, so it will never exist. */
export function neverOpened(
  { workspaceId, scope, incidentId, at }: BatchPlan['unopened'][number],
  by: Output['by'],
): Output {
  const value = encodeRecord('incident.fact.v1', {
    workspaceId,
    scope,
    incidentId,
    version: 1,
    at,
    fact: { kind: 'closed' },
    keys: [],
  });
  return { topic: 'correlation.inputs', key: scope, type: 'incident.fact.v1', value, by };
}
