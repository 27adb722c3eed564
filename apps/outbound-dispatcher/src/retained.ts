import type { Tx } from '@tocsin/postgres';
import type { Pool } from 'pg';

/** Due time of what is kept: no clock comes there, so that neither claims nor polls look at it. */
export const OUT_OF_REACH = new Date('9999-12-31T00:00:00.000Z');
/** Rows of one statement. */
const RELEASE_MAX = 5_000;

/** Subscriptions that have something kept. One index probe each. */
export async function retainedSubscriptions(pool: Pool): Promise<{ subscriptionId: string; workspaceId: string }[]> {
  const { rows } = await pool.query<{ subscription_id: string; workspace_id: string }>(
    `with recursive kept as (
       (select subscription_id, workspace_id from outbound_dispatcher.deliveries where retained order by subscription_id limit 1)
       union all
       select d.subscription_id, d.workspace_id from kept cross join lateral (
         select subscription_id, workspace_id from outbound_dispatcher.deliveries
          where retained and subscription_id > kept.subscription_id order by subscription_id limit 1) d)
     select subscription_id, workspace_id from kept`,
  );
  return rows.map((row) => ({ subscriptionId: row.subscription_id, workspaceId: row.workspace_id }));
}

export interface Drain {
  subscriptionId: string;
  workspaceId: string;
  perSecond: number;
  now: Date;
}

/** When the next of many that are let go at a safe rate may go; `count` later ones are booked behind it. The row stays locked. */
export async function bookDrain(tx: Tx, drain: Drain, count: number): Promise<Date> {
  const { subscriptionId, workspaceId, perSecond, now } = drain;
  const { rows } = await tx.query<{ at: Date }>(
    `insert into outbound_dispatcher.endpoint_rates as r (subscription_id, workspace_id, next_at, drain_at)
     values ($1, $2, $3, $3::timestamptz + $4 * interval '1 second')
     on conflict (subscription_id) do update set drain_at = greatest(r.drain_at, $3) + $4 * interval '1 second'
     returning drain_at - $4 * interval '1 second' as at`,
    [subscriptionId, workspaceId, now, count / perSecond],
  );
  return rows[0]?.at ?? now;
}

/**
 * Lets what was kept for a subscription go, oldest first and spread over time: a receiver that was away for a day gets no flood.
 * @returns how many were let go
 */
export async function releaseRetained(tx: Tx, drain: Drain): Promise<number> {
  const { subscriptionId, perSecond } = drain;
  const { rows } = await tx.query<{ seq: string }>(
    `select seq from outbound_dispatcher.deliveries where subscription_id = $1 and retained
      order by seq limit ${RELEASE_MAX} for update skip locked`,
    [subscriptionId],
  );
  if (rows.length === 0) return 0;
  const from = await bookDrain(tx, drain, rows.length);
  await tx.query(
    `update outbound_dispatcher.deliveries d
        set retained = false, reason = null, due_at = $2::timestamptz + (kept.place - 1) * interval '1 second' / $3::float8
       from unnest($1::bigint[]) with ordinality as kept(seq, place) where d.seq = kept.seq`,
    [rows.map(({ seq }) => seq), from, perSecond],
  );
  return rows.length;
}
