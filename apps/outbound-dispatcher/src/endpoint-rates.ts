import type { Pool } from 'pg';

export interface RateAsked {
  subscriptionId: string;
  workspaceId: string;
  slots: number;
  perSecond: number;
}

/**
 * How many of the slots each receiver's rate allows now. Shared by all replicas: each grant moves the time of the next one, at most one
 * second ahead, so that a burst is one second's worth.
 */
export async function takeRates(pool: Pool, asked: readonly RateAsked[], now: Date): Promise<Map<string, number>> {
  const { rows } = await pool.query<{ subscription_id: string; granted: number }>(
    `with asked as (
       select * from unnest($1::text[], $2::text[], $3::int[], $4::float8[]) as a(subscription_id, workspace_id, slots, rate)
     ), known as (
       insert into outbound_dispatcher.endpoint_rates (subscription_id, workspace_id, next_at)
       select subscription_id, workspace_id, $5 from asked order by subscription_id collate "C"
       on conflict (subscription_id) do update set next_at = greatest(endpoint_rates.next_at, $5)
       returning subscription_id, next_at
     )
     select subscription_id,
            greatest(0, least(slots, floor((1 - extract(epoch from next_at - $5)) * rate + 1e-9)))::int as granted
       from asked join known using (subscription_id)`,
    [
      asked.map(({ subscriptionId }) => subscriptionId),
      asked.map(({ workspaceId }) => workspaceId),
      asked.map(({ slots }) => slots),
      asked.map(({ perSecond }) => perSecond),
      now,
    ],
  );
  return new Map(rows.map((row) => [row.subscription_id, row.granted]));
}

/** Counts what was really claimed under a rate. */
export async function countRates(
  pool: Pool,
  used: readonly { subscriptionId: string; seconds: number }[],
): Promise<void> {
  if (used.length === 0) return;
  await pool.query(
    `update outbound_dispatcher.endpoint_rates r set next_at = r.next_at + n.seconds * interval '1 second'
       from unnest($1::text[], $2::float8[]) as n(subscription_id, seconds) where r.subscription_id = n.subscription_id`,
    [used.map(({ subscriptionId }) => subscriptionId), used.map(({ seconds }) => seconds)],
  );
}
