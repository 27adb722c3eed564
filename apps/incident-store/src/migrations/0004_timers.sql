-- What is due later. A timer belongs to the event that set it: one of an earlier event is refused as stale.
create table incident_store.timers (
  incident_id text not null,
  kind text not null check (kind in ('snooze')),
  workspace_id text not null,
  -- Version of the event that set it.
  version bigint not null,
  due_at timestamptz not null,
  leased_until timestamptz,
  primary key (incident_id, kind)
);
create index timers_due on incident_store.timers (due_at);

alter table incident_store.timers enable row level security;
alter table incident_store.timers force row level security;
create policy timers_rest on incident_store.timers for all to tocsin_rest
  using (workspace_id = current_setting('tocsin.workspace_id', true)) with check (workspace_id = current_setting('tocsin.workspace_id', true));
create policy timers_pipeline on incident_store.timers for all to tocsin_pipeline using (true) with check (true);
grant select, insert, update, delete on incident_store.timers to tocsin_pipeline;
