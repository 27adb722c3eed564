-- Silences and maintenance windows: alerts that match open nothing while one holds. `ends_at`: when it is over; null = it goes on.
create table control_plane.silences (
  id           text primary key,
  workspace_id text not null references control_plane.workspaces (id),
  name         text not null,
  comment      text not null,
  created_by   jsonb not null,
  matchers     jsonb not null,
  schedule     jsonb not null,
  ends_at      timestamptz(3),
  revision     bigint not null,
  created_at   timestamptz(3) not null,
  updated_at   timestamptz(3) not null
);
create index silences_in_order on control_plane.silences (workspace_id, created_at, id);
create index silences_by_end on control_plane.silences (workspace_id, ends_at);

create table control_plane.maintenance_windows (
  id           text primary key,
  workspace_id text not null references control_plane.workspaces (id),
  name         text not null,
  comment      text not null,
  created_by   jsonb not null,
  matchers     jsonb not null,
  schedule     jsonb not null,
  ends_at      timestamptz(3),
  revision     bigint not null,
  created_at   timestamptz(3) not null,
  updated_at   timestamptz(3) not null
);
create index maintenance_windows_in_order on control_plane.maintenance_windows (workspace_id, created_at, id);
create index maintenance_windows_by_end on control_plane.maintenance_windows (workspace_id, ends_at);

do $$
declare
  name text;
begin
  foreach name in array array['silences', 'maintenance_windows'] loop
    execute format('alter table control_plane.%I enable row level security', name);
    execute format('alter table control_plane.%I force row level security', name);
    execute format(
      'create policy rest on control_plane.%I for all to tocsin_rest using (workspace_id = current_setting(''tocsin.workspace_id'', true)) with check (workspace_id = current_setting(''tocsin.workspace_id'', true))',
      name);
    execute format('create policy pipeline on control_plane.%I for all to tocsin_pipeline using (true) with check (true)', name);
    execute format('grant select, insert, update, delete on control_plane.%I to tocsin_rest, tocsin_pipeline', name);
  end loop;
end
$$;

-- Which kinds there are, the contracts say; here only what a kind looks like, so that a new one needs no change of this table.
alter table control_plane.configuration_documents drop constraint configuration_documents_kind_check;
alter table control_plane.configuration_documents
  add constraint configuration_documents_kind_check check (kind ~ '^[a-z]+(-[a-z]+)*$');
