/** A row as the driver returns it: bigint as text, text[] as array. */
export type Row = Record<string, unknown>;

// Rows come as one array per column. The server does not know how many there are and expects a few, so that it looks each of them up in
// an index: with the statistics of a young or fast-growing table it would join all rows of a scope for a handful.

/** For the rest of the transaction: what it looks up and changes is a few rows of tables that may be large, each found by itself. */
export const ROW_BY_ROW =
  'set local enable_seqscan = off; set local enable_hashjoin = off; set local enable_mergejoin = off';

/** A column that has one value where all rows have the same: the parameter's first. */
const shared = (column: string, parameter: number): string => `coalesce(${column}, ($${parameter}::text[])[1])`;

/** Takes alert ids as answered, unless they are. */
export const CLAIM_PROCESSED = `
insert into dedup_correlator.processed_alerts (alert_id, workspace_id, scope, received_at)
select r.alert_id, ${shared('r.workspace_id', 2)}, ${shared('r.scope', 3)}, r.received_at
from unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) as r(alert_id, workspace_id, scope, received_at)
on conflict (alert_id) do nothing`;

/**
 * Which of these were answered before this transaction: their rows are not its own. A transaction takes ids once, and knows no savepoints,
 * whose rows would have another number.
 */
export const ANSWERED_BEFORE = `
select alert_id from dedup_correlator.processed_alerts where alert_id = any($1::text[]) and xmin <> pg_current_xact_id()::xid`;

export const RELEASE_PROCESSED = `
delete from dedup_correlator.processed_alerts where alert_id = any($1::text[])`;

/** Lists open incidents of a scope by their terms, at most so many. */
export const LIST_OPEN = `
update dedup_correlator.known_incidents set listed = true where ctid = any(array(
  select i.ctid from dedup_correlator.known_incidents i where i.scope = $1 and i.closed_at is null and not i.listed limit $2))`;

// What is looked up by key is looked up row by row (`offset 0` keeps a join from taking its place).
export const LOAD_KEYS = `
select k.* from unnest($1::text[], $2::text[], $3::text[]) as w(scope, webhook_id, key)
cross join lateral (
  select * from dedup_correlator.key_holders k
  where k.scope = ${shared('w.scope', 1)} and k.webhook_id = ${shared('w.webhook_id', 2)} and k.dedup_key = w.key offset 0
) k`;

/** Keys by which follow-ups find the open alerts of any severity. */
export const LOAD_RELATED_KEYS = `
select k.* from unnest($1::text[], $2::text[], $3::text[]) as w(scope, webhook_id, key)
cross join lateral (
  select * from dedup_correlator.key_holders k
  where k.scope = ${shared('w.scope', 1)} and k.webhook_id = ${shared('w.webhook_id', 2)} and k.resolve_key = w.key offset 0
) k`;

export const LOAD_CLOSINGS = `
select c.* from unnest($1::text[], $2::text[], $3::text[]) as w(scope, webhook_id, key)
cross join lateral (
  select * from dedup_correlator.closings c where c.scope = ${shared('w.scope', 1)} and c.webhook_id = ${shared('w.webhook_id', 2)} and c.resolve_key = w.key offset 0
) c`;

export const LOAD_INCIDENTS = `
select i.* from unnest($1::text[], $2::text[]) as w(scope, incident_id)
cross join lateral (
  select * from dedup_correlator.known_incidents i where i.scope = ${shared('w.scope', 1)} and i.incident_id = w.incident_id offset 0
) i`;

export const LOAD_ROLL_UPS = `
select i.* from unnest($1::text[], $2::text[]) as w(scope, roll_up_of)
join dedup_correlator.known_incidents i on i.scope = ${shared('w.scope', 1)} and i.roll_up_of = ${shared('w.roll_up_of', 2)} and i.closed_at is null`;

