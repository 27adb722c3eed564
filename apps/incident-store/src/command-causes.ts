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

/** One key may be used once per caller, incident and command; without one every request is a cause of its own. */
export function causeOf({ caller, incidentId, idempotencyKey }: Asking, kind: string, random: Random): string {
  if (idempotencyKey === undefined) return mintId('cmd', random(16));
  return deriveId('cmd', caller.workspaceId, caller.keyId, incidentId, kind, idempotencyKey);
}

/** The events that this cause has written, with their content. */
export async function eventsOfCause(
  tx: Tx,
  incidentId: string,
  causeId: string,
): Promise<(WrittenEvent & { body: Buffer })[] | undefined> {
  const { rows } = await tx.query<{ event_id: string; type: string; version: string; at: Date; body: Buffer }>(
    `select event_id, type, version, at, body from incident_store.events join incident_store.event_payloads using (stream_id, version)
     where stream_id = $1 and cause_id = $2 order by cause_ordinal`,
    [incidentId, causeId],
  );
  if (rows.length === 0) return undefined;
  return rows.map(({ event_id: id, type, version, at, body }) => ({
    ...{ id, type, version: Number(version), at: at.toISOString(), body },
  }));
}

/** The key was used before, for something else. */
export const otherBody = (): Problem => new Problem('conflict', 'This Idempotency-Key was used with another body.');
