/** A row as the driver returns it: timestamptz as Date, bigint as text, text[] as array. */
export type Row = Record<string, unknown>;

export const LOAD_PROCESSED = `
select alert_id from dedup_correlator.processed_alerts where alert_id in (select jsonb_array_elements_text($1::jsonb) collate "C")`;

// What is looked up by key is looked up row by row (`offset 0` keeps a join from taking its place): with the statistics of a young or
// fast-growing table a join reads all keys of a webhook for each of them, and a batch costs as much as the table has rows.
export const LOAD_KEYS = `
select k.* from jsonb_to_recordset($1::jsonb) as w(scope text, "webhookId" text, key text)
cross join lateral (
  select * from dedup_correlator.key_holders k
  where k.scope = w.scope and k.webhook_id = w."webhookId" and k.dedup_key = w.key offset 0
) k
union
select k.* from jsonb_to_recordset($2::jsonb) as w(scope text, "webhookId" text, key text)
cross join lateral (
  select * from dedup_correlator.key_holders k
  where k.scope = w.scope and k.webhook_id = w."webhookId" and k.resolve_key = w.key offset 0
) k`;

export const LOAD_CLOSINGS = `
select c.* from jsonb_to_recordset($1::jsonb) as w(scope text, "webhookId" text, key text)
cross join lateral (
  select * from dedup_correlator.closings c where c.scope = w.scope and c.webhook_id = w."webhookId" and c.resolve_key = w.key offset 0
) c`;

// The limit bounds one service's share: within a window its alerts join one incident, unless correlation is off.
export const LOAD_INCIDENTS = `
with wanted as (
  select n.scope, n."incidentId" as incident_id from jsonb_to_recordset($1::jsonb) as n(scope text, "incidentId" text)
  union
  select w.scope, active.incident_id
  from jsonb_to_recordset($2::jsonb) as w(scope text, service text, since timestamptz)
  cross join lateral (
    select s.incident_id from dedup_correlator.incident_services s
    where s.scope = w.scope and s.service = w.service and s.last_alert_at >= w.since
    order by s.last_alert_at desc limit 200
  ) active
  union
  select i.scope, i.incident_id from jsonb_to_recordset($3::jsonb) as w(scope text, "webhookId" text)
  join dedup_correlator.known_incidents i on i.scope = w.scope and i.roll_up_of = w."webhookId" and i.closed_at is null
  union
  select w.scope, active.incident_id
  from jsonb_to_recordset($4::jsonb) as w(scope text, term text, since timestamptz)
  cross join lateral (
    select i.incident_id from dedup_correlator.known_incidents i
    where i.terms @> array[w.scope || ' ' || w.term] and i.closed_at is null and i.last_alert_at >= w.since
    order by i.last_alert_at desc limit 200
  ) active
)
select i.* from wanted
cross join lateral (
  select * from dedup_correlator.known_incidents i where i.scope = wanted.scope and i.incident_id = wanted.incident_id offset 0
) i`;

export const LOAD_STORMS = `
select * from dedup_correlator.storms where scope in (select jsonb_array_elements_text($1::jsonb) collate "C")`;

export const SAVE_STORMS = `
insert into dedup_correlator.storms (workspace_id, scope, arrivals, over_at, incident_id)
select "workspaceId", scope, arrivals, "overAt", "incidentId"
from jsonb_to_recordset($1::jsonb) as r("workspaceId" text, scope text, arrivals jsonb, "overAt" timestamptz, "incidentId" text)
on conflict (scope) do update set arrivals = excluded.arrivals, over_at = excluded.over_at, incident_id = excluded.incident_id`;

export const LOAD_OPEN = `
select i.* from dedup_correlator.known_incidents i where i.scope = $1 and i.closed_at is null limit $2`;

export const SAVE_PROCESSED = `
insert into dedup_correlator.processed_alerts (alert_id, workspace_id, scope, received_at)
select "alertId", "workspaceId", scope, "receivedAt"
from jsonb_to_recordset($1::jsonb) as r("alertId" text, "workspaceId" text, scope text, "receivedAt" timestamptz)`;

export const SAVE_KEYS = `
insert into dedup_correlator.key_holders
  (workspace_id, scope, webhook_id, dedup_key, resolve_key, incident_id, alert_id, last_alert_id, first_at, last_at, last_trigger_at, firing_key, alert_open, toggled_at, held_until)
select "workspaceId", scope, "webhookId", "dedupKey", "resolveKey", "incidentId", "alertId", "lastAlertId", "firstAt", "lastAt", "lastTriggerAt", "firingKey", "alertOpen",
  toggles, "heldUntil"
from jsonb_to_recordset($1::jsonb) as r("workspaceId" text, scope text, "webhookId" text, "dedupKey" text, "resolveKey" text, "incidentId" text,
  "alertId" text, "lastAlertId" text, "firstAt" timestamptz, "lastAt" timestamptz, "lastTriggerAt" timestamptz, "firingKey" text, "alertOpen" boolean, toggles timestamptz[],
  "heldUntil" timestamptz)
on conflict (scope, webhook_id, dedup_key) do update set
  resolve_key = excluded.resolve_key, incident_id = excluded.incident_id, alert_id = excluded.alert_id, last_alert_id = excluded.last_alert_id, first_at = excluded.first_at,
  last_at = excluded.last_at, last_trigger_at = excluded.last_trigger_at, firing_key = excluded.firing_key, alert_open = excluded.alert_open,
  toggled_at = excluded.toggled_at, held_until = excluded.held_until`;

