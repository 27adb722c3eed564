-- Incidents as far as root-cause analysis needs them: to decide, to relate and to compare.
create table rca_trigger.incidents (
  id              text primary key,
  workspace_id    text not null,
  number          bigint not null,
  title           text not null,
  title_key       text not null,
  severity        text not null,
  status          text not null,
  services        text[] not null,
  service_keys    text[] not null,
  webhook_id      text,
  opened_at       timestamptz(3) not null,
  resolved_at     timestamptz(3),
  version         bigint not null,
  -- What the last event that could have started an investigation came to: a cause, or why not.
  decision        text,
  config_revision bigint not null
);
create index incidents_by_service on rca_trigger.incidents using gin (service_keys);
create index incidents_by_title on rca_trigger.incidents (workspace_id, title_key, opened_at desc);
create index incidents_by_time on rca_trigger.incidents (workspace_id, opened_at desc);

create table rca_trigger.changes (
  id           text primary key,
  workspace_id text not null,
  kind         text not null,
  service      text not null,
  service_key  text not null,
  version      text,
  environment  text,
  status       text,
  title        text,
  url          text,
  actor        text,
  started      timestamptz(3),
  finished     timestamptz(3),
  recorded_at  timestamptz(3) not null,
  -- When it took effect: finished, else started, else recorded.
  at           timestamptz(3) not null
);
create index changes_by_service on rca_trigger.changes (workspace_id, service_key, at desc);
create index changes_in_order on rca_trigger.changes (workspace_id, recorded_at desc, id desc);
create index changes_by_age on rca_trigger.changes (at);

create table rca_trigger.investigations (
  id               text primary key,
  workspace_id     text not null,
  incident_id      text not null references rca_trigger.incidents (id) on delete cascade,
  incident_version bigint not null,
  -- The incident event that asked for it.
  cause_id         text not null,
  cause            text not null,
  occurred_at      timestamptz(3) not null,
  investigator     text not null,
  status           text not null check (status in ('requested', 'completed', 'failed')),
  requested_at     timestamptz(3) not null,
  due_at           timestamptz(3) not null,
  completed_at     timestamptz(3),
  summary          text,
  hypotheses       jsonb not null default '[]',
  config_revision  bigint not null,
  schema_version   smallint not null default 1,
  unique (incident_id, cause_id)
);
create index investigations_due on rca_trigger.investigations (due_at) where status = 'requested';
create index investigations_of_workspace on rca_trigger.investigations (workspace_id, requested_at);

do $$
declare
  name text;
begin
  foreach name in array array['incidents', 'changes', 'investigations'] loop
    execute format('alter table rca_trigger.%I enable row level security', name);
    execute format('alter table rca_trigger.%I force row level security', name);
    execute format('create policy rest on rca_trigger.%I for select to tocsin_rest using (workspace_id = current_setting(''tocsin.workspace_id'', true))', name);
    execute format('create policy pipeline on rca_trigger.%I for all to tocsin_pipeline using (true) with check (true)', name);
  end loop;
end
$$;

grant select on rca_trigger.incidents, rca_trigger.changes, rca_trigger.investigations to tocsin_rest;
grant select, insert, update, delete on rca_trigger.incidents, rca_trigger.changes, rca_trigger.investigations to tocsin_pipeline;
