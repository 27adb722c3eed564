-- Lists by severity, the worst first, and counts of what is open, without looking at what is closed.
alter table incident_store.incidents add column severity_rank smallint not null generated always as (
  case severity when 'critical' then 5 when 'high' then 4 when 'medium' then 3 when 'low' then 2 else 1 end) stored;
create index incidents_worst on incident_store.incidents (workspace_id, severity_rank desc, created_at desc, incident_id desc)
  where status <> 'resolved';
create index incidents_open_counts on incident_store.incidents (workspace_id, status, severity) where status <> 'resolved';
