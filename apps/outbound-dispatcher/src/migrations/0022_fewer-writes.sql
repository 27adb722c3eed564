-- Open updates of an incident: few at any time.
create index deliveries_open_updates_of on outbound_dispatcher.deliveries (incident_id) where mergeable;
-- Attempts are written in the transaction that holds the row of their delivery, and removed with it: a check of each one locks that row once more.
alter table outbound_dispatcher.delivery_attempts drop constraint delivery_attempts_delivery_id_fkey;
