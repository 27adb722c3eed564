import { together, type Tx } from '@tocsin/postgres';
import { laneKey, type Hold, type Lane, type Plan, type RenderedBody } from '@tocsin/domain/delivery';
import type { ClaimedDelivery } from './claim-store.ts';
import { claimedOf, type EarlyLease } from './early-claims.ts';
import { OUT_OF_REACH } from './retained.ts';

interface LaneRow {
  subscription_id: string;
  incident_id: string;
  last_sequence: string;
  last_update_at: Date | null;
}

interface WaitingRow extends Pick<LaneRow, 'subscription_id' | 'incident_id'> {
  unfinished: boolean;
  open_id: string | null;
  open_changed: string[] | null;
  open_due_at: Date | null;
  open_name: string | null;
}

type LanePair = readonly [subscriptionId: string, incidentId: string, workspaceId: string];

/** The one order in which everybody locks lanes: ids are ASCII, so this is also that of the database. */
export const byLane = (a: readonly string[], b: readonly string[]): number =>
  compared(a[0] ?? '', b[0] ?? '') || compared(a[1] ?? '', b[1] ?? '');
const compared = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * Locks lanes, and those of the incidents that hold an open update, in one order for everybody (so that nobody deadlocks), one by one by the
 * index, and reads what the planner must know of them. Those that are not there yet begin with this plan. An open update that a worker is
 * claiming right now is not open any more.
 */
export async function lockLanes(
  tx: Tx,
  pairs: readonly LanePair[],
  incidentIds: readonly string[],
): Promise<Map<string, Lane>> {
  if (incidentIds.length === 0) return new Map();
  const { rows } = await tx.query<LaneRow>(
    `select l.* from (
       select s, i from (
         select s, i from unnest($1::text[], $2::text[]) as given(s, i)
          union
         select subscription_id, incident_id from outbound_dispatcher.deliveries where mergeable and incident_id = any($3)) lane
        order by s collate "C", i collate "C") pair
      cross join lateral (
        select subscription_id, incident_id, last_sequence, last_update_at from outbound_dispatcher.lanes
         where subscription_id = pair.s and incident_id = pair.i for update) l`,
    [pairs.map(([subscription]) => subscription), pairs.map(([, incident]) => incident), incidentIds],
  );
  if (rows.length === 0) return new Map();
  // A statement of its own: it sees what those who held the locks have committed.
  const waiting = await tx.query<WaitingRow>(
    `select pair.s as subscription_id, pair.i as incident_id,
            exists (select from outbound_dispatcher.deliveries d
                     where d.subscription_id = pair.s and d.incident_id = pair.i and d.finished_at is null) as unfinished,
            u.id as open_id, u.changed as open_changed, u.due_at as open_due_at, u.event_type as open_name
       from unnest($1::text[], $2::text[]) as pair(s, i)
       left join lateral (
         select id, changed, due_at, event_type from outbound_dispatcher.deliveries d
          where d.subscription_id = pair.s and d.incident_id = pair.i and d.mergeable
            for update skip locked) u on true`,
    [rows.map((row) => row.subscription_id), rows.map((row) => row.incident_id)],
  );
  const byKey = new Map(waiting.rows.map((row) => [laneKey(row.subscription_id, row.incident_id), row]));
  return new Map(
    rows.map((row) => {
      const key = laneKey(row.subscription_id, row.incident_id);
      return [key, laneOf(row, byKey.get(key))];
    }),
  );
}

const laneOf = (row: LaneRow, waiting: WaitingRow | undefined): Lane => ({
  lastSequence: Number(row.last_sequence),
  lastUpdateAt: row.last_update_at,
  unfinished: waiting?.unfinished === true,
  openUpdate:
    !waiting || waiting.open_id === null
      ? null
      : {
          ...{ id: waiting.open_id, changed: waiting.open_changed ?? [], dueAt: waiting.open_due_at ?? new Date(0) },
          ...(waiting.open_name !== null && { name: waiting.open_name }),
        },
});

export interface Storing {
  nameOf: (subscriptionId: string) => string;
  /** Lanes that are there, locked by the caller's transaction. */
  lanes: ReadonlyMap<string, Lane>;
  /** What of it this process sends itself. */
  lease?: EarlyLease | undefined;
}

/** Stores a plan: at most four statements for a batch, sent together. @returns what was stored under the lease, as a claim would have given it */
export async function storePlan(tx: Tx, plan: Plan, storing: Storing): Promise<ClaimedDelivery[]> {
  const changed = changeUpdates(tx, plan.changed);
  const inserted = insertDeliveries(tx, plan.planned, storing);
  const rows = [...plan.lanes].map(([key, { subscriptionId, incidentId, workspaceId, lane }]) => ({
    ...{ key, subscription_id: subscriptionId, incident_id: incidentId, workspace_id: workspaceId },
    ...{ last_sequence: lane.lastSequence, last_update_at: lane.lastUpdateAt },
  }));
  const [, claimed] = await together(
    changed,
    inserted,
    insertLanes(
      tx,
      rows.filter(({ key }) => !storing.lanes.has(key)),
    ),
    updateLanes(
      tx,
      rows.filter(({ key }) => storing.lanes.has(key)),
    ),
  );
  return claimed;
}

/** One that somebody else has begun meanwhile is a conflict: the batch is decided again. */
async function insertLanes(tx: Tx, rows: readonly object[]): Promise<void> {
  if (rows.length === 0) return;
  await tx.query(
    `insert into outbound_dispatcher.lanes (subscription_id, incident_id, workspace_id, last_sequence, last_update_at)
     select subscription_id, incident_id, workspace_id, last_sequence, last_update_at
       from json_to_recordset($1::json)
         as n(subscription_id text, incident_id text, workspace_id text, last_sequence bigint, last_update_at timestamptz)
      order by subscription_id collate "C", incident_id collate "C"`,
    [JSON.stringify(rows)],
  );
}

