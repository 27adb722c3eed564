import type { SyncLinkDocument } from '@tocsin/contracts';
import {
  canonical,
  decideWrite,
  fieldIsMet,
  knownAfter,
  mapsOf,
  statusFor,
  statusIsMet,
  valueFor,
  type KnownValue,
  type SyncOp,
} from '@tocsin/domain/sync';
import type { Output, Pipeline, Tx } from '@tocsin/postgres';
import type { Pool } from 'pg';
import { noteOutput } from './command-outputs.ts';
import { agree, linkEntry, noteError, rememberComments, settleValues } from './entry-store.ts';
import { beginOp, finishOp, type DueOp, type OpOutcome, type SyncEntry } from './op-store.ts';
import { SyncFailure, type Ticket, type TicketRef, type TicketSystem } from './ticket-system.ts';

export interface CarryParts {
  pool: Pool;
  pipeline: Pick<Pipeline, 'commitCommand'>;
  link: SyncLinkDocument;
  system: TicketSystem;
  clock: () => Date;
  /** How long a search may not know of an issue that was just made. */
  indexedWithinMs: number;
}

/** Try again then; it counts for nothing. */
export class NotYet extends Error {
  constructor(readonly until: Date) {
    super('a creation that was cut off may not be found yet');
  }
}

type Kind<K extends SyncOp['kind']> = Extract<SyncOp, { kind: K }>;

/** Does one op on the other side and stores what came of it. @throws SyncFailure, NotYet */
export async function carryOut(due: DueOp, parts: CarryParts): Promise<void> {
  const { op } = due;
  if (op.kind === 'create') return create(due, op, parts);
  const { externalId } = due.entry;
  if (externalId === null) return end(due, parts, { outcome: 'dropped', error: 'there is no issue for this incident' });
  if (op.kind === 'comment') return comment(due, op, { ...parts, externalId });
  if (op.kind === 'status') return setStatus(due, op, { ...parts, externalId });
  return setFields(due, op, { ...parts, externalId });
}

type Linked = CarryParts & { externalId: string };

/** The mark is searched before anything is made: what an earlier attempt has made is found again. */
async function create(due: DueOp, op: Kind<'create'>, parts: CarryParts): Promise<void> {
  const { system, clock, link, indexedWithinMs, pool } = parts;
  const { creatingSince } = due.entry;
  const now = clock();
  if (creatingSince && now.getTime() - creatingSince.getTime() < indexedWithinMs)
    throw new NotYet(new Date(creatingSince.getTime() + indexedWithinMs));
  const taken = op.adopt === null ? null : await system.take(op.adopt);
  let ref = taken ?? (await system.find(due.incidentId));
  if (!ref) {
    await beginOp(pool, { ...due, link: link.id }, clock(), { creating: true });
    ref = await system.create(op.incident);
  }
  const ticket = await system.read(ref.id);
  const values = Object.fromEntries(Object.entries(ticket.values).map(([name, { value }]) => [name, value]));
  await end(due, parts, { outcome: 'done' }, async (tx) => {
    const linked = await linkEntry(tx, ids(due, link), ticket);
    if (!linked) throw new SyncFailure('rejected', `${ticket.key} belongs to another incident already`);
    await agree(tx, ids(due, link), values, clock());
    const what = taken ? 'belongs to this incident' : 'was opened for this incident';
    return [noteOutput(said(due, parts, ticket, `linked:${ticket.id}`), 'sync.linked', `${ticket.key} ${what}.`)];
  });
}

async function comment(due: DueOp, op: Kind<'comment'>, parts: Linked): Promise<void> {
  const { system, pool, clock, link, externalId } = parts;
  const before = due.begun ? await system.findComment(externalId, due.eventId) : null;
  if (before === null) await beginOp(pool, { ...due, link: link.id }, clock(), {});
  const id = before ?? (await system.comment(externalId, op.text, op.internal));
  await end(due, parts, { outcome: 'done' }, async (tx) => {
    if (id) await rememberComments(tx, { ...ids(due, link), workspaceId: link.workspaceId }, [id]);
    await agree(tx, ids(due, link), {}, clock());
    return [];
  });
}

export const knownOf = ({ agreed, taken, writing }: SyncEntry, name: string): KnownValue => ({
  agreed: agreed[name] ?? null,
  takenAt: taken[name] ?? null,
  writing: writing[name] ?? null,
});

