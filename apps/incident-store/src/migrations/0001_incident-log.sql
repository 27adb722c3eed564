-- The event log of incidents, what decisions need beside it, and the projections that people read.

-- One row per incident stream: its head, and a snapshot of the folded state so that a batch folds only its own events.
create table incident_store.streams (
  stream_id text primary key,
  workspace_id text not null,
  scope text not null,
  version bigint not null,
  last_hash text not null,
  state_schema integer not null,
  state json not null,
  updated_at timestamptz not null
) with (fillfactor = 70);

-- The log. The chained row holds no content: that is in event_payloads and can be erased without breaking the chain.
create table incident_store.events (
  stream_id text not null,
  version bigint not null,
  event_id text not null,
  workspace_id text not null,
  type text not null,
  schema_version integer not null,
  at timestamptz not null,
  actor jsonb not null,
  cause_id text not null,
  cause_ordinal integer not null,
  reason text,
  config_revision bigint not null,
  digest text not null,
  prev_hash text not null,
  hash text not null,
  primary key (stream_id, version),
  constraint one_effect_per_cause unique (stream_id, cause_id, cause_ordinal)
);
create table incident_store.event_payloads (
  stream_id text not null,
  version bigint not null,
  workspace_id text not null,
  salt bytea not null check (octet_length(salt) = 16),
  body bytea not null,
  primary key (stream_id, version)
);
-- Filled in the append transaction; the sequencer will drain it into a gapless commit order.
create table incident_store.unsequenced (
  position bigint generated always as identity primary key,
  workspace_id text not null,
  stream_id text not null,
  version bigint not null
);

create function incident_store.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only: % refused', tg_table_name, lower(tg_op) using errcode = 'restrict_violation';
end $$;
create trigger events_append_only before update or delete on incident_store.events
  for each row execute function incident_store.refuse_change();
create trigger events_no_truncate before truncate on incident_store.events
  for each statement execute function incident_store.refuse_change();
create trigger event_payloads_append_only before update or delete on incident_store.event_payloads
  for each row execute function incident_store.refuse_change();
create trigger event_payloads_no_truncate before truncate on incident_store.event_payloads
  for each statement execute function incident_store.refuse_change();

-- Who holds a dedup key now: at most one open alert. A row goes when its alert or incident is closed.
create table incident_store.key_holders (
  scope text not null,
  webhook_id text not null,
  dedup_key text not null,
  workspace_id text not null,
  resolve_key text not null,
  incident_id text not null,
  alert_id text not null,
  constraint one_open_holder primary key (scope, webhook_id, dedup_key)
);
create index key_holders_alert on incident_store.key_holders (alert_id);
create index key_holders_incident on incident_store.key_holders (incident_id);

-- Closed (or never opened) incident -> the one that later records for it go to.
create table incident_store.successors (
  incident_id text primary key,
  successor_id text not null,
  workspace_id text not null
);

-- Every alert that was decided, once, with the answer its sender got. Kept longer than any topic can repeat it.
create table incident_store.alert_outcomes (
  alert_id text primary key,
  workspace_id text not null,
  webhook_id text not null,
  receipt_id text not null,
  index integer not null,
  incident_id text,
  outcome text not null,
  reason text not null,
  occurrence_count integer,
  counted_on text,
  why jsonb,
  settled_at timestamptz not null
);
create index alert_outcomes_receipt on incident_store.alert_outcomes (receipt_id, index);

create table incident_store.receipts (
  receipt_id text primary key,
  workspace_id text not null,
  webhook_id text not null,
  received_at timestamptz not null,
  settled_at timestamptz not null,
  total integer not null,
  outcome text,
  reason text,
  detail text
);

-- When an attached alert was last seen. State, not a projection: a repeat of the same firing writes no event.
create table incident_store.alert_activity (
  alert_id text primary key,
  workspace_id text not null,
  incident_id text not null,
  firing_key text,
  first_seen_at timestamptz not null,
  last_seen_at timestamptz not null,
  ends_at timestamptz
) with (fillfactor = 70);

create table incident_store.workspace_numbers (
  workspace_id text primary key,
  last_number bigint not null
);

-- Projections.
create table incident_store.incidents (
  incident_id text primary key,
  workspace_id text not null,
  number bigint not null,
  status text not null,
  severity text not null,
  title text not null,
  description text not null,
  services text[] not null,
  tags text[] not null,
  source text,
  webhook_id text,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  version bigint not null,
  document json not null,
  unique (workspace_id, number)
) with (fillfactor = 70);
create index incidents_newest on incident_store.incidents (workspace_id, created_at desc, incident_id desc);
create index incidents_active on incident_store.incidents (workspace_id, created_at desc, incident_id desc) where status <> 'resolved';
create index incidents_services on incident_store.incidents using gin (services);

create table incident_store.incident_alerts (
  alert_id text primary key,
  workspace_id text not null,
  incident_id text not null,
  position bigint generated always as identity,
  webhook_id text not null,
  status text not null,
  severity text not null,
  role text not null,
  occurrences integer not null,
  received_at timestamptz not null,
  resolved_at timestamptz,
  alert json not null
) with (fillfactor = 70);
create index incident_alerts_incident on incident_store.incident_alerts (incident_id, position);

-- Order in which an incident's story was written. Events are in the log; only facts that are not events carry an entry.
create table incident_store.timeline (
  position bigint generated always as identity primary key,
  workspace_id text not null,
  incident_id text not null,
  version bigint,
  fact_id text unique,
  at timestamptz not null,
  entry jsonb,
  check ((version is null) = (entry is not null))
);
create index timeline_incident on incident_store.timeline (incident_id, position);

-- Row level security on every table with a workspace: REST sees one workspace, the pipeline all of them.
do $$
declare
  name text;
begin
  foreach name in array array['streams', 'events', 'event_payloads', 'unsequenced', 'key_holders', 'successors', 'alert_outcomes', 'receipts',
    'alert_activity', 'workspace_numbers', 'incidents', 'incident_alerts', 'timeline']
  loop
    execute format('alter table incident_store.%I enable row level security', name);
    execute format('alter table incident_store.%I force row level security', name);
    execute format($p$create policy %I on incident_store.%I for all to tocsin_rest
      using (workspace_id = current_setting('tocsin.workspace_id', true)) with check (workspace_id = current_setting('tocsin.workspace_id', true))$p$,
      name || '_rest', name);
    execute format('create policy %I on incident_store.%I for all to tocsin_pipeline using (true) with check (true)', name || '_pipeline', name);
  end loop;
end $$;

grant select, insert on incident_store.events, incident_store.event_payloads, incident_store.timeline, incident_store.successors,
  incident_store.alert_outcomes to tocsin_pipeline;
grant select, insert, delete on incident_store.unsequenced to tocsin_pipeline;
grant select, insert, update, delete on incident_store.key_holders to tocsin_pipeline;
grant select, insert, update on incident_store.streams, incident_store.receipts, incident_store.alert_activity, incident_store.workspace_numbers,
  incident_store.incidents, incident_store.incident_alerts to tocsin_pipeline;
grant select on incident_store.events, incident_store.event_payloads, incident_store.alert_outcomes, incident_store.receipts,
  incident_store.alert_activity, incident_store.incidents, incident_store.incident_alerts, incident_store.timeline to tocsin_rest;
