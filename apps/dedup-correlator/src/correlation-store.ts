import type { CorrelationRows, KeyHolder, KnownIncident, StoredRows } from '@tocsin/domain/correlation';
import { together, type Tx } from '@tocsin/postgres';
import { columnsOf, listText, NO_ROWS } from './columns.ts';
import type { KeyRef, Lookup } from './lookup.ts';
import type { Due } from './pruning.ts';
import { incidentOf, keyOf, listedTerms, orderOf, stormOf } from './row-readers.ts';
import * as sql from './statements.ts';

/** All SQL access of this service: one statement per batch and kind of row; those that do not need each other go together. */

/** What a batch may look at. */
export interface Stored {
  rows: Omit<StoredRows, 'processed'>;
  /** Its alerts are being taken as answered; those that had been are told. */
  processed: Promise<StoredRows['processed']>;
}

/** Loads what a batch may look at; a table of which nothing is wanted is not asked. `isKnown`: incidents that are known without being loaded. */
export async function loadState(
  tx: Tx,
  lookup: Lookup,
  isKnown: (scope: string, incidentId: string) => boolean,
): Promise<Stored> {
  const reading = readRows(tx, lookup);
  const processed = claim(tx, lookup); // last: nobody waits for it yet
  processed.catch(() => undefined); // told to whoever waits for it
  const [, keys, related, orders, storming, rollUps, candidates] = await reading;
  const holders = [...lookup.known.keys, ...[...keys, ...related].map(keyOf)];
  const stormStates = storming.map(stormOf);
  const held = [...holders, ...stormStates].flatMap(({ scope, incidentId }) =>
    incidentId === null || isKnown(scope, incidentId) ? [] : [{ scope, incidentId }],
  );
  const named = lookup.incidents.filter(({ scope, incidentId }) => !isKnown(scope, incidentId));
  const rows = {
    keys: holders,
    orders: [...lookup.known.closings, ...orders.map(orderOf)],
    incidents: [...(await loadIncidents(tx, [...named, ...held])), ...[...rollUps, ...candidates].map(incidentOf)],
    storms: stormStates,
  };
  return { rows, processed };
}

const readRows = (tx: Tx, { dedupKeys, resolveKeys, closings, storms, rollUps, terms }: Lookup) =>
  together(
    tx.query(sql.ROW_BY_ROW),
    rowsOf(tx, sql.LOAD_KEYS, keyColumns(dedupKeys)),
    rowsOf(tx, sql.LOAD_RELATED_KEYS, keyColumns(resolveKeys)),
    rowsOf(tx, sql.LOAD_CLOSINGS, keyColumns(closings)),
    rowsOf(tx, sql.LOAD_STORMS, [listText(storms)]),
    rowsOf(
      tx,
      sql.LOAD_ROLL_UPS,
      columnsOf(
        rollUps,
        ({ scope }) => scope,
        ({ webhookId }) => webhookId,
      ),
    ),
    rowsOf(
      tx,
      sql.LOAD_CANDIDATES,
      columnsOf(
        terms,
        ({ scope }) => scope,
        ({ term }) => term,
        ({ since }) => Math.max(0, since),
      ),
    ),
  );

/** Takes alerts as answered. @returns those that had been */
async function claim(tx: Tx, { alerts }: Lookup): Promise<StoredRows['processed']> {
  const columns = columnsOf(
    alerts,
    ({ id }) => id,
    ({ workspaceId }) => workspaceId,
    ({ scope }) => scope,
    ({ receivedAt }) => receivedAt,
  );
  const claimed = await rowsOf(tx, sql.CLAIM_PROCESSED, columns);
  if (claimed.length === alerts.length) return [];
  const fresh = new Set(claimed.map((row) => row['alert_id'] as string));
  return alerts.filter(({ id }) => !fresh.has(id)).map(({ id: alertId }) => ({ alertId }));
}

const keyColumns = (refs: readonly KeyRef[]): string[] =>
  columnsOf(
    refs,
    ({ scope }) => scope,
    ({ webhookId }) => webhookId,
    ({ key }) => key,
  );

async function loadIncidents(tx: Tx, refs: readonly { scope: string; incidentId: string }[]): Promise<KnownIncident[]> {
  const once = [...new Map(refs.map((ref) => [`${ref.scope} ${ref.incidentId}`, ref])).values()];
  const columns = columnsOf(
    once,
    ({ scope }) => scope,
    ({ incidentId }) => incidentId,
  );
  return (await rowsOf(tx, sql.LOAD_INCIDENTS, columns)).map(incidentOf);
}

/** The open incidents of a scope, at most so many. */
export async function loadOpen(tx: Tx, scope: string, most: number): Promise<KnownIncident[]> {
  const { rows } = await tx.query<sql.Row>(sql.LOAD_OPEN, [scope, most]);
  return rows.map(incidentOf);
}

/** Rows that one statement lists: it may take seconds. */
const LIST_ROWS = 10_000;

/** Lists the open incidents of a scope by their terms, as far as they are not. */
export async function listOpen(tx: Tx, scope: string): Promise<void> {
  while ((await tx.query(sql.LIST_OPEN, [scope, LIST_ROWS])).rowCount === LIST_ROWS);
}

