import type { LifecycleReason } from '@tocsin/contracts';
import { wrongState, type Rejection } from './decide.ts';
import { event, type EventContext } from './event.ts';
import type { IncidentEvent } from './events.ts';
import { arriving, leaving, raised, type MovableAlert } from './moving.ts';
import { isLive, type ExistingIncident } from './state.ts';
import type { IncidentChange } from './world.ts';

/** An incident that is to be merged away, with all its alerts. */
export interface MergeSource {
  incident: ExistingIncident;
  alerts: readonly MovableAlert[];
}

export interface Merge {
  sources: readonly MergeSource[];
  survivor: ExistingIncident;
  /** Where the survivor itself was merged into, and so on, as far as it goes. */
  survivorWentTo: readonly string[];
  note: string | null;
}

const REASON: LifecycleReason = 'merged';

/** Makes one incident of several: the survivor takes every alert, the others are closed and say where it is. */
export function mergeIncidents(merge: Merge, context: EventContext): IncidentChange[] | Rejection {
  const refused = refusalOf(merge);
  if (refused) return refused;
  const because = { ...context, reason: REASON };
  const taken = merge.sources.map((source) => ({
    before: source.incident,
    events: mergedAway(source, merge, because),
  }));
  return [...taken, { before: merge.survivor, events: survives(merge, because) }];
}

function refusalOf({ sources, survivor, survivorWentTo }: Merge): Rejection | undefined {
  for (const { incident } of sources)
    if (incident.id === survivor.id || survivorWentTo.includes(incident.id))
      return { rejected: 'merge-cycle', incidentId: incident.id };
  if (!isLive(survivor)) return wrongState(survivor);
  const gone = sources.find(({ incident }) => incident.mergedInto !== null);
  if (gone) return wrongState(gone.incident);
  const foreign = sources.find(({ incident }) => incident.scope !== survivor.scope);
  return foreign && { rejected: 'other-scope', incidentId: foreign.incident.id };
}

function mergedAway(
  { incident, alerts }: MergeSource,
  { survivor, note }: Merge,
  context: EventContext,
): IncidentEvent[] {
  const into = { incident_id: survivor.id, number: survivor.number, title: survivor.title };
  const closed = { note, alert_id: null, as_of: context.at, open_alerts: 0 };
  return [
    ...leaving(alerts, { incidentId: survivor.id, note: null }, context),
    event(context, 'IncidentsMerged', { role: 'merged', into, note }),
    ...(isLive(incident) ? [event(context, 'IncidentResolved', closed)] : []),
  ];
}

function survives({ sources, survivor, note }: Merge, context: EventContext): IncidentEvent[] {
  const incidents = sources.map(({ incident: { id, number, title, services, tags } }) => ({
    ...{ incident_id: id, number, title, services, tags },
  }));
  const live = sources.flatMap(({ incident }) => (isLive(incident) ? [incident.severity] : []));
  return [
    event(context, 'IncidentsMerged', { role: 'survivor', incidents, note }),
    ...sources.flatMap(({ incident, alerts }) =>
      arriving(alerts, { incidentId: incident.id, note: null, opens: false }, context),
    ),
    ...raised(survivor.severity, live, context),
  ];
}
