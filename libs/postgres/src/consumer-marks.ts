import { topics, type Topic } from '@tocsin/contracts';
import type { Source } from '@tocsin/event-log';
import type { Pool } from 'pg';
import { isAfter } from './mark.ts';
import type { Input, Mark } from './pipeline.ts';

type Querier = Pick<Pool, 'query'>;

/** Highest mark per origin that this partition's consumer has handled. */
export async function readMarks(
  db: Querier,
  schema: string,
  source: Source,
  inputs: readonly Input[],
): Promise<Map<string, Mark>> {
  const origins = [...new Set(inputs.flatMap((input) => input.mark?.origin ?? []))];
  if (origins.length === 0) return new Map();
  const { rows } = await db.query<{ origin: string; mark_offset: string; ordinal: number }>(
    `select origin, mark_offset, ordinal from ${schema}.consumer_marks
     where consumer_group = $1 and topic = $2 and partition = $3 and origin = any($4)`,
    [source.group, source.topic, source.partition, origins],
  );
  return new Map(
    rows.map((row) => [row.origin, { origin: row.origin, offset: BigInt(row.mark_offset), ordinal: row.ordinal }]),
  );
}

/** Inputs of one partition, and the marks that they move. */
export interface MarksOf {
  source: Source;
  inputs: readonly Input[];
  marks: readonly Mark[];
}

/**
 * The same for several partitions of one consumer, in one statement. Each mark is looked up by itself: a join is planned by statistics, and
 * before there are any, as in the first minutes of a table, it compared every wanted mark with every stored one.
 */
export async function readMarksOf(
  db: Querier,
  schema: string,
  parts: readonly Omit<MarksOf, 'marks'>[],
): Promise<Map<string, Mark>[]> {
  const wanted = parts.flatMap(({ source, inputs }) =>
    [...new Set(inputs.flatMap((input) => input.mark?.origin ?? []))].map((origin) => ({ source, origin })),
  );
  const found = parts.map(() => new Map<string, Mark>());
  const [first] = wanted;
  if (!first) return found;
  const { rows } = await db.query<{ partition: number; origin: string; mark_offset: string; ordinal: number }>(
    `select w.partition, w.origin, m.mark_offset, m.ordinal
       from unnest($3::int[], $4::text[]) as w(partition, origin)
      cross join lateral (
        select mark_offset, ordinal from ${schema}.consumer_marks
         where consumer_group = $1 and topic = $2 and partition = w.partition and origin = w.origin limit 1) m`,
    [
      ...[first.source.group, first.source.topic],
      wanted.map(({ source }) => source.partition),
      wanted.map(({ origin }) => origin),
    ],
  );
  const placeOf = new Map(parts.map(({ source }, place) => [source.partition, place]));
  for (const { partition, origin, mark_offset, ordinal } of rows)
    found[placeOf.get(partition)!]!.set(origin, { origin, offset: BigInt(mark_offset), ordinal });
  return found;
}

/** Stores the highest marks of several partitions of one consumer. */
export async function writeMarksOf(
  db: Querier,
  schema: string,
  parts: readonly MarksOf[],
  today: string,
): Promise<void> {
  const moved = parts.flatMap(({ source, marks }) => marks.map((mark) => ({ source, mark })));
  const [first] = moved;
  if (!first) return;
  await db.query(
    `insert into ${schema}.consumer_marks (consumer_group, topic, partition, origin, mark_offset, ordinal, touched_on)
     select $1, $2, partition, origin, mark_offset, ordinal, $3::date
       from unnest($4::int[], $5::text[], $6::bigint[], $7::int[]) m (partition, origin, mark_offset, ordinal)
     on conflict (consumer_group, topic, partition, origin)
     do update set mark_offset = excluded.mark_offset, ordinal = excluded.ordinal, touched_on = excluded.touched_on`,
    [
      ...[first.source.group, first.source.topic, today],
      moved.map(({ source }) => source.partition),
      ...[moved.map(({ mark }) => mark.origin), moved.map(({ mark }) => mark.offset.toString())],
      moved.map(({ mark }) => mark.ordinal),
    ],
  );
}

/** Splits off what was handled before, and says which marks are the highest afterwards. Inputs are in offset order. */
export function dropRepeated(
  inputs: readonly Input[],
  known: ReadonlyMap<string, Mark>,
): { fresh: Input[]; marks: Mark[] } {
  const highest = new Map(known);
  const moved = new Map<string, Mark>();
  const fresh = inputs.filter(({ mark }) => {
    if (!mark) return true;
    const seen = highest.get(mark.origin);
    if (seen && !isAfter(mark, seen)) return false;
    highest.set(mark.origin, mark);
    moved.set(mark.origin, mark);
    return true;
  });
  return { fresh, marks: [...moved.values()] };
}

const DAY_MS = 24 * 60 * 60_000;
/** A broker deletes whole segments, and these are rolled after at most 7 days by default: so long may a record outlive its retention. */
const SEGMENT_DAYS = 8;
const PRUNE_ROWS = 5_000;

/** Days after which no record on the topic can repeat a mark; undefined for a compacted topic, which keeps records for ever. */
export function markLifeDays(topic: Topic): number | undefined {
  const { retentionMs } = topics[topic];
  return retentionMs === null ? undefined : Math.ceil(retentionMs / DAY_MS) + SEGMENT_DAYS;
}

/** Removes marks of streams and partitions that can no longer be repeated, a bounded number at a time. @returns how many */
export async function pruneMarks(db: Querier, schema: string, topic: Topic, now: Date): Promise<number> {
  const days = markLifeDays(topic);
  if (days === undefined) return 0;
  const before = new Date(now.getTime() - days * DAY_MS).toISOString().slice(0, 10);
  const { rowCount } = await db.query(
    `delete from ${schema}.consumer_marks where ctid = any(array(
       select ctid from ${schema}.consumer_marks where touched_on < $1::date and topic = $2 limit ${PRUNE_ROWS}))`,
    [before, topic],
  );
  return rowCount ?? 0;
}
