import { isId, type PublicIncident } from '@tocsin/contracts';
import { exists, fold, initialState, publicIncident } from '@tocsin/domain/incident';
import { Problem, type Clock } from '@tocsin/nest-shell';
import { withWorkspace, type Tx } from '@tocsin/postgres';
import type { Pool } from 'pg';
import { auditedView, auditStream } from './audit-stream.ts';
import { ClosedCounts } from './closed-counts.ts';
import { decodeCursor, pageOf } from './cursor.ts';
import { notFound } from './command-problems.ts';
import { readEvents } from './incident-log.ts';
import { listIncidents, type IncidentList } from './incident-list.ts';
import type { PageQuery } from './incident.dto.ts';
import type { ListIncidents } from './list.dto.ts';
import { alertOf, entryOf, type AlertRow, type TimelineRow } from './views.ts';

const POSITION = /^\d{1,18}$/;

/** What people and the console read. Row level security shows each caller the rows of its own workspace only. */
export class IncidentQueries {
  private readonly closed: ClosedCounts;

  constructor(
    private readonly pool: Pool,
    clock: Clock,
  ) {
    this.closed = new ClosedCounts(clock);
  }

  list(workspaceId: string, query: ListIncidents): Promise<IncidentList> {
    const { closed } = this;
    return withWorkspace(this.pool, workspaceId, (tx) => listIncidents(tx, { workspaceId, query, closed }));
  }

  async read(workspaceId: string, id: string): Promise<PublicIncident> {
    return withWorkspace(this.pool, workspaceId, (tx) => document(tx, id));
  }

  /** The incident as it was at an instant: its events up to then, folded again. @throws Problem not-found also where it was not there yet */
  async readAt(workspaceId: string, id: string, at: string): Promise<PublicIncident> {
    return withWorkspace(this.pool, workspaceId, async (tx) => {
      await document(tx, id);
      const events = await readEvents(tx, id);
      const later = events.findIndex((event) => event.at > at);
      const state = fold(initialState(id), later < 0 ? events : events.slice(0, later));
      if (!exists(state)) throw new Problem('not-found', `The incident ${id} was not there yet at ${at}.`);
      return publicIncident(state);
    });
  }

  /** Events with their hashes, recomputed here: whoever has the answer can follow the chain. */
  async audit(workspaceId: string, id: string, { limit, cursor }: PageQuery) {
    return withWorkspace(this.pool, workspaceId, async (tx) => {
      await document(tx, id);
      const found = await auditStream(tx, id);
      const from = cursor === undefined ? 0 : Number(decodeCursor(cursor, [POSITION])[0]);
      const rest = found.events.filter(({ version }) => version > from);
      const page = pageOf(rest.slice(0, limit + 1), limit, auditedView, ({ version }) => [String(version)]);
      return { ...page, intact: found.findings.length === 0, findings: found.findings };
    });
  }

  async timeline(workspaceId: string, id: string, { limit, cursor }: PageQuery) {
    return withWorkspace(this.pool, workspaceId, async (tx) => {
      await document(tx, id);
      const { rows } = await tx.query<TimelineRow>(
        `select t.position, t.at, t.entry, e.event_id, e.type, e.version, e.schema_version, e.config_revision, e.actor,
           e.cause_id, e.reason, e.hash, p.body
         from incident_store.timeline t
         left join incident_store.events e on e.stream_id = t.incident_id and e.version = t.version
         left join incident_store.event_payloads p on p.stream_id = t.incident_id and p.version = t.version
         where t.incident_id = $1 and t.position > $2 order by t.position limit $3`,
        [id, cursor === undefined ? '0' : decodeCursor(cursor, [POSITION])[0], limit + 1],
      );
      return pageOf(rows, limit, entryOf, (row) => [row.position]);
    });
  }

  async alerts(workspaceId: string, id: string, { limit, cursor }: PageQuery) {
    return withWorkspace(this.pool, workspaceId, async (tx) => {
      await document(tx, id);
      const { rows } = await tx.query<AlertRow>(
        `select a.position, a.status, a.role, a.occurrences, a.resolved_at, a.alert, s.last_seen_at, s.ends_at, s.ends_because,
           o.outcome, o.reason
         from incident_store.incident_alerts a
         left join incident_store.alert_activity s using (alert_id) left join incident_store.alert_outcomes o using (alert_id)
         where a.incident_id = $1 and a.position > $2 order by a.position limit $3`,
        [id, cursor === undefined ? '0' : decodeCursor(cursor, [POSITION])[0], limit + 1],
      );
      return pageOf(rows, limit, alertOf, (row) => [row.position]);
    });
  }
}

async function document(tx: Tx, id: string): Promise<PublicIncident> {
  if (!isId('inc', id)) throw notFound(id);
  const { rows } = await tx.query<{ document: PublicIncident }>(
    'select document from incident_store.incidents where incident_id = $1',
    [id],
  );
  if (!rows[0]) throw notFound(id);
  return rows[0].document;
}
