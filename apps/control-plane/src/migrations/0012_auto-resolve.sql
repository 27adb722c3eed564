-- How long an alert of this webhook may go unheard of before it is over (product P11); null = it is never over by itself.
alter table control_plane.webhooks add column auto_resolve_after_minutes integer;
