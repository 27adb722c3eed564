-- What happens above a webhook's limits, its strict size, and when an editor last unlocked it (product P7); and what a workspace
-- gives its new webhooks (P7, P11).
alter table control_plane.webhooks
  add column over_limit text not null default 'reject',
  add column limits jsonb not null default '{"strict": false}',
  add column unlocked_at timestamptz(3);
alter table control_plane.workspaces
  add column settings jsonb not null default '{"profile": "standard", "defaultRateLimitPerHour": null}';
