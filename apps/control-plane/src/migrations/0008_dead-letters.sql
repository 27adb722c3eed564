-- What no service could read: original bytes and headers, why, and whether it was put back. Kept for 30 days, within bounds per workspace.
-- Without a workspace_id (a record that does not even say whose it is) a row is seen by the pipeline role only: through
-- `tocsin dlq --database`, by whoever runs the installation.
create table control_plane.dead_letters (
  id           text primary key,
  workspace_id text,
  webhook_id   text,
  receipt_id   text,
  service      text not null,
  topic        text not null,
  partition    integer not null,
  log_offset   text not null,
  reason       text not null,
  detail       text not null,
  at           timestamptz(3) not null,
  -- Which elements of a packed record; null = all of it.
  parts        integer[],
  key          text not null,
  -- Headers of the original record; json, not jsonb: they are only kept and given back. Null where the letter did not carry them.
  headers      json,
  -- Null once the bounds of the workspace took it.
  value        bytea,
  size         integer not null,
  status       text not null default 'open' check (status in ('open', 'redriven')),
  redriven_at  timestamptz(3),
  redriven_by  text
);
create index dead_letters_newest on control_plane.dead_letters (workspace_id, at desc, id desc);
create index dead_letters_age on control_plane.dead_letters (at);

alter table control_plane.dead_letters enable row level security;
alter table control_plane.dead_letters force row level security;
create policy rest on control_plane.dead_letters for all to tocsin_rest
  using (workspace_id = current_setting('tocsin.workspace_id', true)) with check (workspace_id = current_setting('tocsin.workspace_id', true));
create policy pipeline on control_plane.dead_letters for all to tocsin_pipeline using (true) with check (true);
grant select on control_plane.dead_letters to tocsin_rest;
grant select, insert, update, delete on control_plane.dead_letters to tocsin_pipeline;
