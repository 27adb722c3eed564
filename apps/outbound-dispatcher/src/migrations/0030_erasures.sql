-- Incidents whose personal data was erased: what was sent about them before loses its texts as soon as it is finished.
create table outbound_dispatcher.erasures (
  incident_id text primary key,
  workspace_id text not null,
  -- Version of the event that said so, and when: what came before holds the texts.
  sequence bigint not null,
  at timestamptz(3) not null
);
alter table outbound_dispatcher.erasures enable row level security;
alter table outbound_dispatcher.erasures force row level security;
create policy pipeline on outbound_dispatcher.erasures to tocsin_pipeline using (true) with check (true);
create policy rest on outbound_dispatcher.erasures for select to tocsin_rest
  using (workspace_id = current_setting('tocsin.workspace_id', true));
grant select, insert, update, delete on outbound_dispatcher.erasures to tocsin_pipeline;
grant select on outbound_dispatcher.erasures to tocsin_rest;

-- When body, headers and answers of a delivery were taken away; it cannot be sent again.
alter table outbound_dispatcher.deliveries add column erased_at timestamptz;
grant update (request_headers, response_headers, response_body, error) on outbound_dispatcher.delivery_attempts to tocsin_pipeline;

-- Investigations and recommendations name their incident in the body only.
create index deliveries_beside_incidents on outbound_dispatcher.deliveries (workspace_id, created_at) where incident_id is null;
