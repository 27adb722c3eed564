import type { Pool } from 'pg';
import { dropProbes } from './endpoint-store.ts';

/** A delivery that this worker holds until it finishes it or its lease ends. */
export interface ClaimedDelivery {
  seq: string;
  id: string;
  workspaceId: string;
  subscriptionId: string;
  subscriptionName: string;
  configRevision: number;
  eventId: string;
  eventType: string;
  incidentId: string | null;
  sequence: number | null;
  body: string;
  contentType: string;
  contentHeaders: Record<string, string>;
  /** Attempts made before this one. */
  attempts: number;
  /** … of which so many were made before somebody asked for it again. */
  attemptsBase: number;
  /** Asked for by hand: sent also while the subscription is paused, and once only. */
  test: boolean;
  /** Revision of the subscription at which its receiver was disabled; null = it is not. */
  disabledRevision: number | null;
  leaseToken: string;
}

interface ClaimedRow {
  seq: string;
  id: string;
  workspace_id: string;
  subscription_id: string;
  subscription_name: string;
  config_revision: string;
  event_id: string;
  event_type: string;
  incident_id: string | null;
  sequence: string | null;
  body: string;
  content_type: string;
  content_headers: Record<string, string>;
  attempts: number;
  attempts_base: number;
  test: boolean;
  disabled_revision: string | null;
  lease_token: string;
}

const claimedOf = (row: ClaimedRow): ClaimedDelivery => ({
  seq: row.seq,
  id: row.id,
  workspaceId: row.workspace_id,
  subscriptionId: row.subscription_id,
  subscriptionName: row.subscription_name,
  configRevision: Number(row.config_revision),
  eventId: row.event_id,
  eventType: row.event_type,
  incidentId: row.incident_id,
  sequence: row.sequence === null ? null : Number(row.sequence),
  body: row.body,
  contentType: row.content_type,
  contentHeaders: row.content_headers,
  attempts: row.attempts,
  attemptsBase: row.attempts_base,
  test: row.test,
  disabledRevision: row.disabled_revision === null ? null : Number(row.disabled_revision),
  leaseToken: row.lease_token,
});

/** First half of the advisory lock's key by which a worker is known to be alive; the second half is the worker's id. */
export const WORKER_LOCK_CLASS = 0x746f6364;
/** Channel on which a worker without room tells the others that something is due. */
export const DUE_CHANNEL = 'outbound_dispatcher_due';

export interface Wanted {
  subscriptionId: string;
  /** The caller has taken the probe of its open circuit. */
  probe: boolean;
  /** How many more it may have in flight. */
  slots: number;
  /** Timeout of the subscription and a margin. */
  leaseMs: number;
}

/**
 * Claims what is due for these subscriptions, oldest first in each: no subscription waits behind another's backlog. One whose circuit is open
 * gets nothing but the probe that the caller has taken.
 */
export async function claimDue(
  pool: Pool,
  claim: { wanted: readonly Wanted[]; limit: number; now: Date; workerId: number; leaseToken: string },
): Promise<ClaimedDelivery[]> {
  const { rows } = await pool.query<ClaimedRow>(
    `with picked as (
       select d.seq, want.lease_ms, e.disabled_revision
         from unnest($1::text[], $2::int[], $3::int[], $8::boolean[]) as want(subscription_id, slots, lease_ms, probe)
         left join outbound_dispatcher.endpoints e on e.subscription_id = want.subscription_id
        cross join lateral (
          select seq from outbound_dispatcher.deliveries
           where subscription_id = want.subscription_id and head and lease_token is null and finished_at is null and due_at <= $5
             and (e.open_until is null or want.probe or test)
           order by due_at, seq limit want.slots for update skip locked) d
        limit $4)
     update outbound_dispatcher.deliveries d
        set lease_token = $6, lease_until = $5::timestamptz + picked.lease_ms * interval '1 millisecond', claimed_by = $7, mergeable = false
       from picked where d.seq = picked.seq
     returning d.seq, d.id, d.workspace_id, d.subscription_id, d.subscription_name, d.config_revision, d.event_id, d.event_type, d.incident_id,
               d.sequence, d.body, d.content_type, d.content_headers, d.attempts, d.attempts_base, d.test, d.lease_token,
               picked.disabled_revision`,
    [
      claim.wanted.map(({ subscriptionId }) => subscriptionId),
      claim.wanted.map(({ slots }) => slots),
      claim.wanted.map(({ leaseMs }) => leaseMs),
      ...[claim.limit, claim.now, claim.leaseToken, claim.workerId],
      claim.wanted.map(({ probe }) => probe),
    ],
  );
  return rows.map(claimedOf);
}

