-- Alerts go to other incidents: a merge, or a person who moves them. Their rows leave one list and come to another.
grant delete on incident_store.incident_alerts to tocsin_pipeline;

-- Why an alert is over at `ends_at`: the end that its source states, or the quiet time of its webhook.
alter table incident_store.alert_activity
  add column ends_because text check (ends_because in ('end-passed', 'quiet'));

-- `alerts`: the earliest deadline of an incident's open alerts. It fires early where an alert was heard of since, and is set anew then.
alter table incident_store.timers drop constraint timers_kind_check;
alter table incident_store.timers add constraint timers_kind_check check (kind in ('snooze', 'alerts'));
