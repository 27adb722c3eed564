import { isId } from '@tocsin/contracts';
import { Problem } from '@tocsin/nest-shell';
import { withWorkspace } from '@tocsin/postgres';
import type { Pool } from 'pg';
import type { ListAlerts } from './alert.dto.ts';
import { decodeCursor, pageOf } from './cursor.ts';
import {
  attachedView,
  outcomeView,
  recordedView,
  SUPPRESSED,
  type DecidedRow,
  type RecordedRow,
} from './alert-views.ts';

export const noSuchAlert = (alertId: string): Problem => new Problem('not-found', `There is no alert ${alertId}.`);

const INSTANT = /^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/;
const RECORDED = 'alert_id, alert, why, status, incident_id, occurrences, received_at, last_seen_at, ended_at';

/** Alerts by themselves. Row level security shows each caller the rows of its own workspace only. */
export class AlertQueries {
  constructor(private readonly pool: Pool) {}

  /** Recorded and suppressed alerts, the newest first. */
  list(workspaceId: string, { webhook_id, status, outcome = [], limit, cursor }: ListAlerts) {
    // Row level security would do; said here, the planner can use the index.
    const terms = ['workspace_id = $1'];
    const values: unknown[] = [workspaceId];
    const add = (term: (place: string) => string, ...given: unknown[]): void => {
      terms.push(term(`$${values.length + 1}`));
      values.push(...given);
    };
    if (webhook_id !== undefined) add((place) => `webhook_id = ${place}`, webhook_id);
    if (status !== undefined) add((place) => `status = any(${place})`, status);
    if (new Set(outcome).size === 1)
      add((place) => `(why->>'reason' = any(${place})) = ${String(outcome[0] === 'suppressed')}`, SUPPRESSED);
    if (cursor !== undefined) {
      const [at, id] = decodeCursor(cursor, [INSTANT, /^alr_[a-z2-7]{26}$/]);
      add((place) => `(received_at, alert_id) < (${place}::timestamptz, $${values.length + 2}::text)`, at, id);
    }
    return withWorkspace(this.pool, workspaceId, async (tx) => {
      const { rows } = await tx.query<RecordedRow>(
        `select ${RECORDED} from incident_store.recorded_alerts where ${terms.join(' and ')}
         order by received_at desc, alert_id desc limit ${limit + 1}`,
        values,
      );
      return pageOf(rows, limit, recordedView, (row) => [row.received_at.toISOString(), row.alert_id]);
    });
  }

  /** Any alert that has been decided: recorded, part of an incident, or without an effect. */
  async read(workspaceId: string, id: string) {
    if (!isId('alr', id)) throw noSuchAlert(id);
    return withWorkspace(this.pool, workspaceId, async (tx) => {
      const recorded = await tx.query<RecordedRow>(
        `select ${RECORDED} from incident_store.recorded_alerts where alert_id = $1`,
        [id],
      );
      if (recorded.rows[0]) return recordedView(recorded.rows[0]);
      const { rows } = await tx.query<DecidedRow>(
        `select o.alert_id, o.receipt_id, o.webhook_id, o.incident_id, o.outcome, o.reason, o.occurrence_count, o.counted_on, o.why, o.settled_at,
           a.status, a.role, a.occurrences, a.resolved_at, a.alert, a.incident_id as attached_to, s.last_seen_at,
           s.ends_at, s.ends_because
         from incident_store.alert_outcomes o
         left join incident_store.incident_alerts a using (alert_id) left join incident_store.alert_activity s using (alert_id)
         where o.alert_id = $1`,
        [id],
      );
      if (!rows[0]) throw noSuchAlert(id);
      return rows[0].alert ? attachedView(rows[0], rows[0].alert) : outcomeView(rows[0]);
    });
  }
}
