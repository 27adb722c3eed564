-- The newest closed incidents are counted by severity for every list: out of an index alone, whatever else is in their rows.
create index incidents_closed_counts on incident_store.incidents (workspace_id, created_at desc) include (severity) where status = 'resolved';
