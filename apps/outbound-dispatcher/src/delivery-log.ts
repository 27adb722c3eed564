import type { Pool } from 'pg';
import { withWorkspace } from '@tocsin/postgres';

/** One delivery in the log, with its attempts. snake_case: this is what the API shows. */
export interface DeliveryView {
  id: string;
  subscription_id: string;
  subscription_name: string;
  event_id: string;
  event_type: string;
  incident_id: string | null;
  sequence: number | null;
  status: DeliveryStatus;
  reason: string | null;
  attempt_count: number;
  created_at: string;
  finished_at: string | null;
  /** Null when finished, kept or to be fetched, or while an earlier delivery of the same incident is unfinished. */
  next_attempt_at: string | null;
  /** Kept until its subscription is active again. */
  retained: boolean;
  test: boolean;
  /** When somebody last asked for it again. */
  redelivered_at: string | null;
  /** When body, headers and answers were taken away with the personal data of its incident. */
  erased_at: string | null;
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

/** Where a page ended: the time to the microsecond, and the row. */
export interface LogPlace {
  at: string;
  seq: bigint;
}

export interface DeliveryFilter {
  workspaceId: string;
  /** Absent = all. */
  subscriptionId?: string | undefined;
  status?: readonly DeliveryStatus[] | undefined;
  eventType?: string | undefined;
  incidentId?: string | undefined;
  /** Part of the range. */
  from?: Date | undefined;
  /** Not part of the range. */
  to?: Date | undefined;
  /** Only older ones than this. */
  before?: LogPlace | undefined;
  limit: number;
  /** Bodies are cut there; absent = as they are kept. */
  bodyMax?: number | undefined;
}

type Instants = 'created_at' | 'finished_at' | 'next_attempt_at' | 'redelivered_at' | 'erased_at';
type Row = Omit<DeliveryView, 'sequence' | Instants> & {
  seq: string;
  place: string;
  sequence: string | null;
  created_at: Date;
  finished_at: Date | null;
  next_attempt_at: Date | null;
  redelivered_at: Date | null;
  erased_at: Date | null;
};

const viewOf = ({ seq: _seq, place: _place, ...row }: Row): DeliveryView => ({
  ...row,
  sequence: row.sequence === null ? null : Number(row.sequence),
  created_at: row.created_at.toISOString(),
  finished_at: row.finished_at?.toISOString() ?? null,
  next_attempt_at: row.next_attempt_at?.toISOString() ?? null,
  redelivered_at: row.redelivered_at?.toISOString() ?? null,
  erased_at: row.erased_at?.toISOString() ?? null,
});

/** Instants inside the aggregated JSON, in the form of every other answer. */
const instant = (column: string, fraction = 'MS'): string =>
  `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.${fraction}"Z"')`;

const cut = (column: string, max: number | undefined): string =>
  max === undefined ? column : `left(${column}, ${max})`;

const selectSql = (max: number | undefined): string => `
  select d.seq, ${instant('d.created_at', 'US')} as place, d.id, d.subscription_id, d.subscription_name, d.event_id, d.event_type, d.incident_id,
         d.sequence, d.status, d.reason, d.attempts as attempt_count, d.created_at, d.finished_at,
         case when d.finished_at is null and d.head and not d.retained and d.feed_xid is null then d.due_at end as next_attempt_at,
         d.retained, d.test, d.redelivered_at, d.erased_at, ${cut('d.body', max)} as request_body, coalesce(a.attempts, '[]') as attempts
    from outbound_dispatcher.deliveries d
    left join lateral (
      select jsonb_agg(jsonb_build_object('attempt', attempt, 'started_at', ${instant('started_at')}, 'duration_ms', duration_ms, 'reason', reason,
               'error', error, 'request_headers', request_headers, 'response_status', response_status, 'response_headers', response_headers,
               'response_body', ${cut('response_body', max)}, 'response_truncated', response_truncated${max === undefined ? '' : ` or length(response_body) > ${max}`})
               order by attempt) as attempts
        from outbound_dispatcher.delivery_attempts where delivery_id = d.id) a on true`;

/** Conditions of a filter; only what is asked for, so that each question finds its index. */
function conditionsOf(filter: DeliveryFilter): { where: string; values: unknown[] } {
  const values: unknown[] = [];
  const value = (one: unknown): string => `$${values.push(one)}`;
  const { workspaceId, subscriptionId, status, eventType, incidentId, from, to, before } = filter;
  const parts = [`d.workspace_id = ${value(workspaceId)}`];
  if (subscriptionId !== undefined) parts.push(`d.subscription_id = ${value(subscriptionId)}`);
  if (status !== undefined) parts.push(`d.status = any(${value(status)})`);
  if (eventType !== undefined) parts.push(`d.event_type = ${value(eventType)}`);
  if (incidentId !== undefined) parts.push(`d.incident_id = ${value(incidentId)}`);
  if (from !== undefined) parts.push(`d.created_at >= ${value(from)}`);
  if (to !== undefined) parts.push(`d.created_at < ${value(to)}`);
  if (before !== undefined)
    parts.push(`(d.created_at, d.seq) < (${value(before.at)}::timestamptz, ${value(before.seq)}::bigint)`);
  return { where: parts.join(' and '), values };
}

/** A page of deliveries, newest first. `next` is the place to go on from, null on the last page. */
export async function listDeliveries(
  restPool: Pool,
  filter: DeliveryFilter,
): Promise<{ items: DeliveryView[]; next: LogPlace | null }> {
  const { where, values } = conditionsOf(filter);
  const { rows } = await withWorkspace(restPool, filter.workspaceId, (tx) =>
    tx.query<Row>(
      `${selectSql(filter.bodyMax)} where ${where} order by d.created_at desc, d.seq desc limit $${values.length + 1}`,
      [...values, filter.limit + 1],
    ),
  );
  const items = rows.slice(0, filter.limit);
  const last = items.at(-1);
  return {
    items: items.map(viewOf),
    next: rows.length > filter.limit && last ? { at: last.place, seq: BigInt(last.seq) } : null,
  };
}

/** One delivery with everything that is kept of it. */
export async function findDelivery(restPool: Pool, workspaceId: string, id: string): Promise<DeliveryView | undefined> {
  const { rows } = await withWorkspace(restPool, workspaceId, (tx) =>
    tx.query<Row>(`${selectSql(undefined)} where d.workspace_id = $1 and d.id = $2`, [workspaceId, id]),
  );
  return rows[0] && viewOf(rows[0]);
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
