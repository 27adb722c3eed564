-- An element that was dead-lettered beside its siblings has its answer; redriven, it gets another one.
grant update on incident_store.alert_outcomes to tocsin_pipeline;
