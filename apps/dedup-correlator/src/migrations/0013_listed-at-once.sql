-- With fastupdate new terms wait in a list that every search reads from its begin to its end, 4 MB of it: 2 ms for each term of a large
-- scope, where an index entry takes microseconds. What is listed goes into the index at once; so does what waits there now.
alter index dedup_correlator.known_incidents_by_term set (fastupdate = off);
select gin_clean_pending_list('dedup_correlator.known_incidents_by_term');
