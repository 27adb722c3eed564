import type { CorrelationRows, KeyHolder, KnownIncident, StoredRows } from '@tocsin/domain/correlation';
import { together, type Tx } from '@tocsin/postgres';
import { columnsOf, flag, listText, shared, text, whole } from './columns.ts';
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
  const read = [...keys, ...related].map(keyOf);
  const stormStates = storming.map(stormOf);
  // Incidents of keys that are known are known too.
  const held = [...read, ...stormStates].flatMap(({ scope, incidentId }) =>
    incidentId === null || isKnown(scope, incidentId) ? [] : [{ scope, incidentId }],
  );
  const named = lookup.incidents.filter(({ scope, incidentId }) => !isKnown(scope, incidentId));
  const rows = {
    keys: [...lookup.known.keys, ...read],
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
    rowsOf(tx, sql.LOAD_STORMS, storms.length > 0 ? [listText(storms)] : []),
    rowsOf(
      tx,
      sql.LOAD_ROLL_UPS,
      columnsOf(
        rollUps,
        shared(({ scope }) => scope),
        shared(({ webhookId }) => webhookId),
      ),
    ),
    rowsOf(
      tx,
      sql.LOAD_CANDIDATES,
      columnsOf(
        terms,
        shared(({ scope }) => scope),
        text(({ term }) => term),
        whole(({ since }) => Math.max(0, since)),
      ),
    ),
  );

/** Takes alerts as answered. @returns those that had been */
async function claim(tx: Tx, { alerts }: Lookup): Promise<StoredRows['processed']> {
  const columns = columnsOf(
    alerts,
    text(({ id }) => id),
    shared(({ workspaceId }) => workspaceId),
    shared(({ scope }) => scope),
    whole(({ receivedAt }) => receivedAt),
  );
  if ((await write(tx, sql.CLAIM_PROCESSED, columns)) === alerts.length) return [];
  const { rows } = await tx.query<{ alert_id: string }>(sql.ANSWERED_BEFORE, [alerts.map(({ id }) => id)]);
  return rows.map(({ alert_id: alertId }) => ({ alertId }));
}

const keyColumns = (refs: readonly KeyRef[]): Buffer[] =>
  columnsOf(
    refs,
    shared(({ scope }) => scope),
    shared(({ webhookId }) => webhookId),
    text(({ key }) => key),
  );

async function loadIncidents(tx: Tx, refs: readonly { scope: string; incidentId: string }[]): Promise<KnownIncident[]> {
  const once = [...new Map(refs.map((ref) => [`${ref.scope} ${ref.incidentId}`, ref])).values()];
  const columns = columnsOf(
    once,
    shared(({ scope }) => scope),
    text(({ incidentId }) => incidentId),
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
async function rowsOf(tx: Tx, statement: string, columns: readonly (string | Buffer)[]): Promise<sql.Row[]> {
  if (columns.length === 0) return [];
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
        shared(({ scope }) => scope),
        shared(({ webhookId }) => webhookId),
        text(({ dedupKey }) => dedupKey),
        text(({ lastAlertId }) => lastAlertId),
        whole(({ lastAt }) => lastAt),
        whole(({ lastTriggerAt }) => lastTriggerAt),
      ),
    ),
    write(
      tx,
      sql.TOUCH_INCIDENTS,
      columnsOf(
        incidents.passing,
        shared(({ scope }) => scope),
        text(({ incidentId }) => incidentId),
        whole(({ lastAlertAt }) => lastAlertAt),
      ),
    ),
    saveKeys(tx, keys.others),
    saveIncidents(tx, incidents.others, before.isListed),
    saveClosings(tx, changes.orders),
    saveStorms(tx, changes.storms),
    write(tx, sql.RELEASE_PROCESSED, unanswered.length > 0 ? [listText(unanswered)] : []),
  );
  return again === keys.passing.length && touched === incidents.passing.length;
}

function split<Row>(rows: readonly Row[], passes: (row: Row) => boolean): { passing: Row[]; others: Row[] } {
  const [passing, others]: [Row[], Row[]] = [[], []];
  for (const row of rows) (passes(row) ? passing : others).push(row);
  return { passing, others };
}

async function write(tx: Tx, statement: string, columns: readonly (string | Buffer)[]): Promise<number> {
  if (columns.length === 0) return 0;
  return (await tx.query(statement, [...columns])).rowCount ?? 0;
}

const saveKeys = (tx: Tx, keys: readonly KeyHolder[]): Promise<number> =>
  write(
    tx,
    sql.SAVE_KEYS,
    columnsOf(
      keys,
      shared((key) => key.workspaceId),
      shared((key) => key.scope),
      shared((key) => key.webhookId),
      text((key) => key.dedupKey),
      text((key) => key.resolveKey),
      text((key) => key.incidentId),
      text((key) => key.alertId),
      text((key) => key.lastAlertId),
      whole((key) => key.firstAt),
      whole((key) => key.lastAt),
      whole((key) => key.lastTriggerAt),
      text((key) => key.firingKey),
      flag((key) => key.alertOpen),
      whole((key) => key.heldUntil),
      text((key) => listText(key.toggles)),
    ),
  );

const saveIncidents = (tx: Tx, incidents: readonly KnownIncident[], isListed: Before['isListed']): Promise<number> =>
  write(
    tx,
    sql.SAVE_INCIDENTS,
    columnsOf(
      incidents,
      shared((incident) => incident.workspaceId),
      shared((incident) => incident.scope),
      text((incident) => incident.incidentId),
      whole((incident) => incident.version),
      whole((incident) => incident.openedAt),
      whole((incident) => incident.lastAlertAt),
      whole((incident) => incident.closedAt),
      text((incident) => incident.rollUpOf),
      text((incident) => incident.facets && JSON.stringify(incident.facets)),
      text((incident) => listText(incident.services)),
      text((incident) => listText(listedTerms(incident))),
      flag((incident) => isListed(incident.scope)),
    ),
  );

const saveClosings = (tx: Tx, orders: CorrelationRows['orders']): Promise<number> =>
  write(
    tx,
    sql.SAVE_CLOSINGS,
    columnsOf(
      orders,
      shared((order) => order.workspaceId),
      shared((order) => order.scope),
      shared((order) => order.webhookId),
      text((order) => order.resolveKey),
      whole((order) => order.closedAt),
      text((order) => order.closedBy),
      whole((order) => order.keptUntil),
    ),
  );

const saveStorms = (tx: Tx, storms: CorrelationRows['storms']): Promise<number> =>
  write(
    tx,
    sql.SAVE_STORMS,
    columnsOf(
      storms,
      shared((storm) => storm.workspaceId),
      shared((storm) => storm.scope),
      text((storm) => JSON.stringify(storm.arrivals)),
      whole((storm) => storm.overAt),
      text((storm) => storm.incidentId),
    ),
  );

/** Deletes rows that no decision looks at any more. Returns the scopes that have more of them left. */
export async function prune(tx: Tx, { scopes, rows: most }: Due): Promise<string[]> {
  const { rows } = await tx.query<{ scope: string }>(sql.PRUNE, [JSON.stringify(scopes), most]);
  return rows.map(({ scope }) => scope);
}
