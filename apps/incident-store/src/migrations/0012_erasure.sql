-- Personal data can be erased: the content of an event gives way to one without texts, and its salt with it. The chained row stays,
-- and so does the digest in it; an event `PayloadErased` of the same stream says what stands there now.
alter table incident_store.event_payloads add column erased_by bigint;

create function incident_store.guard_payload() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' and old.erased_by is null and new.erased_by > old.version
    and (new.stream_id, new.version, new.workspace_id) = (old.stream_id, old.version, old.workspace_id)
    and exists (
      select from incident_store.events e
       where e.stream_id = new.stream_id and e.version = new.erased_by and e.type = 'PayloadErased') then
    return new;
  end if;
  raise exception '% is append-only: % refused', tg_table_name, lower(tg_op) using errcode = 'restrict_violation';
end $$;
drop trigger event_payloads_append_only on incident_store.event_payloads;
create trigger event_payloads_append_only before update or delete on incident_store.event_payloads
  for each row execute function incident_store.guard_payload();

-- The pipeline's role may insert and select, no more; for this one purpose it has this function, which runs as the owner of the table.
create policy events_owner on incident_store.events for select to current_user using (true);
create policy event_payloads_owner_reads on incident_store.event_payloads for select to current_user using (true);
create policy event_payloads_owner_erases on incident_store.event_payloads for update to current_user using (true) with check (true);

create function incident_store.erase_payloads(stream text, eraser bigint, replacements json) returns bigint
  language sql security definer set search_path = pg_catalog, pg_temp as $$
  with given as (
    select version, salt, body from json_to_recordset(replacements) as r (version bigint, salt text, body text)
  ), erased as (
    update incident_store.event_payloads p
       set salt = decode(given.salt, 'hex'), body = convert_to(given.body, 'UTF8'), erased_by = eraser
      from given where p.stream_id = stream and p.version = given.version returning 1
  ) select count(*) from erased
$$;
revoke all on function incident_store.erase_payloads(text, bigint, json) from public;
grant execute on function incident_store.erase_payloads(text, bigint, json) to tocsin_pipeline;
