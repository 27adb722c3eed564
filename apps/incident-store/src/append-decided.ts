import { isLive, type ExistingIncident, type IncidentEvent } from '@tocsin/domain/incident';
import type { Random } from '@tocsin/nest-shell';
import type { Output, Tx } from '@tocsin/postgres';
import { releaseHolders } from './alert-store.ts';
import type { WrittenEvent } from './command-causes.ts';
import { eventOutputs } from './event-outputs.ts';
import { factOutput } from './fact-outputs.ts';
import { append, type AppendedStream, type StreamHead } from './incident-log.ts';

interface Appending {
  heads: ReadonlyMap<string, StreamHead>;
  random: Random;
}

/** What was decided for an incident as it was when its stream was locked. */
export interface Decided {
  incident: ExistingIncident;
  events: IncidentEvent[];
}

export interface Appended {
  after: ExistingIncident;
  events: WrittenEvent[];
  outputs: Output[];
}

/** Writes what was decided and says it; nothing decided changes nothing. */
export async function appendDecided(
  tx: Tx,
  incident: ExistingIncident,
  events: IncidentEvent[],
  appending: Appending,
): Promise<Appended> {
  const appended = await appendAllDecided(tx, [{ incident, events }], appending);
  return appended.get(incident.id) ?? { after: incident, events: [], outputs: [] };
}

/** The same for several incidents. @returns by incident; those for which nothing was decided are not there */
export async function appendAllDecided(
  tx: Tx,
  decided: readonly Decided[],
  { heads, random }: Appending,
): Promise<Map<string, Appended>> {
  const changes = decided
    .filter(({ events }) => events.length > 0)
    .map(({ incident, events }) => ({ before: incident, events }));
  const streams = await append(tx, changes, heads, random);
  const facts = await factsOf(tx, streams);
  return new Map(
    streams.map((stream) => [
      stream.after.id,
      {
        after: stream.after,
        events: stream.events.map(({ id, version, event }) => ({ id, type: event.type, version, at: event.at })),
        outputs: [
          ...eventOutputs(stream),
          ...facts.filter(({ key }) => key === stream.after.id).map(({ fact }) => fact),
        ],
      },
    ]),
  );
}

/** What the correlator must hear: a closed incident gives its keys back, a closed one that a person reopens may be joined again. */
async function factsOf(tx: Tx, streams: readonly AppendedStream[]): Promise<{ key: string; fact: Output }[]> {
  const turned = streams.filter(({ before, after }) => isLive(before) !== isLive(after));
  const closed = turned.filter(({ after }) => !isLive(after)).map(({ after }) => after.id);
  const freed = await releaseHolders(tx, [], closed);
  return turned.map(({ after }) => {
    const by = { stream: after.id, version: BigInt(after.version) };
    const keys = freed.filter(({ incidentId }) => incidentId === after.id);
    const at = after.status === 'resolved' ? after.resolvedAt : after.updatedAt;
    return { key: after.id, fact: factOutput(after, keys, at, by) };
  });
}
