import type { Actor } from '@tocsin/contracts';
import type { IncidentEvent, IncidentEventType } from './events.ts';
import { published } from './outbound.ts';

/** An event as its row and its payload say it, whatever version wrote it. */
export interface StoredIncidentEvent {
  type: string;
  schemaVersion: number;
  at: string;
  actor: Actor;
  causeId: string;
  reason: string | null;
  configRevision: number;
  data: Record<string, unknown>;
}

/** From the shape of one schema version to the next one's. Pure; never throws for what that version could hold. */
export type Upcast = (data: Record<string, unknown>) => Record<string, unknown>;
export type Upcasts = Partial<Record<IncidentEventType, readonly Upcast[]>>;

/**
 * What lies between the versions of an event: the first leads from version 1 to 2, and so on. Every event is of version 1 so far, so that
 * there are none. Whoever changes a shape raises `schemaVersion`, adds the step here, and a sample of the new version beside the old ones
 * (`stored-samples/`), which stay as they are: what was stored can always be read.
 */
export const upcasts: Upcasts = {};

/** The log holds what this release does not know: a newer one wrote it. */
export class UnknownEventError extends Error {
  readonly code = 'unknown-event';
}

export const isIncidentEventType = (type: string): type is IncidentEventType => Object.hasOwn(published, type);

/** The version in which an event is written now. */
export const newestVersionOf = (type: IncidentEventType, table: Upcasts = upcasts): number =>
  1 + (table[type]?.length ?? 0);

/** A stored event in the newest shape of its type. @throws UnknownEventError */
export function loadEvent(stored: StoredIncidentEvent, table: Upcasts = upcasts): IncidentEvent {
  const { type, schemaVersion } = stored;
  if (!isIncidentEventType(type)) throw new UnknownEventError(`this release knows no event ${type}`);
  const newest = newestVersionOf(type, table);
  if (schemaVersion < 1 || schemaVersion > newest)
    throw new UnknownEventError(
      `this release knows ${type} up to version ${newest}; the log has version ${schemaVersion}`,
    );
  if (schemaVersion === newest) return stored as unknown as IncidentEvent;
  const steps = (table[type] ?? []).slice(schemaVersion - 1);
  const data = steps.reduce((older, step) => step(older), stored.data);
  return { ...stored, schemaVersion: newest, data } as unknown as IncidentEvent;
}
