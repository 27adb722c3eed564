import { deriveId, mintId, type Actor, type PublicIncident } from '@tocsin/contracts';
import {
  decide,
  exists,
  initialState,
  isLive,
  isRejection,
  publicIncident,
  type EditableFields,
  type ExistingIncident,
  type IncidentCommand,
  type IncidentEvent,
  type Rejection,
} from '@tocsin/domain/incident';
import { Problem, type Caller, type Clock, type Random } from '@tocsin/nest-shell';
import type { Output, Pipeline, Tx } from '@tocsin/postgres';
import { releaseHolders } from './alert-store.ts';
import { eventOutputs } from './event-outputs.ts';
import { factOutput } from './fact-outputs.ts';
import { append, lockStreams } from './incident-log.ts';

export type PersonCommand = Exclude<IncidentCommand, { kind: 'note-rca' | 'end-snooze' }>;

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
      const { incident, heads } = await lockIncident(tx, request.incidentId, request.command.kind === 'resolve');
      if (!exists(incident) || incident.workspaceId !== request.caller.workspaceId) throw notFound(request.incidentId);
      const before = await repeatOf(tx, request, causeId);
      if (before) return { result: { incident: publicIncident(incident), events: before }, outputs: [] };
      const decided = decide(request.command, incident, contextOf(request, causeId, at));
      if (isRejection(decided)) throw problemOf(decided, request.incidentId);
      const { after, events, outputs } = await appendDecided(tx, incident, decided, { heads, random });
      return { result: { incident: publicIncident(after), events }, outputs };
    });
  }
}

/** Locks an incident, and before it the holders of its keys where it may be closed (lock order). */
export async function lockIncident(tx: Tx, incidentId: string, closes: boolean) {
  if (closes) await lockHoldersOf(tx, incidentId);
  const heads = await lockStreams(tx, [incidentId]);
  return { incident: heads.get(incidentId)?.incident ?? initialState(incidentId), heads };
}

/** Writes what was decided and says it; nothing decided changes nothing. */
export async function appendDecided(
  tx: Tx,
  incident: ExistingIncident,
  decided: IncidentEvent[],
  { heads, random }: { heads: Awaited<ReturnType<typeof lockStreams>>; random: Random },
): Promise<{ after: ExistingIncident; events: CommandAnswer['events']; outputs: Output[] }> {
  if (decided.length === 0) return { after: incident, events: [], outputs: [] };
  const [stream] = await append(tx, [{ before: incident, events: decided }], heads, random);
  if (!stream) throw new Error('nothing was appended');
  const facts = await factsOf(tx, incident, stream.after);
  const events = stream.events.map(({ id, version, event }) => ({ id, type: event.type, version, at: event.at }));
  return { after: stream.after, events, outputs: [...eventOutputs(stream), ...facts] };
}

export const actorOf = ({ keyId, name }: Caller): Actor => ({ kind: 'api-key', id: keyId, name });

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

/** The events that this cause has written, with their content. */
export async function eventsOfCause(
  tx: Tx,
  incidentId: string,
  causeId: string,
): Promise<(CommandAnswer['events'][number] & { body: Buffer })[] | undefined> {
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

/** What the same command has written before; undefined where it is new. */
async function repeatOf(
  tx: Tx,
  { incidentId, command }: CommandRequest,
  causeId: string,
): Promise<CommandAnswer['events'] | undefined> {
  const before = await eventsOfCause(tx, incidentId, causeId);
  for (const { body } of before ?? []) {
    if (!saysTheSame(command, JSON.parse(body.toString('utf8')) as Said))
      throw new Problem('conflict', 'This Idempotency-Key was used with another body.');
  }
  return before?.map(({ body: _body, ...event }) => event);
}

interface Said {
  text?: string;
  note?: string | null;
  until?: string;
  assignee?: string | null;
  fields?: EditableFields;
  to?: string;
}

/** Whether an event that is stored says what the command asks for. */
function saysTheSame(command: PersonCommand, said: Said): boolean {
  switch (command.kind) {
    case 'comment':
      return said.text === command.text;
    case 'assign':
      return (said.assignee ?? null) === command.assignee;
    case 'snooze':
      return said.until === command.until && (said.note ?? null) === command.note;
    case 'edit':
      if (said.fields === undefined) return said.to === command.severity;
      return Object.entries(said.fields).every(
        ([name, value]) => JSON.stringify(command.fields[name as keyof EditableFields]) === JSON.stringify(value),
      );
    default:
      return (said.note ?? null) === command.note;
  }
}

/** What the correlator must hear: a closed incident gives its keys back, a closed one that a person reopens may be joined again. */
async function factsOf(tx: Tx, before: ExistingIncident, after: ExistingIncident): Promise<Output[]> {
  const by = { stream: after.id, version: BigInt(after.version) };
  if (isLive(before) === isLive(after)) return [];
  if (isLive(after)) return [factOutput(after, [], after.updatedAt, by)];
  const freed = await releaseHolders(tx, [], [after.id]);
  return [factOutput(after, freed, after.resolvedAt, by)];
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
    case 'bad-time':
      return new Problem('validation-failed', `until: ${rejection.message}`, {
        errors: [{ path: 'until', code: 'bad-time', message: rejection.message }],
      });
    case 'stale-timer':
      return new Problem('conflict', 'The snooze that this belongs to is over.');
    case 'version-mismatch':
      return new Problem('precondition-failed', `The incident is at version ${rejection.version}.`, {
        body: { version: rejection.version },
        headers: { etag: `"${rejection.version}"` },
      });
  }
}
