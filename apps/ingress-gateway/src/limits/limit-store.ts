import type { Pool } from 'pg';

export type LimitKind = 'requests' | 'alerts';

/** Whose limit it is. */
export interface LimitedWebhook {
  id: string;
  workspaceId: string;
}

export interface TakeFromWindow {
  kind: LimitKind;
  limit: number;
  sliceMs: number;
  /** Granted whole or not at all; 0 only settles. */
  wanted: number;
  /** Let through unasked while the store was away. */
  spent: number;
  /** Of an earlier grant, not used. */
  returned: { tokens: number; bucket: string };
}

export interface Grant {
  granted: number;
  /** The slice from which it was taken. */
  bucket: string;
  remaining: number;
  /** Milliseconds until what was wanted would be granted; 0 where it was. */
  retryMs: number;
}

/** What every gateway of an installation has used of a window, in one place. */
export interface LimitStore {
  take(webhook: LimitedWebhook, want: TakeFromWindow): Promise<Grant>;
}

/** The windows in PostgreSQL; its clock is the one on which all gateways agree. `clock` is for tests that travel in time. */
export function limitStore(pool: Pool, clock?: () => number): LimitStore {
  return {
    async take({ id, workspaceId }, { kind, limit, sliceMs, wanted, spent, returned }) {
      const { rows } = await pool.query<{ granted: number; bucket: string; remaining: number; retry_ms: string }>(
        'select granted, bucket, remaining, retry_ms from ingress_gateway.take($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)',
        [id, workspaceId, kind, limit, sliceMs, wanted, spent, returned.tokens, returned.bucket, clock?.() ?? null],
      );
      const [row] = rows;
      if (!row) throw new TypeError('the window gave no answer');
      return { granted: row.granted, bucket: row.bucket, remaining: row.remaining, retryMs: Number(row.retry_ms) };
    },
  };
}
