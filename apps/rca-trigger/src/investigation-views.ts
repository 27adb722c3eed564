import type { Hypothesis } from '@tocsin/contracts';
import type { Tx } from '@tocsin/postgres';

interface Row {
  id: string;
  status: string;
  cause: string;
  investigator: string;
  requested_at: Date;
  completed_at: Date | null;
  incident_version: string;
  summary: string | null;
  hypotheses: Hypothesis[];
  config_revision: string;
  progress: string | null;
  progress_at: Date | null;
}

export type InvestigationView = ReturnType<typeof viewOf>;
const viewOf = (row: Row) => ({
  id: row.id,
  status: row.status,
  reason: row.cause,
  investigator: row.investigator,
  requested_at: row.requested_at.toISOString(),
  completed_at: row.completed_at?.toISOString() ?? null,
  incident_version: Number(row.incident_version),
  progress: row.progress === null ? null : { message: row.progress, at: row.progress_at?.toISOString() ?? null },
  summary: row.summary,
  hypotheses: row.hypotheses,
  config_revision: Number(row.config_revision),
});

const COLUMNS =
  'id, status, cause, investigator, requested_at, completed_at, incident_version, summary, hypotheses, config_revision, progress, progress_at';

export async function investigationOf(tx: Tx, id: string): Promise<InvestigationView | undefined> {
  const { rows } = await tx.query<Row>(`select ${COLUMNS} from rca_trigger.investigations where id = $1`, [id]);
  return rows[0] && viewOf(rows[0]);
}

/** Newest first, with what the last occasion came to: why there was an investigation, or why not. Undefined for an unknown incident. */
export async function investigationsOf(tx: Tx, incidentId: string) {
  const incident = await tx.query<{ decision: string | null }>(
    'select decision from rca_trigger.incidents where id = $1',
    [incidentId],
  );
  if (!incident.rows[0]) return undefined;
  const { rows } = await tx.query<Row>(
    `select ${COLUMNS} from rca_trigger.investigations where incident_id = $1 order by requested_at desc, id`,
    [incidentId],
  );
  return { incident_id: incidentId, decision: incident.rows[0].decision, items: rows.map(viewOf), next_cursor: null };
}
