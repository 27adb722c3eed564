-- Every list says how many incidents are open, by status and severity. Counting them where they are reads a page for each that has changed of
-- late, with its document; here a hundred lie on a page. Kept by triggers: a copy of two columns, whoever writes them.
create table incident_store.open_incidents (
  incident_id text primary key,
  workspace_id text not null,
  status text not null,
  severity text not null
) with (fillfactor = 70);

-- Forced policies hide the rows from the owner of the table, too.
alter table incident_store.incidents no force row level security;
insert into incident_store.open_incidents (incident_id, workspace_id, status, severity)
select incident_id, workspace_id, status, severity from incident_store.incidents where status <> 'resolved';
alter table incident_store.incidents force row level security;
create index open_incidents_counts on incident_store.open_incidents (workspace_id, status, severity);
drop index incident_store.incidents_open_counts;

create function incident_store.keep_open_incident() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' then
    delete from incident_store.open_incidents where incident_id = old.incident_id;
  elsif new.status = 'resolved' then
    delete from incident_store.open_incidents where incident_id = new.incident_id;
  else
    insert into incident_store.open_incidents (incident_id, workspace_id, status, severity)
    values (new.incident_id, new.workspace_id, new.status, new.severity)
    on conflict (incident_id) do update set status = excluded.status, severity = excluded.severity;
  end if;
  return null;
end $$;
create trigger incidents_opened after insert on incident_store.incidents
  for each row when (new.status <> 'resolved') execute function incident_store.keep_open_incident();
create trigger incidents_changed after update of status, severity on incident_store.incidents
  for each row when (old.status <> new.status or old.severity <> new.severity) execute function incident_store.keep_open_incident();
create trigger incidents_removed after delete on incident_store.incidents
  for each row when (old.status <> 'resolved') execute function incident_store.keep_open_incident();

alter table incident_store.open_incidents enable row level security;
alter table incident_store.open_incidents force row level security;
create policy open_incidents_rest on incident_store.open_incidents for all to tocsin_rest
  using (workspace_id = current_setting('tocsin.workspace_id', true)) with check (workspace_id = current_setting('tocsin.workspace_id', true));
create policy open_incidents_pipeline on incident_store.open_incidents for all to tocsin_pipeline using (true) with check (true);
grant select, insert, update, delete on incident_store.open_incidents to tocsin_pipeline;
grant select on incident_store.open_incidents to tocsin_rest;
