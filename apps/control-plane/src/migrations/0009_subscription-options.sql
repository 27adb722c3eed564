-- Optional parts of a subscription: transform, signature schemes, signing keys.
alter table control_plane.subscriptions add column options jsonb not null default '{}';
