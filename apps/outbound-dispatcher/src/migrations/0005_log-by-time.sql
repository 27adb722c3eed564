-- The log of one subscription is read by time, like that of all.
drop index outbound_dispatcher.deliveries_log;
create index deliveries_log on outbound_dispatcher.deliveries (workspace_id, subscription_id, created_at, seq);