export const SAVE_CLOSINGS = `
insert into dedup_correlator.closings (workspace_id, scope, webhook_id, resolve_key, closed_at, closed_by, kept_until)
select "workspaceId", scope, "webhookId", "resolveKey", "closedAt", "closedBy", "keptUntil"
from jsonb_to_recordset($1::jsonb) as r("workspaceId" text, scope text, "webhookId" text, "resolveKey" text, "closedAt" timestamptz,
  "closedBy" text, "keptUntil" timestamptz)
on conflict (scope, webhook_id, resolve_key) do update set
  closed_at = excluded.closed_at, closed_by = excluded.closed_by, kept_until = excluded.kept_until`;

// One statement keeps incidents and their service index together; an incident leaves the index of a service that it lost.
export const SAVE_INCIDENTS = `
with changed as (
  select * from jsonb_to_recordset($1::jsonb) as r("workspaceId" text, scope text, "incidentId" text, version bigint, "openedAt" timestamptz,
    "lastAlertAt" timestamptz, "closedAt" timestamptz, services text[], "rollUpOf" text,
    facets jsonb, terms text[])
), saved as (
  insert into dedup_correlator.known_incidents
    (workspace_id, scope, incident_id, version, opened_at, last_alert_at, closed_at, services, roll_up_of, facets, terms)
  select "workspaceId", scope, "incidentId", version, "openedAt", "lastAlertAt", "closedAt", services, "rollUpOf", facets, terms from changed
  on conflict (scope, incident_id) do update set
    version = excluded.version, opened_at = excluded.opened_at, last_alert_at = excluded.last_alert_at, closed_at = excluded.closed_at,
    services = excluded.services, roll_up_of = excluded.roll_up_of, facets = excluded.facets, terms = excluded.terms
), indexed as (
  insert into dedup_correlator.incident_services (workspace_id, scope, incident_id, service, last_alert_at)
  select "workspaceId", scope, "incidentId", service, "lastAlertAt" from changed cross join unnest(services) as service where "closedAt" is null
  on conflict (scope, incident_id, service) do update set last_alert_at = excluded.last_alert_at
  where incident_services.last_alert_at <> excluded.last_alert_at
)
delete from dedup_correlator.incident_services s using changed c
where s.scope = c.scope and s.incident_id = c."incidentId" and (c."closedAt" is not null or s.service <> all (c.services))`;

// Ordered by age under a limit, so that each scope costs an index range that is as long as what is deleted.
export const PRUNE = `
with horizon as (
  select * from jsonb_to_recordset($1::jsonb) as h(scope text, "processedBefore" timestamptz, "closingsBefore" timestamptz)
), old_alerts as (
  delete from dedup_correlator.processed_alerts where alert_id in (
    select old.alert_id from horizon h cross join lateral (
      select p.alert_id from dedup_correlator.processed_alerts p
      where p.scope = h.scope and p.received_at < h."processedBefore" order by p.received_at limit $2) old)
  returning scope
), old_closings as (
  delete from dedup_correlator.closings where (scope, webhook_id, resolve_key) in (
    select h.scope, old.webhook_id, old.resolve_key from horizon h cross join lateral (
      select c.webhook_id, c.resolve_key from dedup_correlator.closings c
      where c.scope = h.scope and c.kept_until < h."closingsBefore" order by c.kept_until limit $2) old)
  returning scope
), old_incidents as (
  delete from dedup_correlator.known_incidents where (scope, incident_id) in (
    select h.scope, old.incident_id from horizon h cross join lateral (
      select i.incident_id from dedup_correlator.known_incidents i
      where i.scope = h.scope and i.closed_at is not null and i.closed_at < h."processedBefore" order by i.closed_at limit $2) old)
  returning scope, incident_id
), old_keys as (
  delete from dedup_correlator.key_holders k using old_incidents i where k.scope = i.scope and k.incident_id = i.incident_id
), old_recorded as (
  delete from dedup_correlator.key_holders where (scope, webhook_id, dedup_key) in (
    select h.scope, old.webhook_id, old.dedup_key from horizon h cross join lateral (
      select k.webhook_id, k.dedup_key from dedup_correlator.key_holders k
      where k.scope = h.scope and k.incident_id is null and k.last_at < h."processedBefore" order by k.last_at limit $2) old)
  returning scope
)
select scope from old_alerts group by scope having count(*) >= $2
union select scope from old_recorded group by scope having count(*) >= $2
union select scope from old_closings group by scope having count(*) >= $2
union select scope from old_incidents group by scope having count(*) >= $2`;