/** Runs a statement whose parameters are columns, unless there are no rows. */
async function rowsOf(tx: Tx, statement: string, columns: readonly string[]): Promise<sql.Row[]> {
  if (columns[0] === NO_ROWS) return [];
  return (await tx.query<sql.Row>(statement, [...columns])).rows;
}

/** What is known of rows before a batch, so that of most only what moves is written. */
export interface Before {
  /** Whether all that is new of a key is one more occurrence. */
  isAgain: (key: KeyHolder) => boolean;
  /** Whether all that is new of an incident is the time of its last alert. */
  isTouched: (incident: KnownIncident) => boolean;
  /** Whether the table is asked for what this scope has under a term. */
  isListed: (scope: string) => boolean;
}

/**
 * Writes every changed row; the statements are sent before this returns. `unanswered`: alerts that were taken as answered and could not be.
 * @returns whether all rows were there
 */
export async function saveState(
  tx: Tx,
  changes: Omit<CorrelationRows, 'processed'>,
  before: Before,
  unanswered: readonly string[],
): Promise<boolean> {
  const keys = split(changes.keys, before.isAgain);
  const incidents = split(changes.incidents, before.isTouched);
  const [again, touched] = await together(
    write(
      tx,
      sql.TOUCH_KEYS,
      columnsOf(
        keys.passing,
        ({ scope }) => scope,
        ({ webhookId }) => webhookId,
        ({ dedupKey }) => dedupKey,
        ({ lastAlertId }) => lastAlertId,
        ({ lastAt }) => lastAt,
        ({ lastTriggerAt }) => lastTriggerAt,
      ),
    ),
    write(
      tx,
      sql.TOUCH_INCIDENTS,
      columnsOf(
        incidents.passing,
        ({ scope }) => scope,
        ({ incidentId }) => incidentId,
        ({ lastAlertAt }) => lastAlertAt,
      ),
    ),
    saveKeys(tx, keys.others),
    saveIncidents(tx, incidents.others, before.isListed),
    saveClosings(tx, changes.orders),
    saveStorms(tx, changes.storms),
    write(tx, sql.RELEASE_PROCESSED, [listText(unanswered)]),
  );
  return again === keys.passing.length && touched === incidents.passing.length;
}

function split<Row>(rows: readonly Row[], passes: (row: Row) => boolean): { passing: Row[]; others: Row[] } {
  const [passing, others]: [Row[], Row[]] = [[], []];
  for (const row of rows) (passes(row) ? passing : others).push(row);
  return { passing, others };
}

async function write(tx: Tx, statement: string, columns: readonly string[]): Promise<number> {
  if (columns[0] === NO_ROWS) return 0;
  return (await tx.query(statement, [...columns])).rowCount ?? 0;
}

const saveKeys = (tx: Tx, keys: readonly KeyHolder[]): Promise<number> =>
  write(
    tx,
    sql.SAVE_KEYS,
    columnsOf(
      keys,
      (key) => key.workspaceId,
      (key) => key.scope,
      (key) => key.webhookId,
      (key) => key.dedupKey,
      (key) => key.resolveKey,
      (key) => key.incidentId,
      (key) => key.alertId,
      (key) => key.lastAlertId,
      (key) => key.firstAt,
      (key) => key.lastAt,
      (key) => key.lastTriggerAt,
      (key) => key.firingKey,
      (key) => key.alertOpen,
      (key) => key.heldUntil,
      (key) => listText(key.toggles),
    ),
  );

const saveIncidents = (tx: Tx, incidents: readonly KnownIncident[], isListed: Before['isListed']): Promise<number> =>
  write(
    tx,
    sql.SAVE_INCIDENTS,
    columnsOf(
      incidents,
      (incident) => incident.workspaceId,
      (incident) => incident.scope,
      (incident) => incident.incidentId,
      (incident) => incident.version,
      (incident) => incident.openedAt,
      (incident) => incident.lastAlertAt,
      (incident) => incident.closedAt,
      (incident) => incident.rollUpOf,
      (incident) => incident.facets && JSON.stringify(incident.facets),
      (incident) => listText(incident.services),
      (incident) => listText(listedTerms(incident)),
      (incident) => isListed(incident.scope),
    ),
  );

const saveClosings = (tx: Tx, orders: CorrelationRows['orders']): Promise<number> =>
  write(
    tx,
    sql.SAVE_CLOSINGS,
    columnsOf(
      orders,
      (order) => order.workspaceId,
      (order) => order.scope,
      (order) => order.webhookId,
      (order) => order.resolveKey,
      (order) => order.closedAt,
      (order) => order.closedBy,
      (order) => order.keptUntil,
    ),
  );

const saveStorms = (tx: Tx, storms: CorrelationRows['storms']): Promise<number> =>
  write(
    tx,
    sql.SAVE_STORMS,
    columnsOf(
      storms,
      (storm) => storm.workspaceId,
      (storm) => storm.scope,
      (storm) => JSON.stringify(storm.arrivals),
      (storm) => storm.overAt,
      (storm) => storm.incidentId,
    ),
  );

/** Deletes rows that no decision looks at any more. Returns the scopes that have more of them left. */
export async function prune(tx: Tx, { scopes, rows: most }: Due): Promise<string[]> {
  const { rows } = await tx.query<{ scope: string }>(sql.PRUNE, [JSON.stringify(scopes), most]);
  return rows.map(({ scope }) => scope);
}
