import type { Pool } from 'pg';
import { withWorkspace } from '@tocsin/postgres';

/** One delivery in the log of a subscription, with its attempts. snake_case: this is what `GET …/deliveries` shows. */
export interface DeliveryView {
  id: string;
  subscription_id: string;
  event_id: string;
  event_type: string;
  incident_id: string | null;
  sequence: number | null;
  status: DeliveryStatus;
  reason: string | null;
  attempt_count: number;
  created_at: string;
  finished_at: string | null;
  /** Null when finished, or while an earlier delivery of the same incident is unfinished. */
  next_attempt_at: string | null;
  request_body: string;
  attempts: AttemptView[];
}

export interface AttemptView {
  attempt: number;
  started_at: string;
  duration_ms: number;
  reason: string;
  error: string | null;
  request_headers: Record<string, string>;
  response_status: number | null;
  response_headers: Record<string, string> | null;
  response_body: string | null;
  response_truncated: boolean;
}

export const deliveryStatuses = ['pending', 'retrying', 'delivered', 'failed', 'skipped-paused'] as const;
export type DeliveryStatus = (typeof deliveryStatuses)[number];

export interface DeliveryFilter {
  workspaceId: string;
  subscriptionId: string;
  status?: DeliveryStatus | undefined;
  eventType?: string | undefined;
  incidentId?: string | undefined;
  /** Only older ones than this position. */
  before?: bigint | undefined;
  limit: number;
}

type Row = Omit<DeliveryView, 'sequence' | 'created_at' | 'finished_at' | 'next_attempt_at'> & {
  seq: string;
  sequence: string | null;
  created_at: Date;
  finished_at: Date | null;
  next_attempt_at: Date | null;
};

const viewOf = ({ seq: _seq, ...row }: Row): DeliveryView => ({
  ...row,
  sequence: row.sequence === null ? null : Number(row.sequence),
  created_at: row.created_at.toISOString(),
  finished_at: row.finished_at?.toISOString() ?? null,
  next_attempt_at: row.next_attempt_at?.toISOString() ?? null,
});

/** Instants inside the aggregated JSON, in the form of every other answer. */
const instant = (column: string): string => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

const listSql = `
  select d.seq, d.id, d.subscription_id, d.event_id, d.event_type, d.incident_id, d.sequence, d.status, d.reason, d.attempts as attempt_count,
         d.created_at, d.finished_at, case when d.finished_at is null and d.head then d.due_at end as next_attempt_at, d.body as request_body,
         coalesce(a.attempts, '[]') as attempts
    from outbound_dispatcher.deliveries d
    left join lateral (
      select jsonb_agg(jsonb_build_object('attempt', attempt, 'started_at', ${instant('started_at')}, 'duration_ms', duration_ms, 'reason', reason,
               'error', error, 'request_headers', request_headers, 'response_status', response_status, 'response_headers', response_headers,
               'response_body', response_body, 'response_truncated', response_truncated) order by attempt) as attempts
        from outbound_dispatcher.delivery_attempts where delivery_id = d.id) a on true
   where d.workspace_id = $1 and d.subscription_id = $2
     and ($3::text is null or d.status = $3) and ($4::text is null or d.event_type = $4)
     and ($5::text is null or d.incident_id = $5) and ($6::bigint is null or d.seq < $6)
   order by d.seq desc limit $7`;

/** A page of a subscription's deliveries, newest first. `next` is the position to go on from, null on the last page. */
export async function listDeliveries(
  restPool: Pool,
  filter: DeliveryFilter,
): Promise<{ items: DeliveryView[]; next: bigint | null }> {
  const { workspaceId, subscriptionId, status, eventType, incidentId, before, limit } = filter;
  const { rows } = await withWorkspace(restPool, workspaceId, (tx) =>
    tx.query<Row>(listSql, [
      workspaceId,
      subscriptionId,
      status ?? null,
      eventType ?? null,
      incidentId ?? null,
      before ?? null,
      limit + 1,
    ]),
  );
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items: items.map(viewOf), next: rows.length > limit && last ? BigInt(last.seq) : null };
}

/** Whether anything was ever planned for a subscription: a deleted one still has a log. */
export async function hasDeliveries(restPool: Pool, workspaceId: string, subscriptionId: string): Promise<boolean> {
  const { rowCount } = await withWorkspace(restPool, workspaceId, (tx) =>
    tx.query('select from outbound_dispatcher.deliveries where workspace_id = $1 and subscription_id = $2 limit 1', [
      workspaceId,
      subscriptionId,
    ]),
  );
  return (rowCount ?? 0) > 0;
}
