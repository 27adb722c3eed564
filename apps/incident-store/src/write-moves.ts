import { chunks, isLive, type IncidentChange, type KeyHolder } from '@tocsin/domain/incident';
import type { Random } from '@tocsin/nest-shell';
import type { Output, Tx } from '@tocsin/postgres';
import { eventOutputs } from './event-outputs.ts';
import { factOutput } from './fact-outputs.ts';
import { append, type AppendedStream, type StreamHead } from './incident-log.ts';
import { rehome } from './movable-store.ts';
import { rearmAlertTimers } from './timer-store.ts';

/** A fact names at most this many keys: it stays far below the size of a record. */
const FACT_KEYS = 500;

export interface Moves {
  changes: IncidentChange[];
  alertIds: readonly string[];
  targetId: string;
  heads: ReadonlyMap<string, StreamHead>;
  random: Random;
  /** Of the command: a key that a later alert took stays where that took it. */
  at: string;
}

/**
 * Writes what a merge or a move decided on every stream, and lets keys, activity and deadlines of the alerts follow, in the caller's
 * transaction. The correlator hears which incidents are closed, and which keys the target has now.
 */
export async function writeMoves(
  tx: Tx,
  { changes, alertIds, targetId, heads, random, at }: Moves,
): Promise<{ streams: AppendedStream[]; outputs: Output[] }> {
  const streams = await append(
    tx,
    changes.filter(({ events }) => events.length > 0),
    heads,
    random,
  );
  const keys = await rehome(tx, alertIds, targetId);
  await rearmAlertTimers(
    tx,
    streams.map(({ after }) => after.id),
  );
  const outputs = streams.flatMap((stream) => [
    ...eventOutputs(stream),
    ...(stream.after.id === targetId ? factsOfTarget(stream, keys, at) : factsOfSource(stream, at)),
  ]);
  return { streams, outputs };
}

const byOf = ({ after }: AppendedStream): Output['by'] => ({ stream: after.id, version: BigInt(after.version) });

/** Its keys are the target's by now; only that it is closed is news. */
const factsOfSource = (stream: AppendedStream, at: string): Output[] =>
  stream.before.status !== 'resolved' && !isLive(stream.after) ? [factOutput(stream.after, [], at, byOf(stream))] : [];

function factsOfTarget(stream: AppendedStream, keys: readonly KeyHolder[], at: string): Output[] {
  const parts = keys.length === 0 ? [[]] : [...chunks(keys, FACT_KEYS)];
  return parts.map((part) => factOutput(stream.after, part, at, byOf(stream)));
}
