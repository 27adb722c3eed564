import type { PartitionState, Source } from '@tocsin/event-log';
import { escapeLiteral, type Pool } from 'pg';

export interface Position {
  group: string;
  topic: string;
  partition: number;
  logId: string;
  next: bigint;
}

type Querier = Pick<Pool, 'query'>;
type Row = { log_id: string; next_offset: string };

const SELECT = 'select log_id, next_offset from';
const WHERE = 'where consumer_group = $1 and topic = $2 and partition = $3';

const keyOf = ({ group, topic, partition }: Source): [string, string, number] => [group, topic, partition];

export async function readPosition(
  db: Querier,
  schema: string,
  source: Source,
): Promise<{ logId: string; next: bigint } | undefined> {
  const { rows } = await db.query<Row>(`${SELECT} ${schema}.consumer_positions ${WHERE}`, keyOf(source));
  const row = rows[0];
  return row && { logId: row.log_id, next: BigInt(row.next_offset) };
}

/** The stored position; without one the earliest offset is stored, so that two owners are fenced from the first batch on. */
export async function ensurePosition(
  db: Querier,
  schema: string,
  source: Source,
  state: PartitionState,
): Promise<{ logId: string; next: bigint }> {
  const { rows } = await db.query<Row>(
    `with fresh as (
       insert into ${schema}.consumer_positions (consumer_group, topic, partition, log_id, next_offset) values ($1, $2, $3, $4, $5)
       on conflict do nothing returning log_id, next_offset
     ) select * from fresh union all ${SELECT} ${schema}.consumer_positions ${WHERE} limit 1`,
    [...keyOf(source), state.logId, state.first.toString()],
  );
  const row = rows[0];
  if (row) return { logId: row.log_id, next: BigInt(row.next_offset) };
  return ensurePosition(db, schema, source, state); // inserted by another owner after our snapshot: visible now
}

/**
 * The fence, as the first statement of the transaction and in one round trip with BEGIN: moves the position from `expected`
 * to `next`, or matches nothing when another owner has moved it. Without a row the first owner to insert it wins.
 */
export const beginFenced = (
  schema: string,
  source: Source,
  move: { logId: string; expected: bigint; next: bigint },
): string => {
  const [group, topic, logId] = [source.group, source.topic, move.logId].map(escapeLiteral);
  return `begin;
insert into ${schema}.consumer_positions as p (consumer_group, topic, partition, log_id, next_offset)
values (${group}, ${topic}, ${source.partition}, ${logId}, ${move.next})
on conflict (consumer_group, topic, partition) do update set next_offset = excluded.next_offset
where p.next_offset = ${move.expected} and p.log_id = excluded.log_id
returning next_offset`;
};

export interface Move {
  source: Source;
  logId: string;
  expected: bigint;
  next: bigint;
}

/**
 * The fence of several partitions of one topic and log, for a transaction that has begun. @returns how many were moved: all, or another owner
 * has moved one of them.
 */
export async function moveTogether(db: Querier, schema: string, moves: readonly Move[]): Promise<number> {
  const inOrder = moves.toSorted((a, b) => a.source.partition - b.source.partition); // everybody locks in this order
  const { source, logId } = inOrder[0]!;
  const { rowCount } = await db.query(
    `insert into ${schema}.consumer_positions as p (consumer_group, topic, partition, log_id, next_offset)
     select $1, $2, partition, $3, next_offset from unnest($4::int[], $5::bigint[]) as m (partition, next_offset)
     on conflict (consumer_group, topic, partition) do update set next_offset = excluded.next_offset
      where p.log_id = excluded.log_id
        and p.next_offset = (select e.expected from unnest($4::int[], $6::bigint[]) as e (partition, expected) where e.partition = p.partition)`,
    [
      ...[source.group, source.topic, logId],
      inOrder.map(({ source: { partition } }) => partition),
      ...[inOrder.map(({ next }) => next.toString()), inOrder.map(({ expected }) => expected.toString())],
    ],
  );
  return rowCount ?? 0;
}

/** Every stored position of a service (`tocsin positions show`). */
export async function showPositions(db: Querier, schema: string): Promise<Position[]> {
  const { rows } = await db.query<Row & { consumer_group: string; topic: string; partition: number }>(
    `select consumer_group, topic, partition, log_id, next_offset from ${schema}.consumer_positions order by 1, 2, 3`,
  );
  return rows.map((row) => ({
    group: row.consumer_group,
    topic: row.topic,
    partition: row.partition,
    logId: row.log_id,
    next: BigInt(row.next_offset),
  }));
}

/**
 * Moves a position by hand: the operator's way out of a halt (`tocsin positions set`). A running owner notices at its next
 * batch and goes on from here. Marks stay, so that going back applies nothing twice.
 */
export async function setPosition(
  db: Querier,
  schema: string,
  { group, topic, partition, logId, next }: Position,
): Promise<void> {
  await db.query(
    `insert into ${schema}.consumer_positions (consumer_group, topic, partition, log_id, next_offset) values ($1, $2, $3, $4, $5)
     on conflict (consumer_group, topic, partition) do update set log_id = excluded.log_id, next_offset = excluded.next_offset`,
    [group, topic, partition, logId, next.toString()],
  );
}
