import type { KnownIncident, StoredRows } from '@tocsin/domain/correlation';
import { together, type Tx } from '@tocsin/postgres';
import { rowsOf, write } from './column-statements.ts';
import { columnsOf, listText, shared, text, whole } from './columns.ts';
import type { KeyRef, Lookup } from './lookup.ts';
import type { Due } from './pruning.ts';
import { incidentOf, keyOf, orderOf, stormOf } from './row-readers.ts';
import * as sql from './statements.ts';

/** What this service reads: one statement per batch and kind of row; those that do not need each other go together. */

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

/** Deletes rows that no decision looks at any more. Returns the scopes that have more of them left. */
export async function prune(tx: Tx, { scopes, rows: most }: Due): Promise<string[]> {
  const { rows } = await tx.query<{ scope: string }>(sql.PRUNE, [JSON.stringify(scopes), most]);
  return rows.map(({ scope }) => scope);
}
