-- Inbound delivery log and ledger.
-- ledger_receipts has every receipt once and is what repeats are recognised by (8 days, longer than any topic can repeat one);
-- ledger_minutes and ledger_outcomes are what it was counted into. inbound_deliveries has the rows that people read: all of them below
-- the rate of sampling, a part of them above.

create table control_plane.ledger_receipts (
  receipt_id   text primary key,
  workspace_id text not null,
  webhook_id   text not null,
  minute       timestamptz(0) not null,
  -- Its `webhook.received` was heard; an outcome or an answer may be heard before.
  heard        boolean not null,
  -- Alerts, once an outcome says how many. A receipt without alerts counts as one: index 0.
  total        integer,
  -- Indexes of the alerts that have an outcome; alert id = hash(receipt, index), so an index in here has been counted.
  settled      int4multirange not null,
  -- What the last write added: indexes, and to the number of alerts. An upsert cannot return the row as it was.
  fresh        int4multirange not null,
  grown        integer not null,
  -- What was heard before the receipt itself, until it is heard.
  early        jsonb
);
create index ledger_receipts_open on control_plane.ledger_receipts (workspace_id, minute, webhook_id)
  where not heard or not settled @> int4range(0, greatest(coalesce(total, 1), 1));
create index ledger_receipts_age on control_plane.ledger_receipts (minute);

create table control_plane.ledger_minutes (
  workspace_id text not null,
  webhook_id   text not null,
  minute       timestamptz(0) not null,
  receipts     bigint not null,
  accepted     bigint not null,
  -- What ledger_receipts said of this minute when its rows were pruned: alerts that never had an outcome, outcomes without a receipt.
  unsettled    bigint not null default 0,
  unmatched    bigint not null default 0,
  primary key (webhook_id, minute)
) with (fillfactor = 50);
create index ledger_minutes_newest on control_plane.ledger_minutes (workspace_id, minute, webhook_id);

create table control_plane.ledger_outcomes (
  workspace_id text not null,
  webhook_id   text not null,
  minute       timestamptz(0) not null,
  outcome      text not null,
  alerts       bigint not null,
  primary key (webhook_id, minute, outcome)
) with (fillfactor = 50);

create table control_plane.inbound_deliveries (
  -- The receipt id, or `rej_…` of refused requests (one row per webhook, minute, answer and reason).
  id              text primary key,
  workspace_id    text not null,
  webhook_id      text not null,
  received_at     timestamptz(3) not null,
  status          text not null check (status in ('in-flight', 'settled', 'rejected')),
  connector       text,
  method          text,
  query           text,
  headers         json,
  content_type    text,
  size_bytes      integer,
  config_revision bigint,
  replay_of       text,
  -- True where this row stands for others that left none.
  sampled         boolean not null default false,
  captured        boolean not null default false,
  total           integer,
  -- Of the alert with the lowest index that was heard of, as the sender was told it.
  outcome_index   integer,
  outcome         text,
  reason          text,
  detail          text,
  outcomes        text[] not null default '{}',
  incident_ids    text[] not null default '{}',
  settled_at      timestamptz(3),
  response_code   integer,
  latency_ms      double precision,
  -- Of refusals.
  problem         text,
  count           bigint,
  client_network  text,
  -- Why there is no payload where there is none.
  payload_absence text
) with (fillfactor = 70);
create index inbound_deliveries_newest on control_plane.inbound_deliveries (webhook_id, received_at desc, id desc);
create index inbound_deliveries_age on control_plane.inbound_deliveries (received_at);
create index inbound_deliveries_refused on control_plane.inbound_deliveries (workspace_id, received_at) where status = 'rejected';
create index inbound_deliveries_captured on control_plane.inbound_deliveries (webhook_id, received_at) where captured;

create table control_plane.inbound_payloads (
  receipt_id   text primary key references control_plane.inbound_deliveries (id) on delete cascade,
  workspace_id text not null,
  received_at  timestamptz(3) not null,
  body         bytea not null,
  -- As the kept body has it: a redacted form is written anew.
  content_type text,
  truncated    boolean not null,
  redacted     boolean not null
);
create index inbound_payloads_age on control_plane.inbound_payloads (received_at);

do $$
declare
  name text;
begin
  foreach name in array array['ledger_receipts', 'ledger_minutes', 'ledger_outcomes', 'inbound_deliveries', 'inbound_payloads'] loop
    execute format('alter table control_plane.%I enable row level security', name);
    execute format('alter table control_plane.%I force row level security', name);
    execute format(
      'create policy rest on control_plane.%I for all to tocsin_rest using (workspace_id = current_setting(''tocsin.workspace_id'', true)) with check (workspace_id = current_setting(''tocsin.workspace_id'', true))',
      name);
    execute format('create policy pipeline on control_plane.%I for all to tocsin_pipeline using (true) with check (true)', name);
    execute format('grant select on control_plane.%I to tocsin_rest', name);
    execute format('grant select, insert, update, delete on control_plane.%I to tocsin_pipeline', name);
  end loop;
end
$$;
