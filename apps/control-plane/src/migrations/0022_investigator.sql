-- The workspace's own investigator, its secrets sealed; null = Tocsin's.
alter table control_plane.workspaces add column investigator jsonb;