// The limit bounds one term's share: within a window the alerts of a service join one incident, unless correlation is off.
export const LOAD_CANDIDATES = `
select i.* from (
  select distinct w.scope, active.incident_id from (
    select ${shared('r.scope', 1)} as scope, r.term, r.since from unnest($1::text[], $2::text[], $3::bigint[]) as r(scope, term, since)
  ) w
  cross join lateral (
    select i.incident_id from dedup_correlator.known_incidents i
    where i.listed and i.terms @> array[w.scope || ' ' || w.term] and i.closed_at is null and i.last_alert_at >= w.since
    order by i.last_alert_at desc limit 200
  ) active
) w
cross join lateral (
  select * from dedup_correlator.known_incidents i where i.scope = w.scope and i.incident_id = w.incident_id offset 0
) i`;

export const LOAD_STORMS = `
select * from dedup_correlator.storms where scope = any($1::text[])`;

export const SAVE_STORMS = `
insert into dedup_correlator.storms (workspace_id, scope, arrivals, over_at, incident_id)
select ${shared('workspace_id', 1)}, ${shared('scope', 2)}, arrivals::jsonb, over_at, incident_id
from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[]) as r(workspace_id, scope, arrivals, over_at, incident_id)
on conflict (scope) do update set arrivals = excluded.arrivals, over_at = excluded.over_at, incident_id = excluded.incident_id`;

export const LOAD_OPEN = `
select i.* from dedup_correlator.known_incidents i where i.scope = $1 and i.closed_at is null limit $2`;

// One more occurrence, on rows that are there. They are found by index: that is also what clears a page of the versions of its rows that are
// over, without which the next update would have to go to another page and into every index.
export const TOUCH_KEYS = `
update dedup_correlator.key_holders k set last_alert_id = r.last_alert_id, last_at = r.last_at, last_trigger_at = r.last_trigger_at
from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[])
  as r(scope, webhook_id, dedup_key, last_alert_id, last_at, last_trigger_at)
where k.scope = ${shared('r.scope', 1)} and k.webhook_id = ${shared('r.webhook_id', 2)} and k.dedup_key = r.dedup_key`;

export const SAVE_KEYS = `
insert into dedup_correlator.key_holders
  (workspace_id, scope, webhook_id, dedup_key, resolve_key, incident_id, alert_id, last_alert_id, first_at, last_at, last_trigger_at, firing_key, alert_open, held_until, toggles)
select ${shared('r.workspace_id', 1)}, ${shared('r.scope', 2)}, ${shared('r.webhook_id', 3)}, r.dedup_key, r.resolve_key, r.incident_id, r.alert_id, r.last_alert_id, r.first_at, r.last_at, r.last_trigger_at, r.firing_key,
  r.alert_open, r.held_until, r.toggles::bigint[]
from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::bigint[], $10::bigint[], $11::bigint[], $12::text[],
  $13::boolean[], $14::bigint[], $15::text[]) as r(workspace_id, scope, webhook_id, dedup_key, resolve_key, incident_id, alert_id, last_alert_id, first_at, last_at,
  last_trigger_at, firing_key, alert_open, held_until, toggles)
on conflict (scope, webhook_id, dedup_key) do update set
  resolve_key = excluded.resolve_key, incident_id = excluded.incident_id, alert_id = excluded.alert_id, last_alert_id = excluded.last_alert_id, first_at = excluded.first_at,
  last_at = excluded.last_at, last_trigger_at = excluded.last_trigger_at, firing_key = excluded.firing_key, alert_open = excluded.alert_open,
  held_until = excluded.held_until, toggles = excluded.toggles`;

export const SAVE_CLOSINGS = `
insert into dedup_correlator.closings (workspace_id, scope, webhook_id, resolve_key, closed_at, closed_by, kept_until)
select ${shared('r.workspace_id', 1)}, ${shared('r.scope', 2)}, ${shared('r.webhook_id', 3)}, r.resolve_key, r.closed_at, r.closed_by, r.kept_until
from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::bigint[])
  as r(workspace_id, scope, webhook_id, resolve_key, closed_at, closed_by, kept_until)
on conflict (scope, webhook_id, resolve_key) do update set
  closed_at = excluded.closed_at, closed_by = excluded.closed_by, kept_until = excluded.kept_until`;