export interface DueSubscription {
  subscriptionId: string;
  /** Its circuit is open, and the time of a probe has come. */
  probe: boolean;
}

/** Subscriptions that have something due and may be tried. Costs one index probe per subscription with anything waiting, however long the backlogs are. */
export async function dueSubscriptions(pool: Pool, now: Date): Promise<DueSubscription[]> {
  const { rows } = await pool.query<{ subscription_id: string; probe: boolean }>(
    `with recursive waiting as (
       (select subscription_id from outbound_dispatcher.deliveries
         where head and lease_token is null and finished_at is null order by subscription_id limit 1)
       union all
       select (select d.subscription_id from outbound_dispatcher.deliveries d
                where d.head and d.lease_token is null and d.finished_at is null and d.subscription_id > waiting.subscription_id
                order by d.subscription_id limit 1)
         from waiting where waiting.subscription_id is not null)
     select waiting.subscription_id, e.open_until is not null as probe
       from waiting left join outbound_dispatcher.endpoints e on e.subscription_id = waiting.subscription_id
      where (e.open_until is null or (e.open_until <= $1 and (e.probe_until is null or e.probe_until <= $1)))
        and exists (select from outbound_dispatcher.deliveries d
                     where d.subscription_id = waiting.subscription_id and d.head and d.lease_token is null and d.finished_at is null
                       and d.due_at <= $1)`,
    [now],
  );
  return rows.map((row) => ({ subscriptionId: row.subscription_id, probe: row.probe }));
}

/**
 * Frees what workers hold that are gone. A worker's session holds an advisory lock; who can take that lock has proof that the session ended.
 * The lease is for workers that hang or cannot be reached while their session lives on. Costs two index probes per worker, however long the log is.
 */
export async function reclaim(pool: Pool, now: Date): Promise<string[]> {
  const { rows } = await pool.query<{ subscription_id: string }>(
    `with recursive holders as (
       (select claimed_by from outbound_dispatcher.deliveries where lease_token is not null order by claimed_by limit 1)
       union all
       select (select d.claimed_by from outbound_dispatcher.deliveries d
                where d.lease_token is not null and d.claimed_by > holders.claimed_by order by d.claimed_by limit 1)
         from holders where holders.claimed_by is not null
     ), known as materialized (
       select claimed_by, pg_try_advisory_xact_lock($2, claimed_by) as gone from holders where claimed_by is not null
     ), free as materialized (
       select held.seq from known cross join lateral (
         select seq from outbound_dispatcher.deliveries d
          where d.lease_token is not null and d.claimed_by = known.claimed_by
            and d.lease_until < case when known.gone then 'infinity' else $1::timestamptz end
            for update skip locked) held)
     update outbound_dispatcher.deliveries d set lease_token = null, lease_until = null, claimed_by = null
      where d.seq = any (array(select seq from free)) returning d.subscription_id`,
    [now, WORKER_LOCK_CLASS],
  );
  const freed = [...new Set(rows.map((row) => row.subscription_id))];
  await dropProbes(pool, freed); // it may have been the one that probed
  return freed;
}

/** Gives claimed deliveries back untried. */
export async function giveBack(
  pool: Pool,
  deliveries: readonly Pick<ClaimedDelivery, 'seq' | 'leaseToken'>[],
): Promise<void> {
  await pool.query(
    `update outbound_dispatcher.deliveries d set lease_token = null, lease_until = null, claimed_by = null
       from unnest($1::bigint[], $2::text[]) as held(seq, token) where d.seq = held.seq and d.lease_token = held.token`,
    [deliveries.map(({ seq }) => seq), deliveries.map(({ leaseToken }) => leaseToken)],
  );
}
