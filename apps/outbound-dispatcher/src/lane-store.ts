import type { Tx } from '@tocsin/postgres';
import { laneKey, type Hold, type Lane, type Plan, type RenderedBody } from '@tocsin/domain/delivery';
import { OUT_OF_REACH } from './retained.ts';

interface LaneRow {
  subscription_id: string;
  incident_id: string;
  last_sequence: string;
  last_update_at: Date | null;
  unfinished: boolean;
  open_id: string | null;
  open_changed: string[] | null;
  open_due_at: Date | null;
  open_name: string | null;
}

type LanePair = readonly [subscriptionId: string, incidentId: string, workspaceId: string];

const columns = (pairs: readonly LanePair[]): [string[], string[], string[]] => [
  pairs.map(([subscription]) => subscription),
  pairs.map(([, incident]) => incident),
  pairs.map(([, , workspace]) => workspace),
];

/**
 * Locks lanes in one fixed order (so that nobody deadlocks) and reads what the planner must know of them.
 * An open update that a worker is claiming right now is not open any more.
 */
export async function lockLanes(tx: Tx, pairs: readonly LanePair[]): Promise<Map<string, Lane>> {
  if (pairs.length === 0) return new Map();
  const [subscriptions, incidents, workspaces] = columns(pairs);
  await tx.query(
    `insert into outbound_dispatcher.lanes (subscription_id, incident_id, workspace_id, last_sequence)
     select s, i, w, 0 from unnest($1::text[], $2::text[], $3::text[]) as pair(s, i, w) order by s collate "C", i collate "C"
     on conflict (subscription_id, incident_id) do update set last_sequence = lanes.last_sequence`,
    [subscriptions, incidents, workspaces],
  );
  const { rows } = await tx.query<LaneRow>(
    `select l.subscription_id, l.incident_id, l.last_sequence, l.last_update_at,
            exists (select from outbound_dispatcher.deliveries d
                     where d.subscription_id = l.subscription_id and d.incident_id = l.incident_id and d.finished_at is null) as unfinished,
            u.id as open_id, u.changed as open_changed, u.due_at as open_due_at, u.event_type as open_name
       from unnest($1::text[], $2::text[]) as pair(s, i)
       join outbound_dispatcher.lanes l on l.subscription_id = pair.s and l.incident_id = pair.i
       left join lateral (
         select id, changed, due_at, event_type from outbound_dispatcher.deliveries d
          where d.subscription_id = l.subscription_id and d.incident_id = l.incident_id and d.mergeable
            for update skip locked) u on true`,
    [subscriptions, incidents],
  );
  return new Map(rows.map((row) => [laneKey(row.subscription_id, row.incident_id), laneOf(row)]));
}

const laneOf = (row: LaneRow): Lane => ({
  lastSequence: Number(row.last_sequence),
  lastUpdateAt: row.last_update_at,
  unfinished: row.unfinished,
  openUpdate:
    row.open_id === null
      ? null
      : {
          ...{ id: row.open_id, changed: row.open_changed ?? [], dueAt: row.open_due_at ?? new Date(0) },
          ...(row.open_name !== null && { name: row.open_name }),
        },
});

/** Stores a plan: at most three statements for a batch. The lanes are locked by the caller's transaction. */
export async function storePlan(tx: Tx, plan: Plan, nameOf: (subscriptionId: string) => string): Promise<void> {
  await changeUpdates(tx, plan.changed);
  await insertDeliveries(tx, plan.planned, nameOf);
  const lanes = [...plan.lanes.values()].map(({ subscriptionId, incidentId, lane }) => ({
    ...{ subscription_id: subscriptionId, incident_id: incidentId },
    last_sequence: lane.lastSequence,
    last_update_at: lane.lastUpdateAt,
  }));
  if (lanes.length === 0) return;
  await tx.query(
    `update outbound_dispatcher.lanes l set last_sequence = n.last_sequence, last_update_at = n.last_update_at
       from jsonb_to_recordset($1::jsonb) as n(subscription_id text, incident_id text, last_sequence bigint, last_update_at timestamptz)
      where l.subscription_id = n.subscription_id and l.incident_id = n.incident_id`,
    [JSON.stringify(lanes)],
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
       from jsonb_to_recordset($1::jsonb)
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
  nameOf: (subscriptionId: string) => string,
): Promise<void> {
  if (planned.length === 0) return;
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
  }));
  await tx.query(
    `insert into outbound_dispatcher.deliveries (id, workspace_id, subscription_id, subscription_name, config_revision, event_id, event_type,
            incident_id, sequence, changed, body, content_type, content_headers, due_at, head, coalesced, mergeable, status, reason, retained,
            finished_at, feed_xid, test)
     select id, workspace_id, subscription_id, subscription_name, config_revision, event_id, event_type,
            incident_id, sequence, changed, body, content_type, content_headers, due_at, head, coalesced, mergeable, status, reason,
            coalesce(retained, false), case when status = 'skipped-paused' then now() end, case when feed then pg_current_xact_id() end,
            test
       from jsonb_to_recordset($1::jsonb)
         as n(position int, id text, workspace_id text, subscription_id text, subscription_name text, config_revision bigint, event_id text,
              event_type text, incident_id text, sequence bigint, changed text[], body text, content_type text, content_headers jsonb, due_at timestamptz, head boolean,
              coalesced boolean, mergeable boolean, status text, reason text, retained boolean, feed boolean, test boolean)
      order by position
     on conflict (event_id, subscription_id) do nothing`,
    [JSON.stringify(rows)],
  );
}
