-- What the console's bell shows, and what is mailed where SMTP is set (product P13).
create table outbound_dispatcher.notifications (
  workspace_id text not null,
  id text not null,
  kind text not null,
  title text not null,
  text text not null,
  -- The incident, subscription or webhook that it is about.
  subject_id text,
  url text,
  -- How many such things it stands for: those of one receiver, or one workspace, and hour are one notification.
  count integer not null default 1,
  at timestamptz(3) not null,
  read_at timestamptz(3),
  mail_due boolean not null default false,
  -- Not before; a worker that sends it moves it first, so that nobody sends it meanwhile.
  mail_after timestamptz(3) not null default '-infinity',
  mail_attempts integer not null default 0,
  schema_version smallint not null default 1,
  primary key (workspace_id, id)
);
create index notifications_in_order on outbound_dispatcher.notifications (workspace_id, at desc, id desc);
create index notifications_unread on outbound_dispatcher.notifications (workspace_id) where read_at is null;
create index notifications_to_mail on outbound_dispatcher.notifications (mail_after) where mail_due;
create index notifications_by_age on outbound_dispatcher.notifications (at);

alter table outbound_dispatcher.notifications enable row level security;
alter table outbound_dispatcher.notifications force row level security;
create policy pipeline on outbound_dispatcher.notifications to tocsin_pipeline using (true) with check (true);
create policy rest on outbound_dispatcher.notifications to tocsin_rest
  using (workspace_id = current_setting('tocsin.workspace_id', true))
  with check (workspace_id = current_setting('tocsin.workspace_id', true));
grant select, insert, update, delete on outbound_dispatcher.notifications to tocsin_pipeline;
grant select, update (read_at) on outbound_dispatcher.notifications to tocsin_rest;
