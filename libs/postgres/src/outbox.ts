import type { Topic } from '@tocsin/contracts';
import { headerNames, type AppendRecord, type Source } from '@tocsin/event-log';
import type { Pool } from 'pg';
import { HandlerContractError } from './errors.ts';
import { markOf } from './mark.ts';
import { packed, unpacked, type Place } from './outbox-pack.ts';
import type { Input, Mark, Output } from './pipeline.ts';

type Querier = Pick<Pool, 'query'>;

/** Committed records on their way to the log. */
export interface OutboxRow {
  id: bigint;
  records: readonly AppendRecord[];
}

/** Rows per append: a row is a page or so of small records, or one record of at most 256 KiB. */
const READ_ROWS = 200;

/** What the outputs of one transaction follow from; without a batch only streams are possible. */
export interface Cause {
  origin: string;
  inputs: readonly Input[];
}

interface Placed {
  output: Output;
  origin: string;
  offset: bigint;
}

/** Where inputs of causes come from, and the one trace where all have the same. */
interface Found {
  of(input: bigint | Input): { origin: string; input: Input } | undefined;
  trace: string | undefined;
}

function foundOf(causes: readonly Cause[]): Found {
  const traces = new Set(causes.flatMap(({ inputs }) => inputs.map(({ headers }) => headers[headerNames.trace])));
  const [only] = causes;
  return {
    of: only && causes.length === 1 ? inOne(only) : inSeveral(causes),
    trace: traces.size === 1 ? [...traces][0] : undefined, // several causes: none of them is the one
  };
}

function inOne({ origin, inputs }: Cause): Found['of'] {
  const byOffset = new Map(inputs.map((input) => [input.offset, input]));
  return (named) => {
    const input = byOffset.get(typeof named === 'bigint' ? named : named.offset);
    return input && { origin, input };
  };
}

/** Of several partitions: they may have the same offsets. */
function inSeveral(causes: readonly Cause[]): Found['of'] {
  const origins = new Map(causes.flatMap(({ origin, inputs }) => inputs.map((input) => [input, origin] as const)));
  return (named) => {
    const origin = typeof named === 'bigint' ? undefined : origins.get(named);
    return origin === undefined ? undefined : { origin, input: named as Input };
  };
}

function placed(output: Output, cause: Found): Placed {
  if ('stream' in output.by) return { output, origin: output.by.stream, offset: output.by.version };
  const { input } = output.by;
  const found = cause.of(input);
  if (found) return { output, origin: found.origin, offset: found.input.offset };
  const name = typeof input === 'bigint' ? input : input.offset;
  throw new HandlerContractError(`an output on ${output.topic} names input ${name}, which is not in the batch`);
}

/**
 * Readers drop what is not above the highest mark they saw, so per origin the outputs must leave in the order of their
 * marks: the places that one origin takes are refilled by offset, all else stays as the stage gave it.
 */
function inMarkOrder(all: Placed[]): Placed[] {
  if (all.every((one, index) => index === 0 || isInOrder(all[index - 1] as Placed, one))) return all;
  const byOrigin = Map.groupBy(all, ({ origin }) => origin);
  const queues = new Map(
    [...byOrigin].map(([origin, group]) => [
      origin,
      group.toSorted((a, b) => (a.offset < b.offset ? -1 : a.offset > b.offset ? 1 : 0)).values(),
    ]),
  );
  return all.map(({ origin }) => queues.get(origin)!.next().value as Placed);
}

const isInOrder = (before: Placed, { origin, offset }: Placed): boolean =>
  before.origin === origin && before.offset <= offset;

function traceOf({ by }: Output, cause: Found): string | undefined {
  if (by.input === undefined) return cause.trace;
  return cause.of(by.input)?.input.headers[headerNames.trace];
}

/** The records of a transaction's outputs in publishing order, with type, mark and carried trace. @throws HandlerContractError */
export const recordsOf = (outputs: readonly Output[], from: readonly Cause[] = []): AppendRecord[] =>
  recorderOf(from)(outputs);

/** The same for outputs that come in lots: each lot follows from inputs, or versions, that are not before those of earlier ones. */
export function recorderOf(from: readonly Cause[]): (lot: readonly Output[]) => AppendRecord[] {
  const cause = foundOf(from);
  const last = new Map<string, { offset: bigint; ordinal: number }>();
  return (lot) =>
    inMarkOrder(lot.map((output) => placed(output, cause))).map(({ output, origin, offset }) => {
      const before = last.get(origin);
      if (before && before.offset > offset)
        throw new HandlerContractError(`an output on ${output.topic} of ${offset} comes after one of ${before.offset}`);
      const ordinal = before?.offset === offset ? before.ordinal + 1 : 0;
      last.set(origin, { offset, ordinal });
      const trace = traceOf(output, cause);
      const headers: Record<string, string> = {};
      if (trace !== undefined) headers[headerNames.trace] = trace;
      if (output.headers) Object.assign(headers, output.headers);
      headers[headerNames.type] = output.type;
      headers[headerNames.mark] = markOf({ origin, offset, ordinal });
      return { topic: output.topic, key: output.key, value: output.value, headers };
    });
}