/** An alert more, on incidents that are there. */
export const TOUCH_INCIDENTS = `
update dedup_correlator.known_incidents i set last_alert_at = r.last_alert_at
from unnest($1::text[], $2::text[], $3::bigint[]) as r(scope, incident_id, last_alert_at)
where i.scope = ${shared('r.scope', 1)} and i.incident_id = r.incident_id`;

/** `terms` with the scope in front, those of its services among them: the index has all scopes. */
export const SAVE_INCIDENTS = `
insert into dedup_correlator.known_incidents
  (workspace_id, scope, incident_id, version, opened_at, last_alert_at, closed_at, roll_up_of, facets, services, terms, listed)
select ${shared('r.workspace_id', 1)}, ${shared('r.scope', 2)}, r.incident_id, r.version, r.opened_at, r.last_alert_at, r.closed_at, r.roll_up_of, r.facets::jsonb, r.services::text[], r.terms::text[], r.listed
from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::text[], $9::text[], $10::text[], $11::text[], $12::boolean[])
  as r(workspace_id, scope, incident_id, version, opened_at, last_alert_at, closed_at, roll_up_of, facets, services, terms, listed)
on conflict (scope, incident_id) do update set
  version = excluded.version, opened_at = excluded.opened_at, last_alert_at = excluded.last_alert_at, closed_at = excluded.closed_at,
  services = excluded.services, roll_up_of = excluded.roll_up_of, facets = excluded.facets, terms = excluded.terms,
  listed = excluded.listed`;

// Ordered by age under a limit, so that each scope costs an index range that is as long as what is deleted. Rows go by their places: by
// their names PostgreSQL would join the whole table with a few.
export const PRUNE = `
with horizon as (
  select * from jsonb_to_recordset($1::jsonb) as h(scope text, "processedBefore" bigint, "closingsBefore" bigint)
), old_alerts as (
  delete from dedup_correlator.processed_alerts where ctid = any(array(
    select old.place from horizon h cross join lateral (
      select p.ctid as place from dedup_correlator.processed_alerts p
      where p.scope = h.scope and p.received_at < h."processedBefore" order by p.received_at limit $2) old))
  returning scope
), old_closings as (
  delete from dedup_correlator.closings where ctid = any(array(
    select old.place from horizon h cross join lateral (
      select c.ctid as place from dedup_correlator.closings c
      where c.scope || '' = h.scope and c.kept_until < h."closingsBefore" order by c.kept_until limit $2) old))
  returning scope
), old_incidents as (
  delete from dedup_correlator.known_incidents where ctid = any(array(
    select old.place from horizon h cross join lateral (
      select i.ctid as place from dedup_correlator.known_incidents i
      where i.scope = h.scope and i.closed_at is not null and i.closed_at < h."processedBefore" order by i.closed_at limit $2) old))
  returning scope, incident_id
), old_keys as (
  delete from dedup_correlator.key_holders where ctid = any(array(
    select old.place from old_incidents i cross join lateral (
      select k.ctid as place from dedup_correlator.key_holders k
      where k.incident_id = i.incident_id and k.scope = i.scope offset 0) old))
), old_recorded as (
  delete from dedup_correlator.key_holders where ctid = any(array(
    select old.place from horizon h cross join lateral (
      select k.ctid as place from dedup_correlator.key_holders k
      where k.scope = h.scope and k.incident_id is null and k.first_at < h."processedBefore" and k.last_at < h."processedBefore"
      order by k.first_at limit $2) old))
  returning scope
)
select scope from old_alerts group by scope having count(*) >= $2
union select scope from old_recorded group by scope having count(*) >= $2
union select scope from old_closings group by scope having count(*) >= $2
union select scope from old_incidents group by scope having count(*) >= $2`;
