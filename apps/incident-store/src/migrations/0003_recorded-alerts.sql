-- Alerts that are kept without an incident (`open_when`), with what is needed to make one of them later.
create table incident_store.recorded_alerts (
  alert_id text primary key,
  workspace_id text not null,
  webhook_id text not null,
  status text not null check (status in ('recorded', 'resolved', 'promoted', 'taken-over')),
  incident_id text,
  occurrences integer not null,
  received_at timestamptz(3) not null,
  last_seen_at timestamptz(3) not null,
  ended_at timestamptz(3),
  alert json not null,
  why json not null
) with (fillfactor = 70);
create index recorded_alerts_newest on incident_store.recorded_alerts (workspace_id, received_at desc, alert_id desc);
create index recorded_alerts_of_webhook on incident_store.recorded_alerts (workspace_id, webhook_id, received_at desc, alert_id desc);

alter table incident_store.recorded_alerts enable row level security;
alter table incident_store.recorded_alerts force row level security;
create policy recorded_alerts_rest on incident_store.recorded_alerts for all to tocsin_rest
  using (workspace_id = current_setting('tocsin.workspace_id', true)) with check (workspace_id = current_setting('tocsin.workspace_id', true));
create policy recorded_alerts_pipeline on incident_store.recorded_alerts for all to tocsin_pipeline using (true) with check (true);
grant select, insert, update on incident_store.recorded_alerts to tocsin_pipeline;
grant select on incident_store.recorded_alerts to tocsin_rest;
