import type { PublicIncident } from '@tocsin/contracts';
import { publicIncident, type ExistingIncident } from '@tocsin/domain/incident';
import type { WrittenEvent } from './command-causes.ts';
import type { CommandAnswer } from './incident-commands.ts';
import type { AppendedStream } from './incident-log.ts';

/** Of a command over several incidents: the one of the address with its events, and the others as they are now. */
export interface MoveAnswer extends CommandAnswer {
  related: PublicIncident[];
}

export const answerOf = (asked: ExistingIncident, streams: readonly AppendedStream[]): MoveAnswer => {
  const own = streams.find(({ after }) => after.id === asked.id);
  return {
    incident: publicIncident(own?.after ?? asked),
    events: (own?.events ?? []).map(({ id, version, event }) => ({ id, type: event.type, version, at: event.at })),
    related: streams.filter((stream) => stream !== own).map(({ after }) => publicIncident(after)),
  };
};

/** What the command had written, and the incidents as they are now. */
export const answerOfRepeat = (
  asked: ExistingIncident,
  events: readonly (WrittenEvent & { body: Buffer })[],
  related: readonly ExistingIncident[],
): MoveAnswer => ({
  incident: publicIncident(asked),
  events: events.map(({ body: _body, ...event }) => event),
  related: related.map(publicIncident),
});
