import type { CorrelationRows, KeyHolder, KnownIncident } from '@tocsin/domain/correlation';
import { together, type Tx } from '@tocsin/postgres';
import { write } from './column-statements.ts';
import { columnsOf, flag, listText, shared, text, whole } from './columns.ts';
import { listedTerms } from './row-readers.ts';
import * as sql from './statements.ts';

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
