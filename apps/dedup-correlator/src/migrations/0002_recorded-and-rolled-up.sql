-- A key may be held by an alert without an incident (`open_when`); an incident may hold a webhook's alerts above its limit.
alter table dedup_correlator.key_holders alter column incident_id drop not null;
-- Keys of incidents go with their incident; those without one go by age.
create index key_holders_recorded on dedup_correlator.key_holders (scope, last_at) where incident_id is null;

alter table dedup_correlator.known_incidents add column roll_up_of text collate "C";
create index known_incidents_roll_up on dedup_correlator.known_incidents (scope, roll_up_of)
  where roll_up_of is not null and closed_at is null;
