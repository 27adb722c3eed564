-- Receivers in trouble: circuit, and how long they have failed. One that works has no row.
create table outbound_dispatcher.endpoints (
  subscription_id text primary key,
  workspace_id text not null,
  -- Attempts in a row that say the receiver is down.
  failures integer not null default 0,
  -- How often in a row the circuit opened.
  opened integer not null default 0,
  -- Nothing is sent before; null = closed.
  open_until timestamptz,
  -- Somebody probes until then: half open, one request for all replicas together.
  probe_until timestamptz,
  failing_since timestamptz,
  noticed_at timestamptz,
  disabled_at timestamptz,
  disabled_reason text check (disabled_reason in ('gone', 'failing')),
  -- Revision of the subscription at which it was disabled: a newer one enables it.
  disabled_revision bigint,
  check ((disabled_at is null) = (disabled_revision is null) and (disabled_at is null) = (disabled_reason is null))
);

-- When the next request of a subscription with a rate may go, for all replicas together.
create table outbound_dispatcher.endpoint_rates (
  subscription_id text primary key,
  workspace_id text not null,
  next_at timestamptz not null,
  -- Up to when what was kept, or asked for again, has been spread.
  drain_at timestamptz not null default '-infinity'
);

alter table outbound_dispatcher.endpoints enable row level security;
alter table outbound_dispatcher.endpoints force row level security;
alter table outbound_dispatcher.endpoint_rates enable row level security;
alter table outbound_dispatcher.endpoint_rates force row level security;
create policy pipeline on outbound_dispatcher.endpoints to tocsin_pipeline using (true) with check (true);
create policy pipeline on outbound_dispatcher.endpoint_rates to tocsin_pipeline using (true) with check (true);
create policy rest on outbound_dispatcher.endpoints to tocsin_rest
  using (workspace_id = current_setting('tocsin.workspace_id', true));
create policy rest on outbound_dispatcher.endpoint_rates to tocsin_rest
  using (workspace_id = current_setting('tocsin.workspace_id', true));
grant select, insert, update, delete on outbound_dispatcher.endpoints, outbound_dispatcher.endpoint_rates to tocsin_pipeline;
grant select on outbound_dispatcher.endpoints to tocsin_rest;
