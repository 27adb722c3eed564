import { incidentStatuses, severities, type PublicIncident } from '@tocsin/contracts';
import { together, type Tx } from '@tocsin/postgres';
import { CLOSED_COUNTED, closedSql, sum, type ClosedCounts, type Counted } from './closed-counts.ts';
import { decodeCursor, encodeCursor, type Page } from './cursor.ts';
import type { Facet, ListIncidents } from './list.dto.ts';

const FACET_VALUES = 20;

interface Counts {
  status: Record<string, number>;
  severity: Record<string, number>;
  /** Whether closed incidents beyond the newest were left out. */
  complete: boolean;
}
type Facets = Partial<Record<Facet, { value: string; count: number }[]>>;
export type IncidentList = Page<PublicIncident> & { counts: Counts; facets?: Facets };

export interface ListRequest {
  workspaceId: string;
  query: ListIncidents;
  closed: ClosedCounts;
}

/** Incidents of the caller's workspace, a page at a time, with numbers to choose by. */
export async function listIncidents(tx: Tx, request: ListRequest): Promise<IncidentList> {
  const { workspaceId, query } = request;
  const [page, counts] = await together(pageOfList(tx, workspaceId, query), countsOf(tx, request));
  if (!query.facets || query.facets.length === 0) return { ...page, counts };
  return { ...page, counts, facets: await facetsOf(tx, workspaceId, query, query.facets) };
}

/** Terms over numbered values. The workspace is row level security's affair; said here, the planner can use the indexes. */
class Terms {
  readonly terms = ['workspace_id = $1'];
  readonly values: unknown[];
  constructor(workspaceId: string) {
    this.values = [workspaceId];
  }

  /** Each `?` of the term is the value's number. */
  add(term: string, value: unknown): this {
    if (value === undefined) return this;
    this.values.push(value);
    this.terms.push(term.replaceAll('?', `$${this.values.length}`));
    return this;
  }

  /** Whether everything in the workspace fits. */
  get isAll(): boolean {
    return this.terms.length === 1;
  }

  get where(): string {
    return this.terms.join(' and ');
  }
}

const NOBODY = 'none';
/** A tag `env:production` is found as `production`, too (product P10). */
const TAGGED = `exists (select from unnest(tags) tag where tag = any(?) or substr(tag, strpos(tag, ':') + 1) = any(?))`;

/** All filters but those of status and severity, which the counts leave open in turn. */
function filterOf(workspaceId: string, query: ListIncidents): Terms {
  const { assignee, text } = query;
  const somebody = assignee?.filter((name) => name !== NOBODY);
  const pattern = text === undefined ? undefined : `%${text.replace(/[\\%_]/g, '\\$&')}%`;
  return new Terms(workspaceId)
    .add('services && ?::text[]', query.service)
    .add(TAGGED, query.tag)
    .add('source = any(?)', query.source)
    .add('webhook_id = any(?)', query.webhook)
    .add(`document->>'connector' = any(?)`, query.connector)
    .add(`document->>'incident_type' = any(?)`, query.incident_type)
    .add(`document->>'priority' = any(?)`, query.priority)
    .add(
      assignee?.includes(NOBODY)
        ? `(document->>'assignee' is null or document->>'assignee' = any(?))`
        : `document->>'assignee' = any(?)`,
      somebody,
    )
    .add(`document->>'urgency' = ?`, query.urgency)
    .add(`((document->>'merged_into' is not null) = ?::boolean)`, query.merged)
    .add('created_at >= ?::timestamptz', query.from)
    .add('created_at < ?::timestamptz', query.to)
    .add('updated_at >= ?::timestamptz', query.updated_from)
    .add('updated_at < ?::timestamptz', query.updated_to)
    .add(`(title ilike ? or description ilike ? or '#' || number::text like ?)`, pattern);
}

function narrowed(terms: Terms, { status, severity }: Pick<ListIncidents, 'status' | 'severity'>): Terms {
  // What is open has indexes of its own.
  if (status && !status.includes('resolved')) terms.terms.push(`status <> 'resolved'`);
  return terms.add('status = any(?)', status).add('severity = any(?)', severity);
}

interface Column {
  name: string;
  type: string;
  shape: RegExp;
}
const NUMBER = /^\d{1,18}$/;
const column = (name: string): Column =>
  name.endsWith('_at')
    ? { name, type: 'timestamptz', shape: /^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/ }
    : { name, type: 'bigint', shape: NUMBER };
const ID: Column = { name: 'incident_id', type: 'text', shape: /^inc_[a-z2-7]{26}$/ };

/** By what a page goes on: the sorted column, then what makes the order total. */
const columnsOf = (by: string): Column[] =>
  by === 'severity' ? [column('severity_rank'), column('created_at'), ID] : [column(by), ID];

