-- Configuration of an installation and the feed by which every service follows it.
-- Current state: workspaces, webhooks, subscriptions, api_keys. History: configuration_documents, one row per change.

create table control_plane.workspaces (
  id               text primary key,
  workspace_id     text not null,
  name             text not null,
  slug             text not null unique,
  wrapped_data_key text not null,
  revision         bigint not null,
  created_at       timestamptz(3) not null,
  updated_at       timestamptz(3) not null,
  check (workspace_id = id)
);

create table control_plane.webhooks (
  id                  text primary key,
  workspace_id        text not null references control_plane.workspaces (id),
  name                text not null,
  description         text not null,
  connector           text not null,
  enabled             boolean not null,
  token_hmac          text not null unique,
  sealed_token        text not null,
  previous_tokens     jsonb not null,
  auth                jsonb not null,
  secrets             jsonb not null,
  respond             text not null,
  rate_limit_per_hour integer not null,
  default_severity    text not null,
  severity_profile    text not null,
  dedup               jsonb not null,
  correlation         jsonb not null,
  rca                 jsonb not null,
  revision            bigint not null,
  created_at          timestamptz(3) not null,
  updated_at          timestamptz(3) not null
);
create index webhooks_in_order on control_plane.webhooks (workspace_id, created_at, id);

create table control_plane.subscriptions (
  id                      text primary key,
  workspace_id            text not null references control_plane.workspaces (id),
  name                    text not null,
  url                     text not null,
  events                  jsonb not null,
  active                  boolean not null,
  secrets                 jsonb not null,
  headers                 jsonb not null,
  envelope                text not null,
  retry_schedule          jsonb not null,
  timeout_seconds         integer not null,
  user_agent              text,
  update_interval_seconds integer not null,
  revision                bigint not null,
  created_at              timestamptz(3) not null,
  updated_at              timestamptz(3) not null
);
create index subscriptions_in_order on control_plane.subscriptions (workspace_id, created_at, id);

create table control_plane.api_keys (
  id           text primary key,
  workspace_id text not null references control_plane.workspaces (id),
  name         text not null,
  scopes       jsonb not null,
  secret_hmac  text not null,
  expires_at   timestamptz(3),
  revision     bigint not null,
  created_at   timestamptz(3) not null,
  updated_at   timestamptz(3) not null
);
create index api_keys_in_order on control_plane.api_keys (workspace_id, created_at, id);

-- One row, locked by every change until its commit: revisions become visible in their order and without gaps.
-- `marker` names the database that the feed id was made for; see configuration-feed.ts (restored databases).
create table control_plane.feed_head (
  only_row boolean primary key default true check (only_row),
  feed_id  text not null,
  marker   text not null,
  revision bigint not null
);
insert into control_plane.feed_head (feed_id, marker, revision) values ('', '', 0);

create table control_plane.configuration_documents (
  revision     bigint primary key,
  kind         text not null check (kind in ('workspace', 'webhook', 'subscription', 'api-key')),
  id           text not null,
  workspace_id text not null,
  deleted      boolean not null,
  body         jsonb not null,
  at           timestamptz(3) not null
);
create index configuration_documents_of on control_plane.configuration_documents (kind, id, revision desc);

-- security_invoker: the reader's own row level security holds, whoever owns the view.
create view control_plane.configuration_feed with (security_invoker = true) as
  select head.feed_id, document.revision, document.kind, document.id, document.workspace_id, document.deleted, document.body
  from control_plane.configuration_documents as document
  cross join control_plane.feed_head as head;

do $$
declare
  name text;
begin
  foreach name in array array['workspaces', 'webhooks', 'subscriptions', 'api_keys', 'configuration_documents'] loop
    execute format('alter table control_plane.%I enable row level security', name);
    execute format('alter table control_plane.%I force row level security', name);
    execute format(
      'create policy rest on control_plane.%I for all to tocsin_rest using (workspace_id = current_setting(''tocsin.workspace_id'', true)) with check (workspace_id = current_setting(''tocsin.workspace_id'', true))',
      name);
    execute format('create policy pipeline on control_plane.%I for all to tocsin_pipeline using (true) with check (true)', name);
  end loop;
end
$$;

grant usage on schema control_plane to tocsin_rest, tocsin_pipeline;
grant select, insert, update on control_plane.workspaces to tocsin_rest, tocsin_pipeline;
grant select, insert, update, delete on control_plane.webhooks, control_plane.subscriptions, control_plane.api_keys to tocsin_rest, tocsin_pipeline;
-- History is written once: nobody updates or deletes it.
grant select, insert on control_plane.configuration_documents to tocsin_rest, tocsin_pipeline;
grant select, update on control_plane.feed_head to tocsin_rest, tocsin_pipeline;
grant select on control_plane.configuration_feed to tocsin_pipeline;
