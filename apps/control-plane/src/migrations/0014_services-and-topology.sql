-- Services that alerts have named, or people have declared; a name is one service within its workspace.
create table control_plane.services (
  id            text primary key,
  workspace_id  text not null references control_plane.workspaces (id),
  name          text not null,
  owner         text,
  tags          jsonb not null default '[]',
  -- When an alert named it first; null = none has.
  first_seen_at timestamptz(3),
  created_at    timestamptz(3) not null,
  updated_at    timestamptz(3) not null,
  unique (workspace_id, name)
);
create index services_in_order on control_plane.services (workspace_id, created_at, id);

-- Which services depend on which, by name, as one document per workspace: it changes, and is published, as a whole.
create table control_plane.topologies (
  id           text primary key,
  workspace_id text not null unique references control_plane.workspaces (id),
  name         text not null,
  dependencies jsonb not null,
  revision     bigint not null,
  created_at   timestamptz(3) not null,
  updated_at   timestamptz(3) not null
);

do $$
declare
  name text;
begin
  foreach name in array array['services', 'topologies'] loop
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
