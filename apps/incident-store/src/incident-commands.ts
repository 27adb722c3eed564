import type { PublicIncident } from '@tocsin/contracts';
import {
  decide,
  editedFields,
  exists,
  isRejection,
  publicIncident,
  type EditableFields,
  type ExistingIncident,
  type IncidentCommand,
  type IncidentEvent,
} from '@tocsin/domain/incident';
import type { Clock, Random } from '@tocsin/nest-shell';
import { failureOf, type Pipeline } from '@tocsin/postgres';
import { appendAllDecided } from './append-decided.ts';
import {
  actorOf,
  CAUSE_BYTES,
  causeOf,
  eventsOfCauses,
  otherBody,
  type Asking,
  type CausedEvent,
  type WrittenEvent,
} from './command-causes.ts';
import { CommandGroups, type Outcome } from './command-groups.ts';
import { notFound, problemOf } from './command-problems.ts';
import { fitting } from './custom-fields.ts';
import type { StreamHead } from './incident-log.ts';
import { lockIncidents } from './incident-locks.ts';

export type PersonCommand = Exclude<IncidentCommand, { kind: 'note-rca' | 'link' | 'end-snooze' | 'end-alerts' }>;

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

/** A request with the time when it came. */
interface Timed extends CommandRequest {
  at: string;
}

/** And with the cause of what it writes. */
interface Asked extends Timed {
  causeId: string;
}

/** What a command comes to: what it had written before, or what it writes now. */
type Verdict = { incident: ExistingIncident } & ({ before: WrittenEvent[] } | { decided: IncidentEvent[] });

/**
 * Commands of people on one incident. The same Idempotency-Key is the same cause, and a cause that is in the stream
 * returns its events without a new decision (commit-batch rule 8), whatever has happened since. Commands on several incidents
 * that come at a time share a transaction; each is decided and refused by itself.
 */
export class IncidentCommands {
  private readonly groups = new CommandGroups<Timed, CommandAnswer>({
    keyOf: ({ incidentId }) => incidentId,
    run: (timed) => this.runTogether(withCauses(timed, this.parts.random)),
    isOurFault: (error) => failureOf(error).kind === 'poison',
  });

  constructor(private readonly parts: CommandParts) {}

  /** @throws Problem not-found, wrong-state, precondition-failed, conflict */
  run(request: CommandRequest): Promise<CommandAnswer> {
    return this.groups.add({ ...request, at: this.parts.clock().toISOString() });
  }

  /** Each on an incident of its own. */
  private runTogether(asked: readonly Asked[]): Promise<Outcome<CommandAnswer>[]> {
    const { pipeline, random } = this.parts;
    const closing = asked.filter(({ command }) => command.kind === 'resolve').map(({ incidentId }) => incidentId);
    const streams = asked.map(({ incidentId }) => incidentId);
    // Without a key the cause is a new one.
    const repeatable = asked.filter(({ idempotencyKey }) => idempotencyKey !== undefined);
    return pipeline.commitCommand(async (tx) => {
      const heads = await lockIncidents(tx, closing, streams);
      const before = await eventsOfCauses(tx, repeatable);
      const verdicts = asked.map((one) => outcomeOf(() => verdictOn(one, heads, before.get(one.causeId))));
      const decided = verdicts.flatMap((verdict) =>
        'answer' in verdict && 'decided' in verdict.answer
          ? [{ incident: verdict.answer.incident, events: verdict.answer.decided }]
          : [],
      );
      const appended = await appendAllDecided(tx, decided, { heads, random });
      const result = verdicts.map((verdict): Outcome<CommandAnswer> => {
        if (!('answer' in verdict)) return verdict;
        const { incident } = verdict.answer;
        if ('before' in verdict.answer)
          return { answer: { incident: publicIncident(incident), events: verdict.answer.before } };
        const { after, events } = appended.get(incident.id) ?? { after: incident, events: [] };
        return { answer: { incident: publicIncident(after), events } };
      });
      return { result, outputs: [...appended.values()].flatMap(({ outputs }) => outputs) };
    });
  }
}

/** What is random in their causes is drawn together: each draw asks the system. */
function withCauses(timed: readonly Timed[], random: Random): Asked[] {
  const drawn = random(CAUSE_BYTES * timed.length);
  return timed.map((one, index) => {
    const own = drawn.subarray(CAUSE_BYTES * index, CAUSE_BYTES * (index + 1));
    return { ...one, causeId: causeOf(one, one.command.kind, () => own) };
  });
}

function outcomeOf<Answer>(decideIt: () => Answer): Outcome<Answer> {
  try {
    return { answer: decideIt() };
  } catch (error) {
    return { error };
  }
}

/** @throws Problem where it is refused */
function verdictOn(asked: Asked, heads: ReadonlyMap<string, StreamHead>, before: CausedEvent[] | undefined): Verdict {
  const incident = heads.get(asked.incidentId)?.incident;
  if (!incident || !exists(incident) || incident.workspaceId !== asked.caller.workspaceId)
    throw notFound(asked.incidentId);
  if (before) return { incident, before: repeatOf(asked, before) };
  const decided = decide(asked.command, incident, contextOf(asked));
  if (isRejection(decided)) throw problemOf(decided, asked.incidentId);
  for (const event of decided) if (event.type === 'IncidentEdited') fitting(event.data.fields.custom_fields ?? {});
  return { incident, decided };
}

const contextOf = ({ caller, expectedVersion, causeId, at }: Asked) => ({
  ...{ at, actor: actorOf(caller), causeId, configRevision: 0 },
  ...(expectedVersion === undefined ? {} : { expectedVersion }),
});

/** What the same command has written before. @throws Problem where it was another one */
function repeatOf({ command }: CommandRequest, before: readonly CausedEvent[]): WrittenEvent[] {
  for (const { body } of before)
    if (!saysTheSame(command, JSON.parse(body.toString('utf8')) as Said)) throw otherBody();
  return before.map(({ body: _body, ...event }) => event);
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
