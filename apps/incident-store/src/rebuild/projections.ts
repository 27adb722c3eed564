import type { Tx } from '@tocsin/postgres';
import { writeProjections, type ProjectedStream, type ProjectionSchema } from '../projection-store.ts';

export const LIVE = 'incident_store' satisfies ProjectionSchema;
/** Where a rebuild keeps its own projections until they are switched to. */
export const SHADOW = 'incident_store_rebuild' satisfies ProjectionSchema;

/** A table whose rows follow from the events of one incident each: its rows of an incident are a fold of that incident's stream. */
export interface ProjectionTable {
  readonly name: string;
  /** Columns that say where a row lies and that no event says. */
  readonly surrogate: readonly string[];
  /** Rows `t` that come of events; others are state and stay. */
  readonly derived: string;
  /** Of a row, where two incidents may never have the same one at a time. */
  readonly key: string;
}

/** All projections of this service. A new one is added here and written by `writeRebuilt`; a spec finds tables that are neither here nor state. */
export const projectionTables: readonly ProjectionTable[] = [
  { name: 'incidents', surrogate: [], derived: 'true', key: 'incident_id' },
  { name: 'incident_alerts', surrogate: ['position'], derived: 'true', key: 'alert_id' },
  { name: 'timeline', surrogate: ['position'], derived: 't.entry is null', key: 'incident_id' },
];

/** Tables that no rebuild touches: the log, what decisions need beside it, what other services told, and what triggers keep of a projection. */
export const stateTables: readonly string[] = [
  ...['events', 'event_payloads', 'unsequenced', 'commit_order', 'commit_head', 'audit_checkpoints'],
  ...['streams', 'key_holders', 'successors', 'alert_outcomes', 'receipts', 'alert_activity', 'workspace_numbers'],
  ...['recorded_alerts', 'timers', 'open_incidents', 'consumer_positions', 'consumer_marks', 'outbox', 'migrations'],
];

/** Writes the rows of whole streams where no row of them is: by the functions that write them live. */
export async function writeRebuilt(
  tx: Tx,
  streams: readonly ProjectedStream[],
  schema: ProjectionSchema,
): Promise<void> {
  if (streams.length === 0) return;
  await writeProjections(tx, streams, schema);
  if (schema === SHADOW) await writeStory(tx, streams);
}

/** Live, the story is written by the statement that appends: of each event where and when, as here. */
async function writeStory(tx: Tx, streams: readonly ProjectedStream[]): Promise<void> {
  await tx.query(
    `insert into ${SHADOW}.timeline (workspace_id, incident_id, version, at)
     select workspace_id, stream_id, version, at from ${LIVE}.events where stream_id = any($1) order by stream_id, version`,
    [streams.map(({ after }) => after.id)],
  );
}
