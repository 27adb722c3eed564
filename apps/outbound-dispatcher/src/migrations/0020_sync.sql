-- Two-way sync: which issue or record stands for which incident, as both sides were last known.
create table outbound_dispatcher.sync_entries (
  link_id text not null,
  incident_id text not null,
  workspace_id text not null,
  external_id text,
  external_key text,
  external_url text,
  -- Version of the other side up to which everything was read.
  remote_version text,
  -- Values on which both sides agreed last, and those that are being written, by name; `status` is one.
  agreed jsonb not null default '{}',
  writing jsonb not null default '{}',
  -- A creation has begun: whoever goes on after a crash looks for it first.
  creating_since timestamptz(3),
  last_error text,
  last_error_at timestamptz(3),
  synced_at timestamptz(3),
  created_at timestamptz(3) not null,
  primary key (link_id, incident_id),
  unique (link_id, external_id)
);
create index sync_entries_in_order on outbound_dispatcher.sync_entries (link_id, created_at desc, incident_id);

-- What is to be done on the other side, in the order of an incident's events.
create table outbound_dispatcher.sync_ops (
  seq bigint generated always as identity primary key,
  link_id text not null,
  incident_id text not null,
  workspace_id text not null,
  event_id text not null,
  kind text not null,
  op jsonb not null,
  at timestamptz(3) not null,
  attempts integer not null default 0,
  -- The first attempt began: whoever goes on after a crash looks whether it had an effect.
  started_at timestamptz(3),
  due_at timestamptz(3) not null,
  outcome text check (outcome in ('done', 'met', 'theirs', 'failed', 'dropped')),
  error text,
  finished_at timestamptz(3),
  check ((outcome is null) = (finished_at is null)),
  unique (link_id, event_id, kind)
);
create index sync_ops_waiting on outbound_dispatcher.sync_ops (link_id, incident_id, seq) where finished_at is null;
create index sync_ops_finished on outbound_dispatcher.sync_ops (finished_at) where finished_at is not null;

-- Comments of the other side that are known: ours, and those that were taken over.
create table outbound_dispatcher.sync_comments (
  link_id text not null,
  comment_id text not null,
  incident_id text not null,
  workspace_id text not null,
  primary key (link_id, comment_id)
);

-- How far the other side was read, and whether it answers.
create table outbound_dispatcher.sync_states (
  link_id text primary key,
  workspace_id text not null,
  read_until timestamptz(3),
  failures integer not null default 0,
  open_until timestamptz(3),
  last_error text,
  last_error_at timestamptz(3)
);

do $$
declare
  name text;
begin
  foreach name in array array['sync_entries', 'sync_ops', 'sync_comments', 'sync_states'] loop
    execute format('alter table outbound_dispatcher.%I enable row level security', name);
    execute format('alter table outbound_dispatcher.%I force row level security', name);
    execute format('create policy pipeline on outbound_dispatcher.%I to tocsin_pipeline using (true) with check (true)', name);
    execute format(
      'create policy rest on outbound_dispatcher.%I for select to tocsin_rest using (workspace_id = current_setting(''tocsin.workspace_id'', true))',
      name);
    execute format('grant select, insert, update, delete on outbound_dispatcher.%I to tocsin_pipeline', name);
    execute format('grant select on outbound_dispatcher.%I to tocsin_rest', name);
  end loop;
end
$$;
