-- Investigations that an investigator of the workspace's own is asked for: tried a few times, then heard of by call until the result is here.
alter table rca_trigger.investigations
  drop constraint investigations_status_check,
  add constraint investigations_status_check check (status in ('requested', 'running', 'completed', 'failed')),
  -- Requests that were begun.
  add column attempts integer not null default 0,
  -- What it said last.
  add column progress text,
  add column progress_at timestamptz(3);

-- due_at: when the next request is made, or until when something must be heard.
drop index rca_trigger.investigations_due;
create index investigations_due on rca_trigger.investigations (due_at) where status in ('requested', 'running');

-- Events that an investigator has said, each once.
create table rca_trigger.investigation_events (
  id               text primary key,
  workspace_id     text not null,
  investigation_id text not null references rca_trigger.investigations (id) on delete cascade,
  at               timestamptz(3) not null
);
create index investigation_events_of on rca_trigger.investigation_events (investigation_id);
alter table rca_trigger.investigation_events enable row level security;
alter table rca_trigger.investigation_events force row level security;
create policy pipeline on rca_trigger.investigation_events for all to tocsin_pipeline using (true) with check (true);
grant select, insert, update, delete on rca_trigger.investigation_events to tocsin_pipeline;
