-- The user's own mapping of a webhook (null = none), capture mode, and the incident_type of alerts without one (product P6, P11).
alter table control_plane.webhooks
  add column mapping jsonb,
  add column mode text not null default 'live',
  add column incident_type text;
