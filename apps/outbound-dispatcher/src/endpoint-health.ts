import type { SubscriptionDocument } from '@tocsin/contracts';
import { isDisabled } from '@tocsin/domain/delivery';
import { withWorkspace } from '@tocsin/postgres';
import type { Pool } from 'pg';

/** How a receiver is doing. snake_case: this is what the API shows. */
export interface HealthView {
  state: 'healthy' | 'failing' | 'disabled' | 'paused';
  /** `open`: nothing is sent until `next_probe_at`; then one request finds out. */
  circuit: 'closed' | 'open' | 'half-open';
  consecutive_failures: number;
  failing_since: string | null;
  next_probe_at: string | null;
  /** Why it was disabled, and when. */
  disabled_reason: string | null;
  disabled_at: string | null;
  /** Deliveries that wait for their turn or their next attempt; at most 10,000 are counted. */
  waiting: number;
  /** … and that are kept until it is active again. */
  retained: number;
  oldest_waiting_at: string | null;
  last_delivered_at: string | null;
}

interface HealthRow {
  failures: number | null;
  open_until: Date | null;
  failing_since: Date | null;
  disabled_at: Date | null;
  disabled_reason: string | null;
  disabled_revision: string | null;
  waiting: number;
  retained: number;
  oldest: Date | null;
  delivered: Date | null;
}

const COUNTED = 10_000;

export async function endpointHealth(
  restPool: Pool,
  subscription: SubscriptionDocument,
  now: Date,
): Promise<HealthView> {
  const { id, workspaceId } = subscription;
  const { rows } = await withWorkspace(restPool, workspaceId, (tx) =>
    tx.query<HealthRow>(
      `select e.failures, e.open_until, e.failing_since, e.disabled_at, e.disabled_reason, e.disabled_revision,
              coalesce(w.waiting, 0)::int as waiting, coalesce(w.retained, 0)::int as retained, w.oldest, l.finished_at as delivered
         from (select $1::text as id) one
         left join outbound_dispatcher.endpoints e on e.subscription_id = one.id
         left join lateral (
           select count(*) filter (where not retained) as waiting, count(*) filter (where retained) as retained, min(created_at) as oldest
             from (select retained, created_at from outbound_dispatcher.deliveries
                    where subscription_id = one.id and finished_at is null and feed_xid is null limit ${COUNTED}) unfinished) w on true
         left join lateral (
           select finished_at from outbound_dispatcher.deliveries
            where workspace_id = $2 and subscription_id = one.id and status = 'delivered' order by created_at desc, seq desc limit 1) l on true`,
      [id, workspaceId],
    ),
  );
  const [row] = rows;
  if (!row) throw new Error('a row of constants is always there');
  return viewOf(row, subscription, now);
}

function viewOf(row: HealthRow, { revision, body }: SubscriptionDocument, now: Date): HealthView {
  const disabled = isDisabled(row.disabled_revision === null ? null : Number(row.disabled_revision), revision);
  const failing = row.failing_since !== null && !(row.disabled_at !== null && !disabled);
  return {
    state: !body.active ? 'paused' : disabled ? 'disabled' : failing ? 'failing' : 'healthy',
    circuit: row.open_until === null ? 'closed' : row.open_until > now ? 'open' : 'half-open',
    consecutive_failures: row.failures ?? 0,
    failing_since: row.failing_since?.toISOString() ?? null,
    next_probe_at: row.open_until?.toISOString() ?? null,
    disabled_reason: disabled ? row.disabled_reason : null,
    disabled_at: disabled ? (row.disabled_at?.toISOString() ?? null) : null,
    ...{ waiting: row.waiting, retained: row.retained, oldest_waiting_at: row.oldest?.toISOString() ?? null },
    last_delivered_at: row.delivered?.toISOString() ?? null,
  };
}