async function setStatus(due: DueOp, { status }: Kind<'status'>, parts: Linked): Promise<void> {
  const { system, link, pool, clock, externalId } = parts;
  const wanted = statusFor(link.body, status);
  if (!link.body.status || wanted === undefined) return end(due, parts, { outcome: 'dropped', error: null });
  const ticket = await system.read(externalId);
  const remote = ticket.values['status']!;
  const isMet = (value: string): boolean => statusIsMet(link.body, status, value);
  const known = knownOf(due.entry, 'status');
  const verdict = decideWrite({ isMet, at: due.at }, remote, known);
  let written = wanted;
  if (verdict === 'write' || verdict === 'overwrite') {
    await beginOp(pool, { ...due, link: link.id }, clock(), { writing: { status: wanted } });
    written = await system.setStatus(externalId, wanted, link.body.statusFields[status] ?? {});
  }
  await end(due, parts, { outcome: outcomeOf(verdict) }, async (tx) => {
    await settleValues(tx, ids(due, link), { status: knownAfter(verdict, remote, known, canonical(written)) }, clock());
    return verdict === 'overwrite' ? [lost(due, parts, ticket, 'status')] : [];
  });
}

const outcomeOf = (verdict: ReturnType<typeof decideWrite>): OpOutcome =>
  verdict === 'write' || verdict === 'overwrite' ? 'done' : verdict;

async function setFields(due: DueOp, { fields, incident }: Kind<'fields'>, parts: Linked): Promise<void> {
  const { system, link, pool, clock, externalId } = parts;
  const maps = mapsOf(link.body, 'out').filter(({ field }) => fields.includes(field));
  const ticket = await system.read(externalId);
  const writing: Record<string, string> = {};
  const after: Record<string, KnownValue> = {};
  const losers: string[] = [];
  for (const map of maps) {
    const name = map.external;
    const [remote, known] = [ticket.values[name]!, knownOf(due.entry, name)];
    const isMet = (value: string): boolean => fieldIsMet(map, incident, value);
    const verdict = decideWrite({ isMet, at: due.at }, remote, known);
    const text = canonical(valueFor(map, incident));
    after[name] = knownAfter(verdict, remote, known, text);
    if (verdict === 'write' || verdict === 'overwrite') writing[name] = text;
    if (verdict === 'overwrite') losers.push(name);
  }
  const writes = Object.keys(writing).length > 0;
  if (writes) {
    await beginOp(pool, { ...due, link: link.id }, clock(), { writing });
    await system.write(externalId, writing);
  }
  await end(due, parts, { outcome: writes ? 'done' : 'met' }, async (tx) => {
    await settleValues(tx, ids(due, link), after, clock());
    return losers.map((name) => lost(due, parts, ticket, name));
  });
}

const ids = ({ incidentId }: DueOp, { id: linkId }: SyncLinkDocument) => ({ linkId, incidentId });

const said = (...[due, { link, clock }, ticket, change]: [DueOp, CarryParts, TicketRef, string]) => ({
  ...{ link, incidentId: due.incidentId, ticket, change, sourceAt: due.at, now: clock() },
});

/** A change of theirs that an own, later one has replaced before it was taken over. */
function lost(...[due, parts, ticket, name]: [DueOp, CarryParts, Ticket, string]): Output {
  const { value, at, by } = ticket.values[name]!;
  const detail = `${name} “${value}” of ${by?.name ?? parts.link.body.name} (${at}) in ${ticket.key} gave way to a later change here (${due.at}).`;
  return noteOutput({ ...said(due, parts, ticket, `lost:${name}:${at}`), sourceAt: at }, 'sync.superseded', detail);
}

/** Ends an op together with what it brought about. Another process that was faster makes this one's result nothing. */
async function end(
  due: DueOp,
  { pipeline, clock }: CarryParts,
  how: { outcome: OpOutcome; error?: string | null },
  also: (tx: Tx) => Promise<Output[]> = () => Promise.resolve([]),
): Promise<void> {
  await pipeline.commitCommand(async (tx) => {
    const mine = await finishOp(tx, due.seq, { outcome: how.outcome, error: how.error ?? null, now: clock() });
    return { result: undefined, outputs: mine ? await also(tx) : [] };
  });
}

/** Gives an op up: the next ones of the incident go on, and the timeline says what was not done. */
export async function giveUp(due: DueOp, parts: CarryParts, error: string): Promise<void> {
  const { externalId, externalKey, externalUrl } = due.entry;
  const { link, clock } = parts;
  const ticket = { id: externalId ?? '', key: externalKey ?? link.body.name, url: externalUrl ?? link.body.baseUrl };
  await end(due, parts, { outcome: 'failed', error }, async (tx) => {
    await noteError(tx, ids(due, link), error, clock());
    const detail = `${WHAT[due.op.kind]} could not be told to ${ticket.key}: ${error}`;
    return [noteOutput(said(due, parts, ticket, `failed:${due.seq}`), 'sync.failed', detail)];
  });
}

const WHAT: Readonly<Record<SyncOp['kind'], string>> = {
  ...{ create: 'The incident', comment: 'A comment', status: 'A status', fields: 'A change of fields' },
};
