-- Whether a failed build or deployment also raises an alert (product P11).
alter table control_plane.webhooks
  add column changes jsonb not null default '{"alertOnFailure": true}';
