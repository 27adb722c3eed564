-- The open incidents of a scope are read once, when its first batch comes; closed ones are kept for eight days beside them.
create index known_incidents_open on dedup_correlator.known_incidents (scope) where closed_at is null;
