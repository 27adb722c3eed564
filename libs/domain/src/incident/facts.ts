import { incidentIdOf, type IncidentFact } from '@tocsin/contracts';
import { isLive, type ExistingIncident } from './state.ts';
import type { BatchPlan, KeyHolder } from './world.ts';

const keyOf = ({ webhookId, dedupKey, resolveKey, alertId }: KeyHolder): IncidentFact['keys'][number] => ({
  webhookId,
  dedupKey,
  resolveKey,
  alertId,
});

/** What the correlator is told about an incident: whether it is open, and which keys came to it or are free now. */
export function factAbout(incident: ExistingIncident, keys: readonly KeyHolder[], at: string): IncidentFact {
  const { workspaceId, scope, id: incidentId, version, severity, services, lastAlertAt } = incident;
  const fact: IncidentFact['fact'] = isLive(incident)
    ? { kind: 'open', severity, services, lastAlertAt: lastAlertAt ?? incident.openedAt, ...ownOf(incident) }
    : { kind: 'closed' };
  return { workspaceId, scope, incidentId, version, at, fact, keys: keys.map(keyOf) };
}

type OpenFact = Extract<IncidentFact['fact'], { kind: 'open' }>;

/** What the correlator could not know of it: it opens incidents for alerts under an id that derives from the alert. */
function ownOf({ id, scope, openingAlertId, ...incident }: ExistingIncident): Pick<OpenFact, 'own'> {
  if (openingAlertId !== null && id === incidentIdOf(scope, openingAlertId)) return {};
  const { title, connector, webhookId, source, tags, customFields } = incident;
  return { own: { title, connector, webhookId, source, tags, customFields } };
}

/** The correlator expected this incident to open; its alert went to the holder of the key, so it will never exist. */
export const factOfNeverOpened = ({
  workspaceId,
  scope,
  incidentId,
  at,
}: BatchPlan['unopened'][number]): IncidentFact => ({
  ...{ workspaceId, scope, incidentId, version: 1, at },
  fact: { kind: 'closed' },
  keys: [],
});