/** Marks that a batch moves. */
export interface Consumed {
  source: Source;
  marks: readonly Mark[];
  today: string;
}

export interface Writes {
  lane: string;
  records: readonly AppendRecord[];
  /** Channel that wakes the publisher in another process. */
  notify?: string;
}

/**
 * Marks and outputs of a batch in one statement. Values go as one binary parameter and their heads as another, cut up by the
 * server: an array of bytea would go as hex text. @returns the outbox rows, ids in publishing order.
 */
export async function writeOutcome(
  db: Querier,
  schema: string,
  writes: Writes,
  consumed?: Consumed,
): Promise<OutboxRow[]> {
  const { records, lane, notify } = writes;
  const marks = consumed?.marks ?? [];
  if (records.length === 0 && marks.length === 0) return [];
  const source = consumed?.source;
  const { packs, heads, values } = packed(records);
  const { rows } = await db.query<{ id: string }>(
    `with marked as (
       insert into ${schema}.consumer_marks (consumer_group, topic, partition, origin, mark_offset, ordinal, touched_on)
       select $1, $2, $3, origin, mark_offset, ordinal, $4::date from unnest($5::text[], $6::bigint[], $7::int[]) m (origin, mark_offset, ordinal)
       on conflict (consumer_group, topic, partition, origin)
       do update set mark_offset = excluded.mark_offset, ordinal = excluded.ordinal, touched_on = excluded.touched_on
     ), written as (
       insert into ${schema}.outbox (lane, topic, value)
       select $8, topics, substring($10::bytea from head_start for head_length) || substring($11::bytea from value_start for value_length)
       from unnest($9::text[], $12::int[], $13::int[], $14::int[], $15::int[])
         with ordinality r (topics, head_start, head_length, value_start, value_length, n) order by n
       returning id
     ) select id${notify === undefined ? '' : ', pg_notify($16, null)'} from written order by id`,
    [
      ...[source?.group ?? '', source?.topic ?? '', source?.partition ?? 0, consumed?.today ?? null],
      ...[
        marks.map(({ origin }) => origin),
        marks.map(({ offset }) => offset.toString()),
        marks.map(({ ordinal }) => ordinal),
      ],
      ...[lane, packs.map(({ topics }) => topics), heads, values],
      ...[...placesOf(packs.map(({ head }) => head)), ...placesOf(packs.map((pack) => pack.values))],
      ...(notify === undefined ? [] : [notify]),
    ],
  );
  return rows.map(({ id }, index) => ({ id: BigInt(id), records: packs[index]!.records }));
}

/** Rows of an earlier release hold one record each, and its names in columns. */
interface StoredRow {
  id: string;
  topic: Topic;
  key: string | null;
  headers: Record<string, string> | null;
  value: Buffer;
}
const rowOf = ({ id, topic, key, headers, value }: StoredRow): OutboxRow => ({
  id: BigInt(id),
  records: key === null || headers === null ? unpacked(value) : [{ topic, key, headers, value }],
});

/** As PostgreSQL counts, from 1. */
const placesOf = (places: readonly Place[]): number[][] => [
  places.map(({ start }) => start + 1),
  places.map(({ length }) => length),
];

/** The oldest rows, in id order: of one lane, or of all. Ids are drawn before the commit, so there is no cursor: what was sent is deleted. */
export async function readOutbox(db: Querier, schema: string, lane?: string): Promise<OutboxRow[]> {
  const { rows } = await db.query<StoredRow>(
    `select id, topic, key, headers, value from ${schema}.outbox ${lane === undefined ? '' : 'where lane = $1'} order by id limit ${READ_ROWS}`,
    lane === undefined ? [] : [lane],
  );
  return rows.map(rowOf);
}

/** Ids of the oldest rows of all lanes, in order. */
export async function readOutboxIds(db: Querier, schema: string): Promise<bigint[]> {
  const { rows } = await db.query<{ id: string }>(`select id from ${schema}.outbox order by id limit ${READ_ROWS}`, []);
  return rows.map(({ id }) => BigInt(id));
}

/** These rows, as far as they are there. */
export async function readOutboxRows(db: Querier, schema: string, ids: readonly bigint[]): Promise<OutboxRow[]> {
  const { rows } = await db.query<StoredRow>(
    `select id, topic, key, headers, value from ${schema}.outbox where id = any($1::bigint[]) order by id`,
    [ids.map(String)],
  );
  return rows.map(rowOf);
}

/** Removes what is durable on the log. Its commit need not be flushed: a row that comes back is a repeat, and readers drop it by its mark. */
export async function deleteSent(db: Querier, schema: string, rows: readonly OutboxRow[]): Promise<void> {
  await db.query(
    `with lazily as materialized (select set_config('synchronous_commit', 'off', true))
     delete from ${schema}.outbox using lazily where id = any($1::bigint[])`,
    [rows.map(({ id }) => id.toString())],
  );
}

export async function lanesWithRows(db: Querier, schema: string): Promise<string[]> {
  const { rows } = await db.query<{ lane: string }>(`select distinct lane from ${schema}.outbox`);
  return rows.map(({ lane }) => lane);
}
