-- Envelopes differ in their media type, and binary CloudEvents carry their attributes in headers.
alter table outbound_dispatcher.deliveries
  add column content_type text not null default 'application/json',
  add column content_headers jsonb not null default '{}';
