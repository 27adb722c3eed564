-- Deliveries that wait for their subscription to go on, that were asked for again, that are tests, and that are fetched instead of sent.
alter table outbound_dispatcher.deliveries
  -- Kept while the subscription is paused or disabled; due_at is out of reach meanwhile.
  add column retained boolean not null default false,
  -- Attempts before somebody asked for it again: the schedule counts from here.
  add column attempts_base integer not null default 0,
  add column redelivered_at timestamptz,
  add column test boolean not null default false,
  -- Set for what is fetched from the feed: with seq its place there. A transaction that began earlier may commit later, so seq alone has gaps
  -- that fill up behind a reader.
  add column feed_xid xid8;

create index deliveries_retained on outbound_dispatcher.deliveries (subscription_id, seq) where retained;
create index deliveries_feed on outbound_dispatcher.deliveries (subscription_id, feed_xid, seq) where feed_xid is not null;

-- The log over all subscriptions, by time; what is past its time is found by it, too.
create index deliveries_by_time on outbound_dispatcher.deliveries (workspace_id, created_at, seq);
create index deliveries_by_incident on outbound_dispatcher.deliveries (incident_id, subscription_id) where incident_id is not null;

-- How far each reader of a feed has come.
create table outbound_dispatcher.feed_cursors (
  subscription_id text primary key,
  workspace_id text not null,
  xid xid8 not null,
  seq bigint not null,
  at timestamptz not null
);
alter table outbound_dispatcher.feed_cursors enable row level security;
alter table outbound_dispatcher.feed_cursors force row level security;
create policy pipeline on outbound_dispatcher.feed_cursors to tocsin_pipeline using (true) with check (true);
create policy rest on outbound_dispatcher.feed_cursors to tocsin_rest
  using (workspace_id = current_setting('tocsin.workspace_id', true));
grant select, insert, update, delete on outbound_dispatcher.feed_cursors to tocsin_pipeline;
grant select on outbound_dispatcher.feed_cursors to tocsin_rest;
-- What is past its time is removed.
grant delete on outbound_dispatcher.deliveries, outbound_dispatcher.delivery_attempts, outbound_dispatcher.lanes to tocsin_pipeline;
