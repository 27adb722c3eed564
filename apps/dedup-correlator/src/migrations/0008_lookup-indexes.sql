-- Indexes by which rows are looked up begin with what tells rows apart, not with what they share. While a table is young its statistics say
-- that any index whose first columns are compared finds one row, and PostgreSQL took one that read every key of the scope for each lookup.
alter table dedup_correlator.key_holders drop constraint key_holders_pkey;
alter table dedup_correlator.key_holders add primary key (dedup_key, webhook_id, scope);
drop index dedup_correlator.key_holders_by_resolve_key;
create index key_holders_by_resolve_key on dedup_correlator.key_holders (resolve_key, webhook_id, scope);
drop index dedup_correlator.key_holders_by_incident;
create index key_holders_by_incident on dedup_correlator.key_holders (incident_id, scope);

alter table dedup_correlator.closings drop constraint closings_pkey;
alter table dedup_correlator.closings add primary key (resolve_key, webhook_id, scope);

alter table dedup_correlator.known_incidents drop constraint known_incidents_pkey;
alter table dedup_correlator.known_incidents add primary key (incident_id, scope);

alter table dedup_correlator.incident_services drop constraint incident_services_pkey;
alter table dedup_correlator.incident_services add primary key (incident_id, service, scope);
drop index dedup_correlator.incident_services_by_activity;
create index incident_services_by_activity on dedup_correlator.incident_services (service, scope, last_alert_at);
