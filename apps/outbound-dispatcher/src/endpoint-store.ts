import type { DisabledReason, EndpointState } from '@tocsin/domain/delivery';
import type { Tx } from '@tocsin/postgres';
import type { Pool } from 'pg';

interface EndpointRow {
  subscription_id: string;
  failures: number;
  opened: number;
  open_until: Date | null;
  failing_since: Date | null;
  noticed_at: Date | null;
  disabled_at: Date | null;
  disabled_reason: DisabledReason | null;
  disabled_revision: string | null;
}

const stateOf = (row: EndpointRow): EndpointState => ({
  failures: row.failures,
  opened: row.opened,
  openUntil: row.open_until,
  failingSince: row.failing_since,
  noticedAt: row.noticed_at,
  disabled:
    row.disabled_at && row.disabled_reason
      ? { at: row.disabled_at, reason: row.disabled_reason, revision: Number(row.disabled_revision) }
      : null,
});

const columns =
  'subscription_id, failures, opened, open_until, failing_since, noticed_at, disabled_at, disabled_reason, disabled_revision';

/** Subscription and workspace id. */
export type EndpointKey = readonly [subscriptionId: string, workspaceId: string];

/**
 * Locks the states of receivers, in one order for everybody. `failing` get a row if they have none, so that two workers that see the first
 * failures of a receiver count both.
 */
export async function lockEndpoints(
  tx: Tx,
  subscriptionIds: readonly string[],
  failing: readonly EndpointKey[],
): Promise<Map<string, EndpointState>> {
  if (failing.length > 0)
    await tx.query(
      `insert into outbound_dispatcher.endpoints (subscription_id, workspace_id)
       select s, w from unnest($1::text[], $2::text[]) as key(s, w) order by s collate "C" on conflict do nothing`,
      [failing.map(([id]) => id), failing.map(([, workspace]) => workspace)],
    );
  const { rows } = await tx.query<EndpointRow>(
    `select ${columns} from outbound_dispatcher.endpoints where subscription_id = any($1)
      order by subscription_id collate "C" for update`,
    [subscriptionIds],
  );
  return new Map(rows.map((row) => [row.subscription_id, stateOf(row)]));
}

/** Writes states back; a receiver that works again is forgotten. Whatever was probing has found out. */
export async function saveEndpoints(tx: Tx, states: ReadonlyMap<string, EndpointState | undefined>): Promise<void> {
  const healthy = [...states].filter(([, state]) => state === undefined).map(([id]) => id);
  if (healthy.length > 0)
    await tx.query('delete from outbound_dispatcher.endpoints where subscription_id = any($1)', [healthy]);
  const changed = [...states].flatMap(([id, state]) => (state ? [rowOf(id, state)] : []));
  if (changed.length === 0) return;
  await tx.query(
    `update outbound_dispatcher.endpoints e
        set failures = n.failures, opened = n.opened, open_until = n.open_until, probe_until = null, failing_since = n.failing_since,
            noticed_at = n.noticed_at, disabled_at = n.disabled_at, disabled_reason = n.disabled_reason, disabled_revision = n.disabled_revision
       from jsonb_to_recordset($1::jsonb)
         as n(subscription_id text, failures int, opened int, open_until timestamptz, failing_since timestamptz, noticed_at timestamptz,
              disabled_at timestamptz, disabled_reason text, disabled_revision bigint)
      where e.subscription_id = n.subscription_id`,
    [JSON.stringify(changed)],
  );
}

const rowOf = (id: string, state: EndpointState) => ({
  ...{ subscription_id: id, failures: state.failures, opened: state.opened, open_until: state.openUntil },
  ...{ failing_since: state.failingSince, noticed_at: state.noticedAt, disabled_at: state.disabled?.at ?? null },
  ...{ disabled_reason: state.disabled?.reason ?? null, disabled_revision: state.disabled?.revision ?? null },
});

/** Revisions at which subscriptions were disabled. Few at any time. */
export async function disabledRevisions(db: Pick<Pool | Tx, 'query'>): Promise<Map<string, number>> {
  const { rows } = await db.query<{ subscription_id: string; disabled_revision: string }>(
    'select subscription_id, disabled_revision from outbound_dispatcher.endpoints where disabled_revision is not null',
  );
  return new Map(rows.map((row) => [row.subscription_id, Number(row.disabled_revision)]));
}

/** What planning must know of receivers in trouble: who is disabled, and whose circuit is not closed. Few at any time. */
export async function troubles(tx: Tx): Promise<{ disabled: Map<string, number>; open: Set<string> }> {
  const { rows } = await tx.query<{ subscription_id: string; disabled_revision: string | null; open: boolean }>(
    `select subscription_id, disabled_revision, open_until is not null as open from outbound_dispatcher.endpoints
      where disabled_revision is not null or open_until is not null`,
  );
  const disabled = rows.flatMap((row): [string, number][] =>
    row.disabled_revision === null ? [] : [[row.subscription_id, Number(row.disabled_revision)]],
  );
  return {
    disabled: new Map(disabled),
    open: new Set(rows.flatMap((row) => (row.open ? [row.subscription_id] : []))),
  };
}

/** Takes the one probe that each half-open circuit allows. @returns the subscriptions whose probe is the caller's */
export async function takeProbes(
  pool: Pool,
  subscriptionIds: readonly string[],
  now: Date,
  until: Date,
): Promise<string[]> {
  const { rows } = await pool.query<{ subscription_id: string }>(
    `update outbound_dispatcher.endpoints set probe_until = $3
      where subscription_id = any($1) and open_until <= $2 and (probe_until is null or probe_until <= $2)
     returning subscription_id`,
    [subscriptionIds, now, until],
  );
  return rows.map((row) => row.subscription_id);
}

/** Gives back probes that were not made. */
export async function dropProbes(pool: Pool, subscriptionIds: readonly string[]): Promise<void> {
  if (subscriptionIds.length === 0) return;
  await pool.query('update outbound_dispatcher.endpoints set probe_until = null where subscription_id = any($1)', [
    subscriptionIds,
  ]);
}
