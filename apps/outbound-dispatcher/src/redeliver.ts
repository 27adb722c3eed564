import type { Pipeline, Tx } from '@tocsin/postgres';
import type { DeliveryStatus } from './delivery-log.ts';
import { bookDrain, type Drain } from './retained.ts';

export type Redelivered = 'again' | 'in-flight' | 'erased' | 'not-found';

/**
 * Has one delivery sent again, now: same event, same ids, a new round of its schedule. One that is unfinished goes now instead of later,
 * unless an earlier one of its incident is still before it.
 */
export async function redeliverOne(
  pipeline: Pick<Pipeline, 'commitCommand'>,
  { workspaceId, subscriptionId, id, now }: { workspaceId: string; subscriptionId: string; id: string; now: Date },
): Promise<Redelivered> {
  return pipeline.commitCommand(async (tx) => {
    const { rows } = await tx.query<{ seq: string; leased: boolean; erased: boolean }>(
      `select seq, lease_token is not null as leased, erased_at is not null as erased from outbound_dispatcher.deliveries
        where id = $1 and subscription_id = $2 and workspace_id = $3 and feed_xid is null for update`,
      [id, subscriptionId, workspaceId],
    );
    const [row] = rows;
    if (!row) return { result: 'not-found', outputs: [] };
    if (row.erased) return { result: 'erased', outputs: [] };
    if (row.leased) return { result: 'in-flight', outputs: [] };
    await sendAgain(tx, [row.seq], { from: now, everySeconds: 0, now });
    return { result: 'again', outputs: [] };
  });
}

export interface Wanted extends Drain {
  ids?: readonly string[] | undefined;
  from?: Date | undefined;
  to?: Date | undefined;
  status?: readonly DeliveryStatus[] | undefined;
  eventType?: string | undefined;
  incidentId?: string | undefined;
  /** Only what was never sent: dropped while the subscription was paused or disabled. */
  neverAttempted?: boolean | undefined;
  limit: number;
}

/** Has finished deliveries sent again, oldest first, at the drain rate. */
export async function redeliverMany(
  pipeline: Pick<Pipeline, 'commitCommand'>,
  wanted: Wanted,
): Promise<{ redelivered: number; more: boolean }> {
  return pipeline.commitCommand(async (tx) => {
    const { rows } = await tx.query<{ seq: string }>(
      `select seq from outbound_dispatcher.deliveries
        where workspace_id = $1 and subscription_id = $2 and finished_at is not null and feed_xid is null and not test and erased_at is null
          and ($3::text[] is null or id = any($3)) and ($4::timestamptz is null or created_at >= $4)
          and ($5::timestamptz is null or created_at < $5) and ($6::text[] is null or status = any($6))
          and ($7::text is null or event_type = $7) and ($8::text is null or incident_id = $8)
          and (not $9::boolean or attempts = 0)
        order by created_at, seq limit $10 for update skip locked`,
      [
        ...[wanted.workspaceId, wanted.subscriptionId, wanted.ids ?? null, wanted.from ?? null, wanted.to ?? null],
        ...[wanted.status ?? null, wanted.eventType ?? null, wanted.incidentId ?? null, wanted.neverAttempted === true],
        wanted.limit + 1,
      ],
    );
    const seqs = rows.slice(0, wanted.limit).map(({ seq }) => seq);
    if (seqs.length === 0) return { result: { redelivered: 0, more: false }, outputs: [] };
    const from = await bookDrain(tx, wanted, seqs.length);
    await sendAgain(tx, seqs, { from, everySeconds: 1 / wanted.perSecond, now: wanted.now });
    return { result: { redelivered: seqs.length, more: rows.length > wanted.limit }, outputs: [] };
  });
}

/** What is finished begins anew, ahead of its lane: its turn has been. */
async function sendAgain(
  tx: Tx,
  seqs: readonly string[],
  { from, everySeconds, now }: { from: Date; everySeconds: number; now: Date },
): Promise<void> {
  await tx.query(
    `update outbound_dispatcher.deliveries d
        set status = case when d.attempts > 0 then 'retrying' else 'pending' end, reason = null, retained = false, mergeable = false,
            head = d.head or d.finished_at is not null,
            attempts_base = case when d.finished_at is not null then d.attempts else d.attempts_base end,
            redelivered_at = $4, finished_at = null, due_at = $2::timestamptz + (again.place - 1) * $3::float8 * interval '1 second'
       from unnest($1::bigint[]) with ordinality as again(seq, place) where d.seq = again.seq`,
    [seqs, from, everySeconds, now],
  );
}
