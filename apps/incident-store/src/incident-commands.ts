import { deriveId, mintId, type Actor, type PublicIncident } from '@tocsin/contracts';
import {
  decide,
  exists,
  initialState,
  isRejection,
  publicIncident,
  type ExistingIncident,
  type IncidentCommand,
  type Rejection,
} from '@tocsin/domain/incident';
import { Problem, type Caller, type Clock, type Random } from '@tocsin/nest-shell';
import type { Output, Pipeline, Tx } from '@tocsin/postgres';
import { releaseHolders } from './alert-store.ts';
import { eventOutputs } from './event-outputs.ts';
import { factOutput } from './fact-outputs.ts';
import { append, lockStreams } from './incident-log.ts';

export type PersonCommand = Exclude<IncidentCommand, { kind: 'note-rca' }>;

export interface CommandRequest {
  incidentId: string;
  command: PersonCommand;
  caller: Caller;
  idempotencyKey: string | undefined;
  expectedVersion: number | undefined;
}

/** The incident as it is now, and the events that the command has, or had, written. */
export interface CommandAnswer {
  incident: PublicIncident;
  events: { id: string; type: string; version: number; at: string }[];
}

export interface CommandParts {
  pipeline: Pipeline;
  clock: Clock;
  random: Random;
}

/**
 * Commands of people on one incident. The same Idempotency-Key is the same cause, and a cause that is in the stream
 * returns its events without a new decision (commit-batch rule 8), whatever has happened since.
 */
export class IncidentCommands {
  constructor(private readonly parts: CommandParts) {}

  /** @throws Problem not-found, wrong-state, precondition-failed, conflict */
  run(request: CommandRequest): Promise<CommandAnswer> {
    const { pipeline, clock, random } = this.parts;
    const causeId = causeOf(request, random);
    const at = clock().toISOString();
    return pipeline.commitCommand(async (tx) => {
      if (request.command.kind === 'resolve') await lockHoldersOf(tx, request.incidentId);
      const heads = await lockStreams(tx, [request.incidentId]);
      const incident = heads.get(request.incidentId)?.incident ?? initialState(request.incidentId);
      if (!exists(incident) || incident.workspaceId !== request.caller.workspaceId) throw notFound(request.incidentId);
      const before = await eventsOfCause(tx, request, causeId);
      if (before) return { result: { incident: publicIncident(incident), events: before }, outputs: [] };
      const decided = decide(request.command, incident, contextOf(request, causeId, at));
      if (isRejection(decided)) throw problemOf(decided, request.incidentId);
      const [stream] = await append(tx, [{ before: incident, events: decided }], heads, random);
      if (!stream) throw new Error(`${request.command.kind} wrote no event`);
      const facts = await factsOf(tx, incident, stream.after);
      const events = stream.events.map(({ id, version, event }) => ({ id, type: event.type, version, at: event.at }));
      return {
        result: { incident: publicIncident(stream.after), events },
        outputs: [...eventOutputs(stream), ...facts],
      };
    });
  }
}

const actorOf = ({ keyId, name }: Caller): Actor => ({ kind: 'api-key', id: keyId, name });

const contextOf = ({ caller, expectedVersion }: CommandRequest, causeId: string, at: string) => ({
  ...{ at, actor: actorOf(caller), causeId, configRevision: 0 },
  ...(expectedVersion === undefined ? {} : { expectedVersion }),
});

/** One key may be used once per caller, incident and command; without one every request is a cause of its own. */
function causeOf({ caller, incidentId, command, idempotencyKey }: CommandRequest, random: Random): string {
  if (idempotencyKey === undefined) return mintId('cmd', random(16));
  return deriveId('cmd', caller.workspaceId, caller.keyId, incidentId, command.kind, idempotencyKey);
}

/** Holders go before streams in the order of locks. */
async function lockHoldersOf(tx: Tx, incidentId: string): Promise<void> {
  await tx.query(
    `select from incident_store.key_holders where incident_id = $1
     order by scope collate "C", webhook_id collate "C", dedup_key collate "C" for update`,
    [incidentId],
  );
}

async function eventsOfCause(
  tx: Tx,
  { incidentId, command }: CommandRequest,
  causeId: string,
): Promise<CommandAnswer['events'] | undefined> {
  const { rows } = await tx.query<{ event_id: string; type: string; version: string; at: Date; body: Buffer }>(
    `select event_id, type, version, at, body from incident_store.events join incident_store.event_payloads using (stream_id, version)
     where stream_id = $1 and cause_id = $2 order by cause_ordinal`,
    [incidentId, causeId],
  );
  if (rows.length === 0) return undefined;
  for (const { body } of rows) {
    const said = JSON.parse(body.toString('utf8')) as { text?: string; note?: string | null };
    const same = command.kind === 'comment' ? said.text === command.text : (said.note ?? null) === command.note;
    if (!same) throw new Problem('conflict', 'This Idempotency-Key was used with another body.');
  }
  return rows.map(({ event_id: id, type, version, at }) => ({
    id,
    type,
    version: Number(version),
    at: at.toISOString(),
  }));
}

/** A closed incident gives its keys back, and the correlator hears it. */
async function factsOf(tx: Tx, before: ExistingIncident, after: ExistingIncident): Promise<Output[]> {
  if (before.status === after.status || after.status !== 'resolved') return [];
  const freed = await releaseHolders(tx, [], [after.id]);
  return [factOutput(after, freed, after.resolvedAt, { stream: after.id, version: BigInt(after.version) })];
}

export const notFound = (incidentId: string): Problem =>
  new Problem('not-found', `There is no incident ${incidentId}.`);

function problemOf(rejection: Rejection, incidentId: string): Problem {
  switch (rejection.rejected) {
    case 'no-such-incident':
      return notFound(incidentId);
    case 'wrong-state':
      return new Problem('wrong-state', `The incident is ${rejection.status}.`, {
        body: { current_status: rejection.status, version: rejection.version },
      });
    case 'version-mismatch':
      return new Problem('precondition-failed', `The incident is at version ${rejection.version}.`, {
        body: { version: rejection.version },
        headers: { etag: `"${rejection.version}"` },
      });
  }
}
