import type {
  CorrelationRows,
  KeyHolder,
  KnownIncident,
  OrderMemory,
  StoredRows,
  StormState,
} from '@tocsin/domain/correlation';
import type { Tx } from '@tocsin/postgres';
import type { Lookup } from './lookup.ts';
import type { Due } from './pruning.ts';
import * as sql from './statements.ts';

/** All SQL access of this service: one statement per batch and table, rows as one JSON parameter. */

/** Loads what a batch may look at, in at most five statements; a table of which nothing is wanted is not asked. */
export async function loadState(tx: Tx, lookup: Lookup): Promise<StoredRows> {
  const processed = await rowsOf(tx, sql.LOAD_PROCESSED, [lookup.alertIds], (row) => ({
    alertId: text(row['alert_id']),
  }));
  const keys = await loadKeys(tx, lookup);
  const orders = await rowsOf(tx, sql.LOAD_CLOSINGS, [lookup.closings], orderOf);
  const storms = await rowsOf(tx, sql.LOAD_STORMS, [lookup.storms], stormOf);
  const held = [...keys, ...storms].flatMap(({ scope, incidentId }) =>
    incidentId === null ? [] : [{ scope, incidentId }],
  );
  const named = [...lookup.incidents, ...held];
  const dated = <Ref extends { since: number }>(refs: Ref[]) =>
    refs.map((ref) => ({ ...ref, since: instant(Math.max(0, ref.since)) }));
  const incidents = await rowsOf(
    tx,
    sql.LOAD_INCIDENTS,
    [named, dated(lookup.services), lookup.rollUps, dated(lookup.terms)],
    incidentOf,
  );
  return { processed, keys, orders, incidents, storms };
}

/** The open incidents of a scope, at most so many. */
export async function loadOpen(tx: Tx, scope: string, most: number): Promise<KnownIncident[]> {
  const { rows } = await tx.query<sql.Row>(sql.LOAD_OPEN, [scope, most]);
  return rows.map(incidentOf);
}

const loadKeys = (tx: Tx, { dedupKeys, resolveKeys }: Lookup): Promise<KeyHolder[]> =>
  rowsOf(tx, sql.LOAD_KEYS, [dedupKeys, resolveKeys], keyOf);

/** Runs a statement whose parameters are lists of rows, unless all of them are empty. */
async function rowsOf<Row>(
  tx: Tx,
  statement: string,
  lists: readonly unknown[][],
  read: (row: sql.Row) => Row,
): Promise<Row[]> {
  if (lists.every((list) => list.length === 0)) return [];
  const { rows } = await tx.query<sql.Row>(
    statement,
    lists.map((list) => JSON.stringify(list)),
  );
  return rows.map(read);
}

/** Writes every changed row in at most five statements. */
export async function saveState(tx: Tx, changes: CorrelationRows): Promise<void> {
  const times = <Row extends object>(row: Row, ...names: (keyof Row)[]): object => ({
    ...row,
    ...Object.fromEntries(names.map((name) => [name, instant(row[name] as number | null)])),
  });
  await write(
    tx,
    sql.SAVE_PROCESSED,
    changes.processed.map((row) => times(row, 'receivedAt')),
  );
  await write(
    tx,
    sql.SAVE_KEYS,
    changes.keys.map((row) => ({
      ...times(row, 'firstAt', 'lastAt', 'lastTriggerAt', 'heldUntil'),
      toggles: row.toggles.map(instant),
    })),
  );
  await write(
    tx,
    sql.SAVE_CLOSINGS,
    changes.orders.map((row) => times(row, 'closedAt', 'keptUntil')),
  );
  await write(
    tx,
    sql.SAVE_INCIDENTS,
    changes.incidents.map((row) => ({
      ...times(row, 'openedAt', 'lastAlertAt', 'closedAt'),
      terms: row.terms.map((term) => `${row.scope} ${term}`),
    })),
  );
  await write(
    tx,
    sql.SAVE_STORMS,
    changes.storms.map((row) => times(row, 'overAt')),
  );
}

async function write(tx: Tx, statement: string, rows: object[]): Promise<void> {
  if (rows.length > 0) await tx.query(statement, [JSON.stringify(rows)]);
}

/** Deletes rows that no decision looks at any more. Returns the scopes that have more of them left. */
export async function prune(tx: Tx, due: Due): Promise<string[]> {
  const horizons = due.scopes.map(({ scope, processedBefore, closingsBefore }) => ({
    scope,
    processedBefore: instant(processedBefore),
    closingsBefore: instant(closingsBefore),
  }));
  const { rows } = await tx.query<{ scope: string }>(sql.PRUNE, [JSON.stringify(horizons), due.rows]);
  return rows.map(({ scope }) => scope);
}

const instant = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());
const millis = (value: unknown): number => (value as Date).getTime();
const millisOrNull = (value: unknown): number | null => (value === null ? null : millis(value));
const text = (value: unknown): string => value as string;

const keyOf = (row: sql.Row): KeyHolder => ({
  workspaceId: text(row['workspace_id']),
  scope: text(row['scope']),
  webhookId: text(row['webhook_id']),
  dedupKey: text(row['dedup_key']),
  resolveKey: text(row['resolve_key']),
  incidentId: row['incident_id'] as string | null,
  alertId: text(row['alert_id']),
  lastAlertId: text(row['last_alert_id']),
  firstAt: millis(row['first_at']),
  lastAt: millis(row['last_at']),
  lastTriggerAt: millis(row['last_trigger_at']),
  firingKey: row['firing_key'] as string | null,
  alertOpen: row['alert_open'] as boolean,
  toggles: (row['toggled_at'] as Date[]).map(millis),
  heldUntil: millisOrNull(row['held_until']),
});

const stormOf = (row: sql.Row): StormState => ({
  workspaceId: text(row['workspace_id']),
  scope: text(row['scope']),
  arrivals: row['arrivals'] as StormState['arrivals'],
  overAt: millisOrNull(row['over_at']),
  incidentId: row['incident_id'] as string | null,
});

const orderOf = (row: sql.Row): OrderMemory => ({
  workspaceId: text(row['workspace_id']),
  scope: text(row['scope']),
  webhookId: text(row['webhook_id']),
  resolveKey: text(row['resolve_key']),
  closedAt: millis(row['closed_at']),
  closedBy: row['closed_by'] as OrderMemory['closedBy'],
  keptUntil: millis(row['kept_until']),
});

const incidentOf = (row: sql.Row): KnownIncident => ({
  workspaceId: text(row['workspace_id']),
  scope: text(row['scope']),
  incidentId: text(row['incident_id']),
  version: Number(row['version']),
  openedAt: millis(row['opened_at']),
  lastAlertAt: millis(row['last_alert_at']),
  closedAt: millisOrNull(row['closed_at']),
  services: row['services'] as string[],
  rollUpOf: row['roll_up_of'] as string | null,
  facets: row['facets'] as KnownIncident['facets'],
  terms: (row['terms'] as string[]).map((term) => term.slice(text(row['scope']).length + 1)),
});
