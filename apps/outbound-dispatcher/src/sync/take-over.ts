import type { ExternalCommand, SyncFieldMap, SyncLinkDocument } from '@tocsin/contracts';
import { asFieldIn, knownAfterReading, mapsOf, readRemote, statusFrom, valueFrom } from '@tocsin/domain/sync';
import type { Output, Pipeline } from '@tocsin/postgres';
import type { Pool } from 'pg';
import { knownOf } from './carry-out.ts';
import { commandOutput } from './command-outputs.ts';
import { entriesOf, lockEntry, readUpTo, rememberComments } from './entry-store.ts';
import { moveCursor, stateOf } from './link-state-store.ts';
import type { SyncEntry } from './op-store.ts';
import { SyncFailure, type Ticket, type TicketComment, type TicketSystem, type TicketValue } from './ticket-system.ts';

export interface TakeOverParts {
  pool: Pool;
  pipeline: Pick<Pipeline, 'commitCommand'>;
  link: SyncLinkDocument;
  system: TicketSystem;
  clock: () => Date;
}

/** Each reading begins a little before the end of the last: clocks differ, and an index is late. What was read is known by its version. */
const OVERLAP_MS = 120_000;
/** An issue can turn up so late in the list of changed ones, its comments with it. */
const COMMENT_OVERLAP_MS = 15 * 60_000;

/** Reads what has changed on the other side since the last time, and says it to incident-store. @throws SyncFailure */
export async function takeOverChanges(parts: TakeOverParts): Promise<void> {
  const { pool, link, system, clock } = parts;
  const at = { linkId: link.id, workspaceId: link.workspaceId };
  const { readUntil } = await stateOf(pool, link.id);
  const since = readUntil ?? clock();
  if (!readUntil) await moveCursor(pool, at, since);
  for await (const changed of system.changed(new Date(since.getTime() - OVERLAP_MS))) {
    const entries = await entriesOf(
      pool,
      link.id,
      changed.map(({ id }) => id),
    );
    for (const { id, version } of changed) {
      const entry = entries.get(id);
      if (entry && entry.remoteVersion !== version) await takeOver(entry, id, since, parts);
    }
    const last = changed.at(-1);
    if (last) await moveCursor(pool, at, new Date(last.updatedAt));
  }
}

async function takeOver(found: SyncEntry, id: string, since: Date, parts: TakeOverParts): Promise<void> {
  const { link, system, pipeline, clock } = parts;
  const { comments, workNotes } = link.body;
  let ticket: Ticket;
  let said: TicketComment[] = [];
  try {
    ticket = await system.read(id);
    const from = Math.max(found.createdAt.getTime(), since.getTime() - COMMENT_OVERLAP_MS);
    if (comments || workNotes) said = await system.comments(id, new Date(from));
  } catch (error) {
    if (error instanceof SyncFailure && error.kind === 'gone') return; // deleted, or out of our sight, since it was listed
    throw error;
  }
  await pipeline.commitCommand(async (tx) => {
    const of = { linkId: link.id, incidentId: found.incidentId };
    const entry = await lockEntry(tx, of);
    if (!entry) return { result: undefined, outputs: [] };
    const fresh = await rememberComments(
      tx,
      { ...of, workspaceId: link.workspaceId },
      said.map(({ id: one }) => one),
    );
    const base = { link, incidentId: found.incidentId, ticket, now: clock() };
    const outputs = [...commentsOf(base, said, fresh), ...valuesOf(base, entry)];
    const values = Object.fromEntries(Object.entries(ticket.values).map(([name, { value }]) => [name, value]));
    const read = { version: ticket.version, values, taken: takenOf(ticket, entry), written: writtenOf(ticket, entry) };
    await readUpTo(tx, of, { ...read, now: clock() });
    return { result: undefined, outputs };
  });
}

type Base = { link: SyncLinkDocument; incidentId: string; ticket: Ticket; now: Date };

/** Ours are known by their author, and by their ids where the author is a person's account. */
function commentsOf(base: Base, said: readonly TicketComment[], fresh: ReadonlySet<string>): Output[] {
  const { comments, workNotes } = base.link.body;
  return said
    .filter(({ id, own, internal }) => fresh.has(id) && !own && (internal ? workNotes : comments))
    .map(({ id, text, at, by }) =>
      commandOutput({ ...base, change: `comment:${id}`, by, sourceAt: at }, { kind: 'comment', text }),
    );
}

function valuesOf(base: Base, entry: SyncEntry): Output[] {
  const { body } = base.link;
  const outputs: Output[] = [];
  const offer = (name: string, commandFor: (remote: TicketValue) => ExternalCommand | undefined): void => {
    const remote = base.ticket.values[name];
    if (!remote || !isNews(remote, entry, name)) return;
    const command = commandFor(remote);
    const change = `${name}:${remote.at}:${remote.value.slice(0, 40)}`;
    if (command) outputs.push(commandOutput({ ...base, change, by: remote.by, sourceAt: remote.at }, command));
  };
  if (body.status) offer('status', ({ value }) => statusCommand(base.link, value));
  for (const map of mapsOf(body, 'in')) offer(map.external, ({ value }) => fieldCommand(map, value));
  return outputs;
}

const isNews = (remote: TicketValue, entry: SyncEntry, name: string): boolean =>
  readRemote(remote, knownOf(entry, name)) === 'news';

/** Values that somebody has set there, with the times. */
const takenOf = ({ values }: Ticket, entry: SyncEntry): Record<string, string> =>
  Object.fromEntries(
    Object.entries(values)
      .filter(([name, remote]) => isNews(remote, entry, name))
      .map(([name, { at }]) => [name, at]),
  );

/** Values of which a write was under way, and is over as far as was read. */
const writtenOf = ({ values }: Ticket, entry: SyncEntry): string[] =>
  Object.entries(values)
    .filter(([name, remote]) => knownAfterReading(remote, knownOf(entry, name)).writing === null)
    .map(([name]) => name);

function statusCommand({ body }: SyncLinkDocument, external: string): ExternalCommand | undefined {
  const status = statusFrom(body, external);
  return status && { kind: 'status', status, external };
}

function fieldCommand(map: SyncFieldMap, external: string): ExternalCommand | undefined {
  const value = valueFrom(map, external);
  return value === undefined ? undefined : { kind: 'fields', fields: { [asFieldIn(map)]: value } };
}
