-- One order over all streams, without gaps, made by one sequencer at a time out of `unsequenced`. It is what the events feed, Server-Sent
-- Events, rebuilds and the audit follow: identity values would show rows whose neighbours have not committed yet.
create table incident_store.commit_order (
  position bigint primary key check (position > 0),
  workspace_id text not null,
  stream_id text not null,
  version bigint not null,
  hash text not null,
  -- Covers every position up to this one.
  chain text not null,
  unique (stream_id, version)
);
create index commit_order_workspace on incident_store.commit_order (workspace_id, position);

-- The last position; its lock is the sequencer's place.
create table incident_store.commit_head (
  only_row boolean primary key default true check (only_row),
  position bigint not null,
  chain text not null
);
insert into incident_store.commit_head (position, chain) values (0, repeat('0', 64));

-- Signed from time to time, also written to the service's log: a tail that was cut or an order that was rewritten does not fit them.
create table incident_store.audit_checkpoints (
  position bigint primary key,
  chain text not null,
  at timestamptz not null,
  key_id text not null,
  -- ed25519 over the checkpoint's text, base64.
  signature text not null
);

create trigger commit_order_append_only before update or delete on incident_store.commit_order
  for each row execute function incident_store.refuse_change();
create trigger commit_order_no_truncate before truncate on incident_store.commit_order
  for each statement execute function incident_store.refuse_change();
create trigger audit_checkpoints_append_only before update or delete on incident_store.audit_checkpoints
  for each row execute function incident_store.refuse_change();
create trigger audit_checkpoints_no_truncate before truncate on incident_store.audit_checkpoints
  for each statement execute function incident_store.refuse_change();

alter table incident_store.commit_order enable row level security;
alter table incident_store.commit_order force row level security;
create policy commit_order_rest on incident_store.commit_order for select to tocsin_rest
  using (workspace_id = current_setting('tocsin.workspace_id', true));
create policy commit_order_pipeline on incident_store.commit_order for all to tocsin_pipeline using (true) with check (true);
grant select on incident_store.commit_order to tocsin_rest;
grant select, insert on incident_store.commit_order, incident_store.audit_checkpoints to tocsin_pipeline;
grant select, update on incident_store.commit_head to tocsin_pipeline;
