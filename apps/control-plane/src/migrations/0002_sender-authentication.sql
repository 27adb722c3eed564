-- How a webhook's senders authenticated until its method was changed, while the overlap runs; and the limit on alerts.
alter table control_plane.webhooks
  add column previous_auth jsonb,
  add column rate_limit_alerts_per_minute integer not null default 0;
