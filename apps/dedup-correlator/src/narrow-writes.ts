import type { CorrelationRows, KeyHolder, KnownIncident, StoredRows } from '@tocsin/domain/correlation';
import { RetryBatchError } from '@tocsin/postgres';
import type { Lookup } from './lookup.ts';

/** Rows that a batch relies on were deleted beside it. The batch is tried again, from what is stored. */
export class RowsGone extends RetryBatchError {
  constructor() {
    super('database-conflict', 0, 'rows that were there are gone');
  }
}

/** Whether all that is new of a key is one more occurrence. */
export const isAgain = (key: KeyHolder, before: KeyHolder | undefined): boolean =>
  before !== undefined &&
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
