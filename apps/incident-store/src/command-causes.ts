import { deriveId, mintId, type Actor } from '@tocsin/contracts';
import { Problem, type Caller, type Random } from '@tocsin/nest-shell';
import type { Tx } from '@tocsin/postgres';

/** What every command of a person comes with. */
export interface Asking {
  incidentId: string;
  caller: Caller;
  idempotencyKey: string | undefined;
  expectedVersion: number | undefined;
}

/** An event that a command has, or had, written. */
export interface WrittenEvent {
  id: string;
  type: string;
  version: number;
  at: string;
}

export const actorOf = ({ keyId, name }: Caller): Actor => ({ kind: 'api-key', id: keyId, name });

/** What a cause of its own is made of. */
export const CAUSE_BYTES = 16;

/** One key may be used once per caller, incident and command; without one every request is a cause of its own. */
export function causeOf({ caller, incidentId, idempotencyKey }: Asking, kind: string, random: Random): string {
  if (idempotencyKey === undefined) return mintId('cmd', random(CAUSE_BYTES));
  return deriveId('cmd', caller.workspaceId, caller.keyId, incidentId, kind, idempotencyKey);
}

export type CausedEvent = WrittenEvent & { body: Buffer };

/** The events that this cause has written, with their content. */
export async function eventsOfCause(tx: Tx, incidentId: string, causeId: string): Promise<CausedEvent[] | undefined> {
  return (await eventsOfCauses(tx, [{ incidentId, causeId }])).get(causeId);
}

/** The same for several causes, by cause; one that has written nothing is not there. */
export async function eventsOfCauses(
  tx: Tx,
  asked: readonly { incidentId: string; causeId: string }[],
): Promise<Map<string, CausedEvent[]>> {
  if (asked.length === 0) return new Map();
  const { rows } = await tx.query<{
    cause_id: string;
    event_id: string;
    type: string;
    version: string;
    at: Date;
    body: Buffer;
  }>(
    `select e.cause_id, e.event_id, e.type, e.version, e.at, p.body
       from unnest($1::text[], $2::text[]) as asked (stream_id, cause_id)
       join incident_store.events e on e.stream_id = asked.stream_id and e.cause_id = asked.cause_id
       join incident_store.event_payloads p on p.stream_id = e.stream_id and p.version = e.version order by e.cause_ordinal`,
    [asked.map(({ incidentId }) => incidentId), asked.map(({ causeId }) => causeId)],
  );
  const events = Map.groupBy(rows, (row) => row.cause_id);
  return new Map(
    [...events].map(([cause, written]) => [
      cause,
      written.map(({ event_id: id, type, version, at, body }) => ({
        ...{ id, type, version: Number(version), at: at.toISOString(), body },
      })),
    ]),
  );
}

/** The key was used before, for something else. */
export const otherBody = (): Problem => new Problem('conflict', 'This Idempotency-Key was used with another body.');
