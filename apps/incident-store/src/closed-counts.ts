import type { Clock } from '@tocsin/nest-shell';
import type { Tx } from '@tocsin/postgres';

/** Closed incidents are counted among the newest: nobody waits for a number that nobody needs exactly. */
export const CLOSED_COUNTED = 10_000;
/** Where there are more, it is a sample anyway, and the same one for a while. */
const KEPT_MS = 10_000;
/** Workspaces whose numbers are kept at most. */
const WORKSPACES_MAX = 1_000;

export interface Counted {
  status: string;
  severity: string;
  n: string;
  /** Closed ones that were looked at for this row. */
  seen: string;
}

/** The newest closed ones: their severities are in an index, their status is known. */
export const closedSql = (columns: string): string =>
  `select ${columns} from incident_store.incidents where workspace_id = $1 and status = 'resolved'
    order by created_at desc limit ${CLOSED_COUNTED + 1}`;

export const sum = (numbers: readonly string[]): number => numbers.reduce((total, number) => total + Number(number), 0);

/** The severities of the newest closed incidents: a third of what a list costs where there are more than are counted. */
export class ClosedCounts {
  private readonly kept = new Map<string, { rows: readonly Counted[]; at: number }>();

  constructor(private readonly clock: Clock) {}

  /** Exact as long as all are counted; else not older than some seconds. */
  async of(tx: Tx, workspaceId: string): Promise<readonly Counted[]> {
    const now = this.clock().getTime();
    const known = this.kept.get(workspaceId);
    if (known && Math.abs(now - known.at) < KEPT_MS) return known.rows;
    const { rows } = await tx.query<Counted>(
      `select 'resolved' as status, severity, count(*) as n, count(*) as seen from (${closedSql('severity')}) newest group by severity`,
      [workspaceId],
    );
    this.kept.delete(workspaceId);
    if (sum(rows.map(({ seen }) => seen)) > CLOSED_COUNTED) this.keep(workspaceId, { rows, at: now });
    return rows;
  }

  private keep(workspaceId: string, counted: { rows: readonly Counted[]; at: number }): void {
    const [oldest] = this.kept.keys();
    if (oldest !== undefined && this.kept.size >= WORKSPACES_MAX) this.kept.delete(oldest);
    this.kept.set(workspaceId, counted);
  }
}
