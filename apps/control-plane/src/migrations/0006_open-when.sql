-- Which triggered alerts open incidents (product P11; null = all), and correlation rules for all webhooks of a workspace (P10).
-- A webhook's own rules are part of its `correlation`.
alter table control_plane.webhooks add column open_when jsonb;
alter table control_plane.workspaces add column correlation_rules jsonb;
