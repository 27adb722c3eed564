-- One lane per (subscription, incident): its lock orders everybody who plans or finishes deliveries of the pair.
create table outbound_dispatcher.lanes (
  subscription_id text not null,
  incident_id text not null,
  workspace_id text not null,
  -- Highest incident version that was planned: an event that comes again makes nothing.
  last_sequence bigint not null,
  -- When the last coalesced update was, or will be, due.
  last_update_at timestamptz,
  primary key (subscription_id, incident_id)
);

create table outbound_dispatcher.deliveries (
  -- Order of planning; within a lane also the order of sending.
  seq bigint generated always as identity primary key,
  id text not null unique,
  workspace_id text not null,
  subscription_id text not null,
  subscription_name text not null,
  -- Revision of the subscription under which it was planned; a worker uses this one or a newer one.
  config_revision bigint not null,
  schema_version smallint not null default 1,
  event_id text not null,
  event_type text not null,
  incident_id text,
  sequence bigint,
  changed text[] not null default '{}',
  -- The exact bytes (UTF-8) that are signed and sent, the same for each attempt.
  body text not null,
  status text not null default 'pending'
    check (status in ('pending', 'retrying', 'delivered', 'failed', 'skipped-paused')),
  reason text,
  attempts integer not null default 0,
  due_at timestamptz not null,
  -- False while an earlier delivery of the lane is unfinished: such a row is never looked at by a claim.
  head boolean not null,
  coalesced boolean not null default false,
  -- An unclaimed coalesced update takes in later ones.
  mergeable boolean not null default false,
  lease_token text,
  lease_until timestamptz,
  claimed_by integer,
  created_at timestamptz not null default now(),
  finished_at timestamptz,
  unique (event_id, subscription_id),
  check ((lease_token is null) = (claimed_by is null)),
  check ((finished_at is null) = (status in ('pending', 'retrying')))
);

-- What can be claimed: history and everything behind a lane's head stay out of it.
create index deliveries_claimable on outbound_dispatcher.deliveries (subscription_id, due_at, seq)
  where head and lease_token is null and finished_at is null;
create index deliveries_leased on outbound_dispatcher.deliveries (claimed_by, lease_until) where lease_token is not null;
create index deliveries_unfinished on outbound_dispatcher.deliveries (subscription_id, incident_id, seq) where finished_at is null;
create unique index deliveries_open_update on outbound_dispatcher.deliveries (subscription_id, incident_id) where mergeable;
create index deliveries_log on outbound_dispatcher.deliveries (workspace_id, subscription_id, seq desc);

create table outbound_dispatcher.delivery_attempts (
  delivery_id text not null references outbound_dispatcher.deliveries (id) on delete cascade,
  attempt integer not null check (attempt >= 1),
  workspace_id text not null,
  started_at timestamptz not null,
  duration_ms integer not null,
  reason text not null,
  error text,
  request_headers jsonb not null,
  response_status smallint,
  response_headers jsonb,
  -- At most 50 KB of it.
  response_body text,
  response_truncated boolean not null default false,
  primary key (delivery_id, attempt)
);

alter table outbound_dispatcher.lanes enable row level security;
alter table outbound_dispatcher.lanes force row level security;
alter table outbound_dispatcher.deliveries enable row level security;
alter table outbound_dispatcher.deliveries force row level security;
alter table outbound_dispatcher.delivery_attempts enable row level security;
alter table outbound_dispatcher.delivery_attempts force row level security;

create policy pipeline on outbound_dispatcher.lanes to tocsin_pipeline using (true) with check (true);
create policy pipeline on outbound_dispatcher.deliveries to tocsin_pipeline using (true) with check (true);
create policy pipeline on outbound_dispatcher.delivery_attempts to tocsin_pipeline using (true) with check (true);
create policy rest on outbound_dispatcher.lanes to tocsin_rest
  using (workspace_id = current_setting('tocsin.workspace_id', true));
create policy rest on outbound_dispatcher.deliveries to tocsin_rest
  using (workspace_id = current_setting('tocsin.workspace_id', true));
create policy rest on outbound_dispatcher.delivery_attempts to tocsin_rest
  using (workspace_id = current_setting('tocsin.workspace_id', true));

grant usage on schema outbound_dispatcher to tocsin_pipeline, tocsin_rest;
grant select, insert, update on outbound_dispatcher.lanes, outbound_dispatcher.deliveries to tocsin_pipeline;
grant select, insert on outbound_dispatcher.delivery_attempts to tocsin_pipeline;
grant select on outbound_dispatcher.deliveries, outbound_dispatcher.delivery_attempts to tocsin_rest;
