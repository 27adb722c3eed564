import { incidentStatuses, isId, severities, type PublicIncident } from '@tocsin/contracts';
import { exists, fold, initialState, publicIncident } from '@tocsin/domain/incident';
import { Problem } from '@tocsin/nest-shell';
import { withWorkspace, type Tx } from '@tocsin/postgres';
import type { Pool } from 'pg';
import { auditedView, auditStream } from './audit-stream.ts';
import { decodeCursor, pageOf } from './cursor.ts';
import { notFound } from './command-problems.ts';
import { readEvents } from './incident-log.ts';
import type { ListIncidents, PageQuery } from './incident.dto.ts';
import { alertOf, entryOf, type AlertRow, type TimelineRow } from './views.ts';

const INSTANT = /^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/;
const POSITION = /^\d{1,18}$/;

/** What people and the console read. Row level security shows each caller the rows of its own workspace only. */
export class IncidentQueries {
  constructor(private readonly pool: Pool) {}

  async list(workspaceId: string, query: ListIncidents) {
    const filter = filterOf(query, true);
    const page = orderOf(query, filter.values);
    const everywhere = filterOf(query, false);
    return withWorkspace(this.pool, workspaceId, async (tx) => {
      const { rows } = await tx.query<{ incident_id: string; place: Date; document: PublicIncident }>(
        `select incident_id, ${page.column} as place, document from incident_store.incidents
         where ${[...filter.terms, ...page.terms].join(' and ')} order by ${page.order} limit ${query.limit + 1}`,
        page.values,
      );
      const counted = await tx.query<{ status: string; severity: string; n: string }>(
        `select status, severity, count(*) as n from incident_store.incidents where ${everywhere.terms.join(' and ')} group by status, severity`,
        everywhere.values,
      );
      const shown = pageOf(
        rows,
        query.limit,
        (row) => row.document,
        (row) => [query.sort, row.place.toISOString(), row.incident_id],
      );
      return { ...shown, counts: countsOf(counted.rows) };
    });
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

/** Filters as SQL terms over numbered values. Counts leave status and severity open, so that they can be offered as choices. */
function filterOf(query: ListIncidents, narrow: boolean): { terms: string[]; values: unknown[] } {
  const terms = ['true'];
  const values: unknown[] = [];
  const add = (term: string, value: unknown): void => {
    if (value === undefined) return;
    values.push(value);
    terms.push(term.replaceAll('?', `$${values.length}`));
  };
  add('status = any(?)', narrow ? query.status : undefined);
  add('severity = any(?)', narrow ? query.severity : undefined);
  add('services @> array[?]::text[]', query.service);
  add('? = any(tags)', query.tag);
  add('source = ?', query.source);
  add('webhook_id = ?', query.webhook);
  add('created_at >= ?::timestamptz', query.from);
  add('created_at < ?::timestamptz', query.to);
  const pattern = query.text === undefined ? undefined : `%${query.text.replace(/[\\%_]/g, '\\$&')}%`;
  add(`(title ilike ? or description ilike ? or '#' || number::text like ?)`, pattern);
  return { terms, values };
}

function orderOf({ sort, cursor }: ListIncidents, filtered: readonly unknown[]) {
  const descending = sort.startsWith('-');
  const column = descending ? sort.slice(1) : sort;
  const direction = descending ? 'desc' : 'asc';
  const values = [...filtered];
  const terms: string[] = [];
  if (cursor !== undefined) {
    const [, place, id] = decodeCursor(cursor, [new RegExp(`^${sort}$`), INSTANT, /^inc_[a-z2-7]{26}$/]);
    values.push(place, id);
    terms.push(
      `(${column}, incident_id) ${descending ? '<' : '>'} ($${values.length - 1}::timestamptz, $${values.length}::text)`,
    );
  }
  return { column, order: `${column} ${direction}, incident_id ${direction}`, terms, values };
}

function countsOf(rows: readonly { status: string; severity: string; n: string }[]) {
  const sum = (of: 'status' | 'severity', names: readonly string[]) =>
    Object.fromEntries(
      names.map((name) => [
        name,
        rows.filter((row) => row[of] === name).reduce((total, row) => total + Number(row.n), 0),
      ]),
    );
  return { status: sum('status', incidentStatuses), severity: sum('severity', severities) };
}
