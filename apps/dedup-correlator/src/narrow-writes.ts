import type { CorrelationRows, KeyHolder, KnownIncident, StoredRows } from '@tocsin/domain/correlation';
import type { Lookup } from './lookup.ts';

/** Rows that a batch relies on were deleted beside it. The batch is tried again, from what is stored. */
export class RowsGone extends Error {
  /** As PostgreSQL calls it when somebody else came between: the batch is done again. */
  readonly code = '40001';
}

/** Where the row of a key stands that has one more occurrence and nothing else. */
export function placeOf(
  key: KeyHolder,
  loaded: KeyHolder | undefined,
  places: ReadonlyMap<KeyHolder, string>,
): string | undefined {
  return loaded && isOccurrence(key, loaded) ? places.get(loaded) : undefined;
}

const isOccurrence = (key: KeyHolder, before: KeyHolder): boolean =>
  key.incidentId === before.incidentId &&
  key.alertId === before.alertId &&
  key.resolveKey === before.resolveKey &&
  key.firstAt === before.firstAt &&
  key.firingKey === before.firingKey &&
  key.alertOpen === before.alertOpen &&
  key.heldUntil === before.heldUntil &&
  key.toggles.length === before.toggles.length &&
  key.toggles.every((at, index) => at === before.toggles[index]);

/** Whether all that is new of an incident is the time of its last alert. What a decision leaves as it is keeps its identity. */
export const isTouched = (incident: KnownIncident, before: KnownIncident | undefined): boolean =>
  before !== undefined &&
  incident.closedAt === before.closedAt &&
  incident.version === before.version &&
  incident.openedAt === before.openedAt &&
  incident.services === before.services &&
  incident.terms === before.terms &&
  incident.facets === before.facets &&
  incident.rollUpOf === before.rollUpOf;

/** Alerts that were taken as answered for the batch, and whose decision failed: nobody has answered them. */
export function unansweredOf(
  { alerts }: Pick<Lookup, 'alerts'>,
  { processed: before }: Pick<StoredRows, 'processed'>,
  { processed }: Pick<CorrelationRows, 'processed'>,
): string[] {
  if (processed.length + before.length === alerts.length) return [];
  const answered = new Set([...before, ...processed].map(({ alertId }) => alertId));
  return alerts.flatMap(({ id }) => (answered.has(id) ? [] : [id]));
}
