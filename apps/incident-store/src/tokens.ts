/** Injection tokens of this service; its own, because in one process several services share a Nest application. */
export const INCIDENT_STORE_PIPELINE = Symbol('INCIDENT_STORE_PIPELINE');
export const RECORD_ALERTS = Symbol('RECORD_ALERTS');
export const NOTE_RCA = Symbol('NOTE_RCA');
export const NOTE_DELIVERIES = Symbol('NOTE_DELIVERIES');
export const SETTLE_RECEIPTS = Symbol('SETTLE_RECEIPTS');
export const INCIDENT_COMMANDS = Symbol('INCIDENT_COMMANDS');
export const DECLARE_INCIDENT = Symbol('DECLARE_INCIDENT');
export const MERGE_INCIDENTS = Symbol('MERGE_INCIDENTS');
export const MOVE_ALERTS = Symbol('MOVE_ALERTS');
export const ALERT_QUERIES = Symbol('ALERT_QUERIES');
export const PROMOTE_ALERT = Symbol('PROMOTE_ALERT');
export const INCIDENT_QUERIES = Symbol('INCIDENT_QUERIES');
export const TIMER_WORKER = Symbol('INCIDENT_TIMER_WORKER');
export const RECEIPT_QUERIES = Symbol('RECEIPT_QUERIES');
export const SEQUENCER = Symbol('SEQUENCER');
export const EVENTS_FEED = Symbol('EVENTS_FEED');
export const EVENT_STREAMS = Symbol('EVENT_STREAMS');
