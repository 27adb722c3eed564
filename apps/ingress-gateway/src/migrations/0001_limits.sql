-- What the gateways of an installation must agree on: how much of a limit is used, who is locked out, whom a vendor may speak for.
create table ingress_gateway.counters (
  webhook_id   text not null,
  kind         text not null check (kind in ('requests', 'alerts')),
  -- Number of the time slice since the epoch; a window is 60 whole slices and the rest of one.
  bucket       bigint not null,
  workspace_id text not null,
  used         integer not null,
  primary key (webhook_id, kind, bucket)
);

create table ingress_gateway.lockouts (
  webhook_id   text not null,
  client       text not null,
  workspace_id text not null,
  failures     integer not null,
  since        timestamptz(3) not null,
  locked_until timestamptz(3),
  primary key (webhook_id, client)
);
create index lockouts_by_age on ingress_gateway.lockouts (since);

create table ingress_gateway.pinned_subjects (
  webhook_id   text primary key,
  workspace_id text not null,
  subject      text not null,
  pinned_at    timestamptz(3) not null
);

do $$
declare
  name text;
begin
  foreach name in array array['counters', 'lockouts', 'pinned_subjects'] loop
    execute format('alter table ingress_gateway.%I enable row level security', name);
    execute format('alter table ingress_gateway.%I force row level security', name);
    execute format('create policy rest on ingress_gateway.%I for select to tocsin_rest using (workspace_id = current_setting(''tocsin.workspace_id'', true))', name);
    execute format('create policy pipeline on ingress_gateway.%I for all to tocsin_pipeline using (true) with check (true)', name);
    execute format('grant select on ingress_gateway.%I to tocsin_rest', name);
    execute format('grant select, insert, update, delete on ingress_gateway.%I to tocsin_pipeline', name);
  end loop;
end
$$;

-- Takes from a sliding window of 60 slices; the slice that is leaving counts with the share of it that is still inside.
-- One caller at a time per webhook and kind, so that the sum that is read is the sum that is written. At least p_wanted is granted or
-- nothing; more is granted (1 % of the limit, less towards its end) so that a gateway need not ask for every request.
-- p_spent: what was let through unasked while this database was away. p_returned: what of an earlier grant was not used.
create function ingress_gateway.take(
  p_webhook text, p_workspace text, p_kind text, p_limit integer, p_slice_ms integer,
  p_wanted integer, p_spent integer, p_returned integer, p_returned_bucket bigint, p_now_ms double precision
) returns table (granted integer, bucket bigint, remaining integer, retry_ms bigint)
language plpgsql
as $$
declare
  v_now     double precision;
  v_bucket  bigint;
  v_leaving double precision;
  v_used    double precision;
  v_left    integer;
  v_missing double precision;
  v_retry   bigint := 0;
  v_granted integer := 0;
  v_row     record;
begin
  perform pg_advisory_xact_lock(hashtextextended(p_webhook || ' ' || p_kind, 60));
  v_now := coalesce(p_now_ms, extract(epoch from clock_timestamp()) * 1000);
  v_bucket := floor(v_now / p_slice_ms);
  v_leaving := 1 - (v_now / p_slice_ms - v_bucket);
  delete from ingress_gateway.counters c where c.webhook_id = p_webhook and c.kind = p_kind and c.bucket < v_bucket - 60;
  if p_returned > 0 then
    update ingress_gateway.counters c set used = greatest(0, c.used - p_returned)
     where c.webhook_id = p_webhook and c.kind = p_kind and c.bucket = p_returned_bucket;
  end if;
  select coalesce(sum(case when c.bucket = v_bucket - 60 then c.used * v_leaving else c.used end), 0) + p_spent into v_used
    from ingress_gateway.counters c where c.webhook_id = p_webhook and c.kind = p_kind;
  v_left := greatest(0, floor(p_limit - v_used + 1e-9));
  if p_wanted > 0 and v_left >= p_wanted then
    v_granted := least(v_left, greatest(p_wanted, least(p_limit / 100, v_left / 20)));
  elsif p_wanted > 0 then
    v_missing := p_wanted - (p_limit - v_used);
    v_retry := 60 * p_slice_ms;
    for v_row in
      select c.bucket as slice, case when c.bucket = v_bucket - 60 then c.used * v_leaving else c.used end as share,
             greatest(v_now, (c.bucket + 60) * p_slice_ms) as leaves_from, (c.bucket + 61) * p_slice_ms as leaves_to
        from ingress_gateway.counters c
       where c.webhook_id = p_webhook and c.kind = p_kind and c.used > 0 order by c.bucket
    loop
      if v_row.share >= v_missing then
        v_retry := ceil(v_row.leaves_from - v_now + (v_row.leaves_to - v_row.leaves_from) * v_missing / v_row.share);
        exit;
      end if;
      v_missing := v_missing - v_row.share;
    end loop;
  end if;
  if v_granted + p_spent > 0 then
    insert into ingress_gateway.counters as c (webhook_id, kind, bucket, workspace_id, used)
    values (p_webhook, p_kind, v_bucket, p_workspace, v_granted + p_spent)
    on conflict on constraint counters_pkey do update set used = c.used + excluded.used;
  end if;
  return query select v_granted, v_bucket, v_left - v_granted, v_retry;
end
$$;
revoke execute on function ingress_gateway.take from public;
grant execute on function ingress_gateway.take to tocsin_pipeline;
