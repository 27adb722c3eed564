-- State of the correlator: one writer per scope folds correlation.inputs into these rows (times are record times).

-- Alert ids that were answered; kept 8 days, longer than any topic that can repeat one.
create table dedup_correlator.processed_alerts (
  alert_id     text collate "C" primary key,
  workspace_id text not null,
  scope        text collate "C" not null,
  received_at  timestamptz(3) not null
);
create index processed_alerts_by_age on dedup_correlator.processed_alerts (scope, received_at);

-- The current holder of each dedup key.
create table dedup_correlator.key_holders (
  workspace_id    text not null,
  scope           text collate "C" not null,
  webhook_id      text collate "C" not null,
  dedup_key       text collate "C" not null,
  resolve_key     text collate "C" not null,
  incident_id     text collate "C" not null,
  alert_id        text not null,
  last_alert_id   text not null,
  first_at        timestamptz(3) not null,
  last_at         timestamptz(3) not null,
  last_trigger_at timestamptz(3) not null,
  firing_key      text,
  alert_open      boolean not null,
  primary key (scope, webhook_id, dedup_key)
) with (fillfactor = 80);
create index key_holders_by_resolve_key on dedup_correlator.key_holders (scope, webhook_id, resolve_key);
create index key_holders_by_incident on dedup_correlator.key_holders (scope, incident_id);

-- The newest closing of each resolve key, so that its late trigger is stale; kept for the dedup window.
create table dedup_correlator.closings (
  workspace_id text not null,
  scope        text collate "C" not null,
  webhook_id   text collate "C" not null,
  resolve_key  text collate "C" not null,
  closed_at    timestamptz(3) not null,
  closed_by    text not null check (closed_by in ('resolved', 'acknowledged')),
  kept_until   timestamptz(3) not null,
  primary key (scope, webhook_id, resolve_key)
);
create index closings_by_age on dedup_correlator.closings (scope, kept_until);

-- Incidents as the correlator knows them; a closed one stays for its stream version, as long as facts can repeat.
create table dedup_correlator.known_incidents (
  workspace_id  text not null,
  scope         text collate "C" not null,
  incident_id   text collate "C" not null,
  version       bigint not null,
  opened_at     timestamptz(3) not null,
  last_alert_at timestamptz(3) not null,
  closed_at     timestamptz(3),
  services      text[] not null,
  primary key (scope, incident_id)
) with (fillfactor = 80);
create index known_incidents_by_closing on dedup_correlator.known_incidents (scope, closed_at) where closed_at is not null;

-- Index of open incidents by service and activity: how a time window finds its candidates.
create table dedup_correlator.incident_services (
  workspace_id  text not null,
  scope         text collate "C" not null,
  incident_id   text collate "C" not null,
  service       text collate "C" not null,
  last_alert_at timestamptz(3) not null,
  primary key (scope, incident_id, service)
) with (fillfactor = 80);
create index incident_services_by_activity on dedup_correlator.incident_services (scope, service, last_alert_at);

do $$
declare
  name text;
begin
  foreach name in array array['processed_alerts', 'key_holders', 'closings', 'known_incidents', 'incident_services'] loop
    execute format('alter table dedup_correlator.%I enable row level security', name);
    execute format('alter table dedup_correlator.%I force row level security', name);
    execute format(
      'create policy rest on dedup_correlator.%I to tocsin_rest using (workspace_id = current_setting(''tocsin.workspace_id'', true))', name);
    execute format('create policy pipeline on dedup_correlator.%I to tocsin_pipeline using (true) with check (true)', name);
    -- Nothing of this service is read over REST: the other role gets no grant.
    execute format('grant select, insert, update, delete on dedup_correlator.%I to tocsin_pipeline', name);
  end loop;
end
$$;
