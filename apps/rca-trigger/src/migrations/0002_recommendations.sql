-- What investigations and people recommend; their events go out on platform.events.
create table rca_trigger.recommendations (
  id                text primary key,
  workspace_id      text not null,
  -- No foreign key: a recommendation outlives the incident that it came from.
  incident_id       text,
  title             text not null,
  description       text not null,
  potential_savings numeric,
  effort            text check (effort in ('low', 'medium', 'high')),
  risk              text check (risk in ('low', 'medium', 'high')),
  status            text not null check (status in ('pending', 'accepted', 'dismissed', 'implemented')),
  created_by        jsonb not null,
  created_at        timestamptz(3) not null,
  updated_at        timestamptz(3) not null,
  version           integer not null,
  schema_version    smallint not null default 1
);
create index recommendations_in_order on rca_trigger.recommendations (workspace_id, created_at desc, id desc);
create index recommendations_of_incident on rca_trigger.recommendations (workspace_id, incident_id, created_at desc, id desc);

create table rca_trigger.recommendation_comments (
  id                text primary key,
  workspace_id      text not null,
  recommendation_id text not null references rca_trigger.recommendations (id) on delete cascade,
  -- The recommendation's version with which it came: their order.
  version           integer not null,
  at                timestamptz(3) not null,
  actor             jsonb not null,
  text              text not null,
  unique (recommendation_id, version)
);

do $$
declare
  name text;
begin
  foreach name in array array['recommendations', 'recommendation_comments'] loop
    execute format('alter table rca_trigger.%I enable row level security', name);
    execute format('alter table rca_trigger.%I force row level security', name);
    execute format('create policy rest on rca_trigger.%I for select to tocsin_rest using (workspace_id = current_setting(''tocsin.workspace_id'', true))', name);
    execute format('create policy pipeline on rca_trigger.%I for all to tocsin_pipeline using (true) with check (true)', name);
  end loop;
end
$$;

grant select on rca_trigger.recommendations, rca_trigger.recommendation_comments to tocsin_rest;
grant select, insert, update on rca_trigger.recommendations to tocsin_pipeline;
grant select, insert on rca_trigger.recommendation_comments to tocsin_pipeline;
