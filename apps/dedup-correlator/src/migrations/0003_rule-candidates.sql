-- Rules and wider time windows: an open incident's own values, and the terms under which it is found beside its services.
-- Terms are written with their scope in front; closed incidents have none. Updates that leave them alone stay off this index.
alter table dedup_correlator.known_incidents
  add column facets jsonb,
  add column terms text[] not null default '{}';
create index known_incidents_by_term on dedup_correlator.known_incidents using gin (terms);
