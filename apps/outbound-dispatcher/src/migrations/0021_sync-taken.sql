-- When values that both sides agree on were set there, by name; absent = we set them. An older change of ours does not replace them.
alter table outbound_dispatcher.sync_entries add column taken jsonb not null default '{}';
