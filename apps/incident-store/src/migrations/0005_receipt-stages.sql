-- What each stage said of a receipt and when. A receipt may be known as accepted before anything is known of its alerts.
alter table incident_store.receipts
  alter column settled_at drop not null,
  alter column total drop not null,
  add column normalized_at timestamptz(3),
  add column correlated_at timestamptz(3);
