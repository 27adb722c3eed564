-- Links with Jira and ServiceNow. `settings` holds what the configuration feed says besides name and activity; the credential in it is sealed.
create table control_plane.sync_links (
  id           text primary key,
  workspace_id text not null references control_plane.workspaces (id),
  name         text not null,
  active       boolean not null,
  settings     jsonb not null,
  revision     bigint not null,
  created_at   timestamptz(3) not null,
  updated_at   timestamptz(3) not null
);
create index sync_links_in_order on control_plane.sync_links (workspace_id, created_at, id);

alter table control_plane.sync_links enable row level security;
alter table control_plane.sync_links force row level security;
create policy rest on control_plane.sync_links for all to tocsin_rest
  using (workspace_id = current_setting('tocsin.workspace_id', true)) with check (workspace_id = current_setting('tocsin.workspace_id', true));
create policy pipeline on control_plane.sync_links for all to tocsin_pipeline using (true) with check (true);
grant select, insert, update, delete on control_plane.sync_links to tocsin_rest, tocsin_pipeline;