async function updateLanes(tx: Tx, rows: readonly object[]): Promise<void> {
  if (rows.length === 0) return;
  await tx.query(
    `update outbound_dispatcher.lanes l set last_sequence = n.last_sequence, last_update_at = n.last_update_at
       from json_to_recordset($1::json) as n(subscription_id text, incident_id text, last_sequence bigint, last_update_at timestamptz)
      where l.subscription_id = n.subscription_id and l.incident_id = n.incident_id`,
    [JSON.stringify(rows)],
  );
}

async function changeUpdates(tx: Tx, changed: Plan['changed']): Promise<void> {
  if (changed.length === 0) return;
  const rows = changed.map((update) => ({
    ...{ id: update.id, event_id: update.eventId, sequence: update.sequence, ...contentOf(update.content) },
    ...{ changed: update.changed, due_at: update.dueAt, mergeable: update.mergeable },
    event_type: update.eventName ?? null,
  }));
  await tx.query(
    `update outbound_dispatcher.deliveries d
        set event_id = coalesce(n.event_id, d.event_id), event_type = coalesce(n.event_type, d.event_type), sequence = coalesce(n.sequence, d.sequence), body = coalesce(n.body, d.body),
            content_type = coalesce(n.content_type, d.content_type), content_headers = coalesce(n.content_headers, d.content_headers),
            changed = coalesce(n.changed, d.changed), due_at = n.due_at, mergeable = n.mergeable
       from json_to_recordset($1::json)
         as n(id text, event_id text, event_type text, sequence bigint, body text, content_type text, content_headers jsonb, changed text[], due_at timestamptz, mergeable boolean)
      where d.id = n.id`,
    [JSON.stringify(rows)],
  );
}

/** Columns of what is sent; null where it stays as it is. */
const contentOf = (content: RenderedBody | null) => ({
  body: content?.body ?? null,
  content_type: content?.contentType ?? null,
  content_headers: content?.headers ?? null,
});

/** How a delivery is stored that is not sent for now. */
function heldAs(hold: Hold) {
  switch (hold.kind) {
    case 'skipped':
      return { status: 'skipped-paused', reason: hold.reason, head: false };
    case 'retained':
      return { retained: true, reason: hold.reason, due_at: OUT_OF_REACH, mergeable: false };
    case 'feed':
      return { feed: true, due_at: OUT_OF_REACH, head: false, mergeable: false };
  }
}

async function insertDeliveries(
  tx: Tx,
  planned: Plan['planned'],
  { nameOf, lease }: Storing,
): Promise<ClaimedDelivery[]> {
  if (planned.length === 0) return [];
  const rows = planned.map((delivery, position) => ({
    ...{ position, id: delivery.id, workspace_id: delivery.workspaceId, subscription_id: delivery.subscription.id },
    ...{ subscription_name: nameOf(delivery.subscription.id), config_revision: delivery.subscription.revision },
    ...{
      event_id: delivery.eventId,
      event_type: delivery.eventName,
      incident_id: delivery.incidentId,
      sequence: delivery.sequence,
    },
    ...{ changed: delivery.changed, ...contentOf(delivery.content), due_at: delivery.dueAt, head: delivery.head },
    ...{ coalesced: delivery.coalesced, mergeable: delivery.mergeable, status: 'pending', reason: null },
    test: delivery.test === true,
    ...(delivery.hold ? heldAs(delivery.hold) : {}),
    ...(lease?.ids.has(delivery.id) ? { lease_until: lease.until(delivery) } : {}),
  }));
  const { rows: leased } = await tx.query<{ seq: string; id: string }>(
    `insert into outbound_dispatcher.deliveries (id, workspace_id, subscription_id, subscription_name, config_revision, event_id, event_type,
            incident_id, sequence, changed, body, content_type, content_headers, due_at, head, coalesced, mergeable, status, reason, retained,
            finished_at, feed_xid, test, lease_until, lease_token, claimed_by)
     select id, workspace_id, subscription_id, subscription_name, config_revision, event_id, event_type,
            incident_id, sequence, changed, body, content_type, content_headers, due_at, head, coalesced, mergeable, status, reason,
            coalesce(retained, false), case when status = 'skipped-paused' then now() end, case when feed then pg_current_xact_id() end,
            test, lease_until, case when lease_until is not null then $2 end, case when lease_until is not null then $3::int end
       from json_to_recordset($1::json)
         as n(position int, id text, workspace_id text, subscription_id text, subscription_name text, config_revision bigint, event_id text,
              event_type text, incident_id text, sequence bigint, changed text[], body text, content_type text, content_headers jsonb, due_at timestamptz, head boolean,
              coalesced boolean, mergeable boolean, status text, reason text, retained boolean, feed boolean, test boolean, lease_until timestamptz)
      order by position
     on conflict (event_id, subscription_id) do nothing
     returning seq, id`,
    [JSON.stringify(rows), lease?.token ?? null, lease?.workerId ?? null],
  );
  if (!lease) return [];
  const byId = new Map(planned.map((delivery) => [delivery.id as string, delivery]));
  return leased.flatMap(({ seq, id }) => {
    const delivery = lease.ids.has(id) ? byId.get(id) : undefined;
    if (!delivery) return [];
    return claimedOf(delivery, { seq, subscriptionName: nameOf(delivery.subscription.id), token: lease.token });
  });
}
