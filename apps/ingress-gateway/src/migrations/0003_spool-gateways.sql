-- Gateways that are connected, by the session that listens for each (its advisory lock says that it lives), and the newest generation of
-- the spool that each has heard to be open. Whoever opens the spool confirms the first receipts when all of them have (decision 21).
create table ingress_gateway.spool_gateways (
  name  text primary key,
  pid   integer not null,
  heard bigint not null default -1
);
grant select, insert, update, delete on ingress_gateway.spool_gateways to tocsin_pipeline;
