import type { ExternalLink } from '@tocsin/contracts';
import { together, type Tx } from '@tocsin/postgres';
import type { AttemptReason, Settled } from '@tocsin/domain/delivery';
import type { ClaimedDelivery } from './claim-store.ts';
import { byLane } from './lane-store.ts';
import { OUT_OF_REACH } from './retained.ts';

/** What is kept of one attempt for people who look for the cause. */
export interface AttemptLog {
  number: number;
  startedAt: Date;
  durationMs: number;
  reason: AttemptReason;
  error: string | null;
  requestHeaders: Record<string, string>;
  responseStatus: number | null;
  responseHeaders: Record<string, string> | null;
  responseBody: string | null;
  responseTruncated: boolean;
}

/** A claimed delivery and what became of it. Without `attempt` nothing was sent. */
export interface SettledDelivery {
  delivery: ClaimedDelivery;
  settled: Settled;
  attempt: AttemptLog | null;
  /** Of the subscription under which it was tried. */
  revision: number;
  /** What the receiver asked for. */
  retryAfterSeconds?: number | null;
  /** What the receiver made of it. */
  externalLink?: ExternalLink;
}

const isFinished = ({ settled }: SettledDelivery): boolean =>
  settled.status !== 'retrying' && settled.status !== 'retained';

/**
 * Stores results, lets the next delivery of each finished lane go, and returns what was accepted: a result whose lease another worker has
 * taken over meanwhile is not (its receiver saw the request, as at-least-once allows). `beside` stores what else follows from them.
 */
export async function settleDeliveries<Beside>(
  tx: Tx,
  results: readonly SettledDelivery[],
  beside: (accepted: readonly SettledDelivery[]) => Promise<Beside>,
): Promise<{ accepted: SettledDelivery[]; released: string[]; beside: Beside }> {
  const [, seqs] = await together(lockLanesOf(tx, results.filter(isFinished)), updateDeliveries(tx, results));
  const accepted = results.filter(({ delivery }) => seqs.has(delivery.seq));
  const [, released, noted] = await together(
    insertAttempts(tx, accepted),
    releaseNext(tx, accepted.filter(isFinished)),
    beside(accepted),
  );
  return { accepted, released, beside: noted };
}

const inLanes = (results: readonly SettledDelivery[]): [string[], string[]] => {
  const own = results.filter(({ delivery }) => delivery.incidentId !== null);
  return [own.map(({ delivery }) => delivery.subscriptionId), own.map(({ delivery }) => delivery.incidentId ?? '')];
};

/** The planner holds the same locks, so a delivery that it is about to add behind ours is not overlooked. */
async function lockLanesOf(tx: Tx, results: readonly SettledDelivery[]): Promise<void> {
  const lanes = results.flatMap(({ delivery: { subscriptionId, incidentId } }) =>
    incidentId === null ? [] : [[subscriptionId, incidentId] as const],
  );
  if (lanes.length === 0) return;
  lanes.sort(byLane);
  await tx.query(
    `select from unnest($1::text[], $2::text[]) as pair(s, i)
      cross join lateral (
        select from outbound_dispatcher.lanes where subscription_id = pair.s and incident_id = pair.i for update) l`,
    [lanes.map(([subscription]) => subscription), lanes.map(([, incident]) => incident)],
  );
}

async function updateDeliveries(tx: Tx, results: readonly SettledDelivery[]): Promise<Set<string>> {
  const updates = results.map(({ delivery, settled }) => ({
    ...{
      seq: delivery.seq,
      token: delivery.leaseToken,
      status: settled.status === 'retained' ? (settled.attempts > 0 ? 'retrying' : 'pending') : settled.status,
      reason: settled.reason,
      attempts: settled.attempts,
    },
    due_at: settled.status === 'retrying' ? settled.dueAt : settled.status === 'retained' ? OUT_OF_REACH : null,
    retained: settled.status === 'retained',
    finished_at: 'finishedAt' in settled ? settled.finishedAt : null,
  }));
  const { rows } = await tx.query<{ seq: string }>(
    `update outbound_dispatcher.deliveries d
        set status = n.status, reason = n.reason, attempts = n.attempts, due_at = coalesce(n.due_at, d.due_at), finished_at = n.finished_at,
            retained = n.retained, lease_token = null, lease_until = null, claimed_by = null
       from json_to_recordset($1::json)
         as n(seq bigint, token text, status text, reason text, attempts int, due_at timestamptz, finished_at timestamptz, retained boolean)
      where d.seq = n.seq and d.lease_token = n.token
     returning d.seq`,
    [JSON.stringify(updates)],
  );
  return new Set(rows.map((row) => row.seq));
}

async function insertAttempts(tx: Tx, accepted: readonly SettledDelivery[]): Promise<void> {
  const attempts = accepted.flatMap(({ delivery, attempt, settled }) =>
    attempt === null || settled.attempts < attempt.number // one that does not count will be made again under its number
      ? []
      : {
          ...{
            delivery_id: delivery.id,
            attempt: attempt.number,
            workspace_id: delivery.workspaceId,
            started_at: attempt.startedAt,
          },
          ...{
            duration_ms: attempt.durationMs,
            reason: attempt.reason,
            error: attempt.error,
            request_headers: attempt.requestHeaders,
          },
          ...{ response_status: attempt.responseStatus, response_headers: attempt.responseHeaders },
          ...{ response_body: attempt.responseBody, response_truncated: attempt.responseTruncated },
        },
  );
  if (attempts.length === 0) return;
  await tx.query(
    `insert into outbound_dispatcher.delivery_attempts (delivery_id, attempt, workspace_id, started_at, duration_ms, reason, error,
            request_headers, response_status, response_headers, response_body, response_truncated)
     select delivery_id, attempt, workspace_id, started_at, duration_ms, reason, error,
            request_headers, response_status, response_headers, response_body, response_truncated
       from json_to_recordset($1::json)
         as n(delivery_id text, attempt int, workspace_id text, started_at timestamptz, duration_ms int, reason text, error text,
              request_headers jsonb, response_status int, response_headers jsonb, response_body text, response_truncated boolean)
     on conflict do nothing`,
    [JSON.stringify(attempts)],
  );
}

/** Subscriptions in which another delivery may go now. */
async function releaseNext(tx: Tx, finished: readonly SettledDelivery[]): Promise<string[]> {
  const [subscriptions, incidents] = inLanes(finished);
  if (subscriptions.length === 0) return [];
  const { rows } = await tx.query<{ subscription_id: string }>(
    `update outbound_dispatcher.deliveries d set head = true
       from (select distinct s, i from unnest($1::text[], $2::text[]) as pair(s, i)) lane
      cross join lateral (
        select seq from outbound_dispatcher.deliveries
         where subscription_id = lane.s and incident_id = lane.i and finished_at is null order by seq limit 1) next
      where d.seq = next.seq and not d.head
     returning d.subscription_id`,
    [subscriptions, incidents],
  );
  return [...new Set(rows.map((row) => row.subscription_id))];
}
