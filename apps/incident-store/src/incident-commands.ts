import type { PublicIncident } from '@tocsin/contracts';
import {
  decide,
  editedFields,
  exists,
  isLive,
  isRejection,
  publicIncident,
  type EditableFields,
  type ExistingIncident,
  type IncidentCommand,
  type IncidentEvent,
} from '@tocsin/domain/incident';
import { Problem, type Clock, type Random } from '@tocsin/nest-shell';
import type { Output, Pipeline, Tx } from '@tocsin/postgres';
import { releaseHolders } from './alert-store.ts';
import { actorOf, causeOf, eventsOfCause, type Asking, type WrittenEvent } from './command-causes.ts';
import { notFound, problemOf } from './command-problems.ts';
import { fitting } from './custom-fields.ts';
import { eventOutputs } from './event-outputs.ts';
import { factOutput } from './fact-outputs.ts';
import { append, type StreamHead } from './incident-log.ts';
import { lockIncident } from './incident-locks.ts';

export type PersonCommand = Exclude<IncidentCommand, { kind: 'note-rca' | 'end-snooze' | 'end-alerts' }>;

export interface CommandRequest extends Asking {
  command: PersonCommand;
}

/** The incident as it is now, and the events that the command has, or had, written. */
export interface CommandAnswer {
  incident: PublicIncident;
  events: WrittenEvent[];
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
    const causeId = causeOf(request, request.command.kind, random);
    const at = clock().toISOString();
    return pipeline.commitCommand(async (tx) => {
      const { incident, heads } = await lockIncident(tx, request.incidentId, request.command.kind === 'resolve');
      if (!exists(incident) || incident.workspaceId !== request.caller.workspaceId) throw notFound(request.incidentId);
      const before = await repeatOf(tx, request, causeId);
      if (before) return { result: { incident: publicIncident(incident), events: before }, outputs: [] };
      const decided = decide(request.command, incident, contextOf(request, causeId, at));
      if (isRejection(decided)) throw problemOf(decided, request.incidentId);
      for (const event of decided) if (event.type === 'IncidentEdited') fitting(event.data.fields.custom_fields ?? {});
      const { after, events, outputs } = await appendDecided(tx, incident, decided, { heads, random });
      return { result: { incident: publicIncident(after), events }, outputs };
    });
  }
}

/** Writes what was decided and says it; nothing decided changes nothing. */
export async function appendDecided(
  tx: Tx,
  incident: ExistingIncident,
  decided: IncidentEvent[],
  { heads, random }: { heads: ReadonlyMap<string, StreamHead>; random: Random },
): Promise<{ after: ExistingIncident; events: CommandAnswer['events']; outputs: Output[] }> {
  if (decided.length === 0) return { after: incident, events: [], outputs: [] };
  const [stream] = await append(tx, [{ before: incident, events: decided }], heads, random);
  if (!stream) throw new Error('nothing was appended');
  const facts = await factsOf(tx, incident, stream.after);
  const events = stream.events.map(({ id, version, event }) => ({ id, type: event.type, version, at: event.at }));
  return { after: stream.after, events, outputs: [...eventOutputs(stream), ...facts] };
}

const contextOf = ({ caller, expectedVersion }: CommandRequest, causeId: string, at: string) => ({
  ...{ at, actor: actorOf(caller), causeId, configRevision: 0 },
  ...(expectedVersion === undefined ? {} : { expectedVersion }),
});

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
  before?: EditableFields;
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
      return Object.entries(said.fields).every(([name, value]) => {
        const asked = editedFields(command.fields, { custom_fields: said.before?.custom_fields });
        return JSON.stringify(asked[name as keyof EditableFields]) === JSON.stringify(value);
      });
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
