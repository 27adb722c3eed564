-- Only scopes with more open incidents than a process keeps look for candidates in the table. Only theirs are listed by their terms, which
-- costs more than all other indexes together; a scope that becomes so large lists those that it has.
alter table dedup_correlator.known_incidents add column listed boolean not null default false;
drop index dedup_correlator.known_incidents_by_term;
create index known_incidents_by_term on dedup_correlator.known_incidents using gin (terms) where listed;
