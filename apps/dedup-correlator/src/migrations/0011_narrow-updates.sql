-- Times are milliseconds since the epoch, as decisions compare them: nothing is converted on the way in and out.
-- An alert that comes again changes one row of a table or two. Such an update stays on its page only where no index has a column that
-- changes, so there is no index by activity any more: incidents of a service are found by their terms, like all others.
alter table dedup_correlator.processed_alerts
  alter column received_at type bigint using round(extract(epoch from received_at) * 1000)::bigint;

drop index dedup_correlator.key_holders_recorded;
alter table dedup_correlator.key_holders
  alter column first_at type bigint using round(extract(epoch from first_at) * 1000)::bigint,
  alter column last_at type bigint using round(extract(epoch from last_at) * 1000)::bigint,
  alter column last_trigger_at type bigint using round(extract(epoch from last_trigger_at) * 1000)::bigint,
  alter column held_until type bigint using round(extract(epoch from held_until) * 1000)::bigint,
  add column toggles bigint[] not null default '{}';
update dedup_correlator.key_holders
  set toggles = array(select round(extract(epoch from at) * 1000)::bigint from unnest(toggled_at) with ordinality t (at, n) order by n)
  where toggled_at <> '{}';
alter table dedup_correlator.key_holders drop column toggled_at;
-- A recorded key is looked at for its age from its first alert on; `last_at` decides.
create index key_holders_recorded on dedup_correlator.key_holders (scope, first_at) where incident_id is null;

alter table dedup_correlator.closings
  alter column closed_at type bigint using round(extract(epoch from closed_at) * 1000)::bigint,
  alter column kept_until type bigint using round(extract(epoch from kept_until) * 1000)::bigint;
-- Not for a lookup by key, which may not compare the scope alone: see 0008.
drop index dedup_correlator.closings_by_age;
create index closings_by_age on dedup_correlator.closings ((scope || ''), kept_until);

alter table dedup_correlator.storms
  alter column over_at type bigint using round(extract(epoch from over_at) * 1000)::bigint;

drop table dedup_correlator.incident_services;
alter table dedup_correlator.known_incidents
  alter column opened_at type bigint using round(extract(epoch from opened_at) * 1000)::bigint,
  alter column last_alert_at type bigint using round(extract(epoch from last_alert_at) * 1000)::bigint,
  alter column closed_at type bigint using round(extract(epoch from closed_at) * 1000)::bigint;
update dedup_correlator.known_incidents
  set terms = terms || array(select scope || ' service ' || service from unnest(services) service)
  where closed_at is null and services <> '{}';
