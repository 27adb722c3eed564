import type { Actor } from '@tocsin/contracts';
import { evolve, exists, initialState, loadEvent, type Incident, type IncidentEvent } from '@tocsin/domain/incident';
import type { Tx } from '@tocsin/postgres';
import type { ProjectedStream } from '../projection-store.ts';

interface Row {
  stream_id: string;
  version: string;
  type: string;
  schema_version: number;
  at: Date;
  actor: Actor;
  cause_id: string;
  reason: string | null;
  config_revision: string;
  body: string | null;
}

/** The log of a stream is not what its head says: an audit tells more. */
export class LogDamagedError extends Error {
  readonly code = 'log-damaged';
}

const eventOf = (row: Row): IncidentEvent => {
  if (row.body === null)
    throw new LogDamagedError(`the content of ${row.stream_id} version ${row.version} is not there: run verify-audit`);
  return loadEvent({
    ...{ type: row.type, schemaVersion: row.schema_version, at: row.at.toISOString(), actor: row.actor },
    ...{ causeId: row.cause_id, reason: row.reason, configRevision: Number(row.config_revision) },
    data: JSON.parse(row.body) as Record<string, unknown>,
  });
};

/** Whole streams out of the log, folded from their first event. Bodies come as text: as bytea they would come twice as large, in hex. */
export async function readStreams(tx: Tx, ids: readonly string[]): Promise<ProjectedStream[]> {
  const { rows } = await tx.query<Row>(
    `select e.stream_id, e.version, e.type, e.schema_version, e.at, e.actor, e.cause_id, e.reason, e.config_revision,
            convert_from(p.body, 'UTF8') as body
       from incident_store.events e left join incident_store.event_payloads p using (stream_id, version)
      where e.stream_id = any($1) order by e.stream_id, e.version`,
    [ids],
  );
  return [...Map.groupBy(rows, ({ stream_id }) => stream_id)].map(([id, own]) => foldStream(id, own));
}

function foldStream(id: string, rows: readonly Row[]): ProjectedStream {
  const before = initialState(id);
  let after: Incident = before;
  const events = rows.map((row) => {
    if (Number(row.version) !== after.version + 1)
      throw new LogDamagedError(`${id} has no version ${after.version + 1}: run verify-audit`);
    const event = eventOf(row);
    after = evolve(after, event);
    return { event };
  });
  const folded: Incident = after;
  if (!exists(folded)) throw new LogDamagedError(`the first event of ${id} opens no incident: run verify-audit`);
  return { before, after: folded, events };
}
