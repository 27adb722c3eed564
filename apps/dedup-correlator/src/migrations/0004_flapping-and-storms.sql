-- Record times of a key's newest changes between firing and resolved, and until when nobody is told about it (it flaps).
alter table dedup_correlator.key_holders
  add column toggled_at timestamptz(3)[] not null default '{}',
  add column held_until timestamptz(3);

-- One row per scope whose workspace rolls storms up: new keys of the last minute (`[{at, count}]`), and the storm that they make.
create table dedup_correlator.storms (
  workspace_id text not null,
  scope        text collate "C" primary key,
  arrivals     jsonb not null,
  over_at      timestamptz(3),
  incident_id  text collate "C"
) with (fillfactor = 50);

alter table dedup_correlator.storms enable row level security;
alter table dedup_correlator.storms force row level security;
create policy rest on dedup_correlator.storms to tocsin_rest using (workspace_id = current_setting('tocsin.workspace_id', true));
create policy pipeline on dedup_correlator.storms to tocsin_pipeline using (true) with check (true);
grant select, insert, update, delete on dedup_correlator.storms to tocsin_pipeline;