async function pageOfList(tx: Tx, workspaceId: string, query: ListIncidents): Promise<Page<PublicIncident>> {
  const { sort, cursor, limit } = query;
  const descending = sort.startsWith('-');
  const columns = columnsOf(descending ? sort.slice(1) : sort);
  const terms = narrowed(filterOf(workspaceId, query), query);
  if (cursor !== undefined) {
    const [, ...place] = decodeCursor(cursor, [new RegExp(`^${sort}$`), ...columns.map(({ shape }) => shape)]);
    const first = terms.values.length;
    terms.values.push(...place);
    const after = columns.map(({ type }, index) => `$${first + 1 + index}::${type}`).join(', ');
    terms.terms.push(`(${columns.map(({ name }) => name).join(', ')}) ${descending ? '<' : '>'} (${after})`);
  }
  const order = columns.map(({ name }) => `${name} ${descending ? 'desc' : 'asc'}`).join(', ');
  const { rows } = await tx.query<Record<string, unknown> & { document: PublicIncident }>(
    `select ${columns.map(({ name }) => name).join(', ')}, document from incident_store.incidents
      where ${terms.where} order by ${order} limit ${limit + 1}`,
    terms.values,
  );
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const placeOf = (row: Record<string, unknown>): string[] => [sort, ...columns.map(({ name }) => textOf(row[name]))];
  return {
    items: shown.map(({ document }) => document),
    next_cursor: rows.length > limit && last ? encodeCursor(placeOf(last)) : null,
  };
}

const textOf = (value: unknown): string => (value instanceof Date ? value.toISOString() : String(value));

const openStatuses = incidentStatuses.filter((status) => status !== 'resolved');
/** Each kind is a stretch of an index: to count it is half of what it takes to sort all of them into kinds. */
const COUNT_OPEN = `select status, severity, n, 0 as seen from unnest($2::text[]) status, unnest($3::text[]) severity,
    lateral (select count(*) as n from incident_store.open_incidents open
      where open.workspace_id = $1 and open.status = status.status and open.severity = severity.severity) counted`;
const countSql = (
  where: string,
): string => `select status, severity, count(*) as n, 0 as seen from incident_store.incidents
    where ${where} and status <> 'resolved' group by status, severity
  union all
  select 'resolved', severity, count(*) filter (where ${where}), count(*) from (${closedSql('*')}) newest group by severity`;

async function countedOf(tx: Tx, { workspaceId, query, closed }: ListRequest): Promise<Counted[]> {
  const terms = filterOf(workspaceId, query);
  if (!terms.isAll) return (await tx.query<Counted>(countSql(terms.where), terms.values)).rows;
  const [open, newest] = await together(
    tx.query<Counted>(COUNT_OPEN, [workspaceId, openStatuses, severities]),
    closed.of(tx, workspaceId),
  );
  return [...open.rows, ...newest];
}

/** How many there are of each status with the severities that are asked for, and of each severity with the statuses. */
async function countsOf(tx: Tx, request: ListRequest): Promise<Counts> {
  const { query } = request;
  const rows = await countedOf(tx, request);
  const numbersOf = (names: readonly string[], own: 'status' | 'severity', other: 'status' | 'severity') =>
    Object.fromEntries(
      names.map((name) => [
        name,
        sum(rows.filter((row) => row[own] === name && (query[other]?.includes(row[other]) ?? true)).map(({ n }) => n)),
      ]),
    );
  return {
    status: numbersOf(incidentStatuses, 'status', 'severity'),
    severity: numbersOf(severities, 'severity', 'status'),
    complete: sum(rows.map(({ seen }) => seen)) <= CLOSED_COUNTED,
  };
}

const FACET_COLUMNS: Readonly<Record<Facet, string>> = {
  service: 'services',
  tag: 'tags',
  source: 'source',
  webhook: 'webhook_id',
  connector: `document->>'connector'`,
  assignee: `document->>'assignee'`,
  incident_type: `document->>'incident_type'`,
};
const LISTS: ReadonlySet<Facet> = new Set(['service', 'tag']);

/** The most frequent values among the newest incidents that fit all filters. */
async function facetsOf(tx: Tx, workspaceId: string, query: ListIncidents, wanted: readonly Facet[]): Promise<Facets> {
  const { where, values } = narrowed(filterOf(workspaceId, query), query);
  const facets = [...new Set(wanted)];
  const parts = facets.map(
    (facet) =>
      `(select '${facet}' as facet, value, count(*) as n from (select ${LISTS.has(facet) ? `unnest(${facet})` : facet} as value from fitting) v
         where value is not null group by value order by n desc, value limit ${FACET_VALUES})`,
  );
  const { rows } = await tx.query<{ facet: Facet; value: string; n: string }>(
    `with fitting as materialized (
       select ${facets.map((facet) => `${FACET_COLUMNS[facet]} as ${facet}`).join(', ')} from incident_store.incidents
        where ${where} order by created_at desc limit ${CLOSED_COUNTED})
     ${parts.join(' union all ')}`,
    values,
  );
  const found = (facet: Facet) => rows.filter((row) => row.facet === facet);
  return Object.fromEntries(
    facets.map((facet) => [facet, found(facet).map(({ value, n }) => ({ value, count: Number(n) }))]),
  );
}
