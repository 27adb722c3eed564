-- Catalogue events that other services said over HTTP, by the id that their key gives them: a repeat is told what the first was told.
create table outbound_dispatcher.published_events (
  id text not null,
  workspace_id text not null,
  event_type text not null,
  source text not null,
  occurred_at timestamptz(3) not null,
  -- SHA-256 of what was given; another content under the same key is a conflict.
  digest text not null,
  key_id text not null,
  accepted_at timestamptz(3) not null,
  schema_version smallint not null default 1,
  primary key (workspace_id, id)
);
create index published_events_by_age on outbound_dispatcher.published_events (accepted_at);

alter table outbound_dispatcher.published_events enable row level security;
alter table outbound_dispatcher.published_events force row level security;
create policy pipeline on outbound_dispatcher.published_events to tocsin_pipeline using (true) with check (true);
create policy rest on outbound_dispatcher.published_events to tocsin_rest
  using (workspace_id = current_setting('tocsin.workspace_id', true));
grant select, insert, delete on outbound_dispatcher.published_events to tocsin_pipeline;
grant select on outbound_dispatcher.published_events to tocsin_rest;
