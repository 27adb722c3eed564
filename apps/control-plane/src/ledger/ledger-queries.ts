import { outcomes, type Outcome } from '@tocsin/contracts';
import type { Clock } from '@tocsin/nest-shell';
import { withWorkspace } from '@tocsin/postgres';
import type { Pool } from 'pg';
import { type Page, cursorOf, readCursor } from '../pages.ts';
import type { ReadLedger } from './ledger.dto.ts';

export interface LedgerRow {
  webhook_id: string;
  minute: Date;
  receipts: string;
  accepted: string;
  in_flight: string;
  ahead: string;
  unmatched: string;
  outcomes: Partial<Record<Outcome, number>> | null;
  rejections: { problem: string; reason: string; count: number }[] | null;
}

const HOUR_MS = 3_600_000;
/** An outcome may be read before its receipt, by so much at most while everything works. */
const AHEAD_MS = 10 * 60_000;

/** Everything of one workspace in a range of minutes; `in_flight` and `ahead` are counted from the receipts themselves. */
const MINUTES = `with counted as (
    select webhook_id, minute, receipts, accepted, unsettled, unmatched from control_plane.ledger_minutes
    where workspace_id = $1 and minute >= $2 and minute < $3 and ($4::text is null or webhook_id = $4)
  ), open as (
    select webhook_id, minute, coalesce(sum(weight - known) filter (where heard), 0) as in_flight, coalesce(sum(told) filter (where not heard), 0) as ahead
    from control_plane.ledger_receipts
    cross join lateral (select greatest(coalesce(total, 1), 1) as weight) as w
    cross join lateral (select coalesce(sum(upper(one) - lower(one)), 0) as known from unnest(settled * int4multirange(int4range(0, weight))) as one) as k
    cross join lateral (select coalesce(sum(upper(one) - lower(one)), 0) as told from unnest(settled) as one) as t
    where workspace_id = $1 and minute >= $2 and minute < $3 and ($4::text is null or webhook_id = $4)
      and (not heard or not settled @> int4range(0, greatest(coalesce(total, 1), 1)))
    group by webhook_id, minute
  ), refused as (
    select webhook_id, date_trunc('minute', received_at) as minute,
      json_agg(json_build_object('problem', problem, 'reason', reason, 'count', count) order by problem, reason) as rejections
    from control_plane.inbound_deliveries
    where workspace_id = $1 and status = 'rejected' and received_at >= $2 and date_trunc('minute', received_at) >= $2
      and date_trunc('minute', received_at) < $3 and ($4::text is null or webhook_id = $4)
    group by 1, 2
  ), minutes as (
    select webhook_id, minute from counted union select webhook_id, minute from open where ahead > 0 union select webhook_id, minute from refused
  )`;

/** The ledger of a workspace (settled, Vocabulary): every accepted alert with exactly one outcome, or in flight. */
export class LedgerQueries {
  constructor(
    private readonly pool: Pool,
    private readonly clock: Clock,
  ) {}

  async read(workspaceId: string, query: ReadLedger): Promise<Page<ReturnType<typeof ledgerView>>> {
    const now = this.clock();
    const to = query.to === undefined ? new Date(now.getTime() + HOUR_MS) : new Date(query.to);
    const from =
      query.from === undefined ? new Date(Math.min(now.getTime(), to.getTime()) - HOUR_MS) : new Date(query.from);
    const after = readCursor(query.cursor);
    const rows = await withWorkspace(this.pool, workspaceId, async (tx) => {
      const found = await tx.query<LedgerRow>(
        `${MINUTES}
         select webhook_id, minute, coalesce(receipts, 0) as receipts, coalesce(accepted, 0) as accepted,
           coalesce(in_flight, 0) + coalesce(unsettled, 0) as in_flight, coalesce(ahead, 0) as ahead, coalesce(unmatched, 0) as unmatched,
           (select json_object_agg(outcome, alerts) from control_plane.ledger_outcomes as o
            where o.webhook_id = minutes.webhook_id and o.minute = minutes.minute) as outcomes, rejections
         from minutes left join counted using (webhook_id, minute) left join open using (webhook_id, minute) left join refused using (webhook_id, minute)
         where $5::timestamptz is null or (minute, webhook_id) < ($5, $6)
         order by minute desc, webhook_id desc limit ${query.limit + 1}`,
        [workspaceId, from, to, query.webhook_id ?? null, after?.at ?? null, after?.id ?? null],
      );
      return found.rows;
    });
    const items = rows.slice(0, query.limit);
    const last = items.at(-1);
    const more = last !== undefined && rows.length > query.limit;
    return {
      items: items.map((row) => ledgerView(row, now)),
      next_cursor: more ? cursorOf({ createdAt: last.minute, id: last.webhook_id }) : null,
    };
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

/**
 * One minute of one webhook. Three counts that are taken apart from each other must meet: what came in, what outcomes were told, and
 * what the receipts themselves still lack. Outcomes that were read before their receipt wait in `ahead`; they may not wait for long.
 */
export function ledgerView(row: LedgerRow, now: Date) {
  const counts = Object.fromEntries(outcomes.map((outcome) => [outcome, Number(row.outcomes?.[outcome] ?? 0)]));
  const [accepted, inFlight, ahead] = [
    Number(row.accepted),
    Number(row.in_flight),
    Number(row.ahead) + Number(row.unmatched),
  ];
  const inTime = Number(row.unmatched) === 0 && now.getTime() - row.minute.getTime() < AHEAD_MS;
  const rejections = row.rejections ?? [];
  return {
    webhook_id: row.webhook_id,
    minute: row.minute.toISOString(),
    receipts: Number(row.receipts),
    accepted,
    outcomes: counts,
    in_flight: inFlight,
    ahead,
    balanced: accepted === sum(Object.values(counts)) + inFlight && (ahead === 0 || inTime),
    rejected: sum(rejections.map(({ count }) => count)),
    rejections,
  };
}
