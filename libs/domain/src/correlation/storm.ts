import type { Case } from './correlate.ts';
import { instantOf, MINUTE_MS, type Millis } from './moments.ts';
import type { KeyHolder, KnownIncident, StormState } from './state.ts';

/** When new keys of a scope make a storm. */
export interface StormPolicy {
  /** More new incidents a minute than this. */
  newIncidentsPerMinute: number;
}

/** What `rollUpOf` names on the incident of a storm; webhook ids never look like this. */
export const STORM = 'storm';

const WINDOW_MS = MINUTE_MS;
/** Arrivals are counted in tenths of the window, so that the state of a scope stays small whatever comes. */
const BUCKET_MS = WINDOW_MS / 10;
/** A storm is over this long after it was last above the threshold (architecture §9). */
const CALM_MS = 5 * MINUTE_MS;

/** Whether the storm goes on at this record time. */
export const isRaging = (storm: StormState | undefined, at: Millis): storm is StormState =>
  storm !== undefined && storm.overAt !== null && at - storm.overAt <= CALM_MS;

export interface Arrival {
  storm: StormState;
  /** Whether the alert rolls up. */
  rollsUp: boolean;
}

/**
 * Counts a new key that joins nothing that is there. Above the threshold, and until five minutes after that, it rolls up.
 * Records the step. Source: architecture §9.
 */
export function countArrival(one: Case, { newIncidentsPerMinute: threshold }: StormPolicy): Arrival {
  const at = one.receivedAt;
  const before = one.state.storm(one.alert.scope);
  const raging = isRaging(before, at);
  const arrivals = withArrival(before?.arrivals ?? [], at);
  const count = arrivals.reduce((sum, bucket) => (bucket.at > at - WINDOW_MS ? sum + bucket.count : sum), 0);
  const over = count > threshold;
  const overAt = over ? Math.max(at, before?.overAt ?? at) : raging ? before.overAt : null;
  const incidentId = raging ? before.incidentId : null;
  const { workspaceId, scope } = one.alert;
  const evidence = { newKeys: count, seconds: WINDOW_MS / 1_000, threshold };
  if (overAt === null) one.trail.miss('storm', 'below-threshold', evidence);
  else one.trail.hit('storm', { ...evidence, lastAboveAt: instantOf(overAt), incidentId });
  return { storm: { workspaceId, scope, arrivals, overAt, incidentId }, rollsUp: overAt !== null };
}

function withArrival(before: StormState['arrivals'], at: Millis): StormState['arrivals'] {
  const bucket = Math.floor(at / BUCKET_MS) * BUCKET_MS;
  const newest = Math.max(bucket, before.at(-1)?.at ?? bucket);
  const kept = before.filter((one) => one.at > newest - WINDOW_MS);
  const known = kept.findIndex((one) => one.at === bucket);
  if (known >= 0) return kept.map((one, index) => (index === known ? { ...one, count: one.count + 1 } : one));
  return [...kept, { at: bucket, count: 1 }].sort((a, b) => a.at - b.at);
}

/** A key that was resolved since does not come back to the incident of a storm that is over: it opens its own. Source: architecture §9. */
export const hasLeftStorm = (one: Case, holder: KeyHolder, incident: KnownIncident): boolean => {
  if (incident.rollUpOf !== STORM || holder.alertOpen) return false;
  const storm = one.state.storm(one.alert.scope);
  return !isRaging(storm, one.receivedAt) || storm.incidentId !== incident.incidentId;
};
