-- Receipts that were accepted while the event log was away, until a drainer has appended them (decision 21).
-- A slot holds all receipts of its webhooks; whoever holds the slot's advisory lock appends them, in order of seq.
create table ingress_gateway.spool (
  slot         smallint not null,
  seq          bigint generated always as identity,
  workspace_id text not null,
  webhook_id   text not null,
  headers      text not null,
  body         bytea not null,
  primary key (slot, seq)
) with (autovacuum_vacuum_threshold = 10000, autovacuum_vacuum_scale_factor = 0);
-- Compressing would cost the gateway's neighbour, the database, more than the space is worth for minutes.
alter table ingress_gateway.spool alter column body set storage external;

-- Whether anything may be spooled. Only with its lock held alone, and the spool empty, is it closed; each closing is a new generation.
create table ingress_gateway.spool_gate (
  one        boolean primary key default true check (one),
  spooling   boolean not null default false,
  generation bigint not null default 0
);
insert into ingress_gateway.spool_gate default values;

-- Bytes that came in and went out, a row per process, so that processes do not wait for each other; their sum is what the spool holds.
create table ingress_gateway.spool_accounts (
  writer text primary key,
  bytes  bigint not null
);

alter table ingress_gateway.spool enable row level security;
alter table ingress_gateway.spool force row level security;
create policy pipeline on ingress_gateway.spool for all to tocsin_pipeline using (true) with check (true);
grant select, insert, delete, truncate on ingress_gateway.spool to tocsin_pipeline;
grant select, update on ingress_gateway.spool_gate to tocsin_pipeline;
grant select, insert, update, truncate on ingress_gateway.spool_accounts to tocsin_pipeline;

-- One statement for many receipts. Refused where the spool was closed after the caller had last heard of it: whoever closed it reaches the
-- log, and what came before is there, so the caller should try the log first.
create function ingress_gateway.spool_put(
  p_writer text, p_generation bigint, p_slots smallint[], p_workspaces text[], p_webhooks text[], p_headers text[],
  p_starts integer[], p_lengths integer[], p_bodies bytea, p_bytes bigint
) returns table (taken boolean, opened boolean, gate_generation bigint)
language plpgsql
as $$
declare
  v_spooling   boolean;
  v_generation bigint;
  v_opened     boolean := false;
begin
  perform pg_advisory_xact_lock_shared(hashtextextended('tocsin.ingress_gateway.spool', 0));
  select g.spooling, g.generation into v_spooling, v_generation from ingress_gateway.spool_gate g;
  if not v_spooling then
    if p_generation < v_generation then
      return query select false, false, v_generation;
      return;
    end if;
    update ingress_gateway.spool_gate g set spooling = true where not g.spooling;
    v_opened := found;
    perform pg_notify('tocsin_spool', '');
  end if;
  insert into ingress_gateway.spool (slot, workspace_id, webhook_id, headers, body)
  select r.slot, r.workspace_id, r.webhook_id, r.headers, substring(p_bodies from r.start for r.length)
    from unnest(p_slots, p_workspaces, p_webhooks, p_headers, p_starts, p_lengths)
      with ordinality as r(slot, workspace_id, webhook_id, headers, start, length, place)
   order by r.place;
  insert into ingress_gateway.spool_accounts as a (writer, bytes) values (p_writer, p_bytes)
  on conflict (writer) do update set bytes = a.bytes + excluded.bytes;
  return query select true, v_opened, v_generation;
end
$$;
revoke execute on function ingress_gateway.spool_put from public;
grant execute on function ingress_gateway.spool_put to tocsin_pipeline;
