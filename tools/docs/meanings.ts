import type {
  DecisionReason,
  HaltReason,
  LifecycleReason,
  Outcome,
  PoisonReason,
  RetryReason,
  Scope,
  SkipReason,
} from '@tocsin/contracts';
import type { RejectionReason } from '@tocsin/domain/authentication';
import type { AttemptReason, FinalReason, UrlRefusal } from '@tocsin/domain/delivery';
import type { NoteCode } from '@tocsin/domain/mapping';
import type { RcaCause, RcaRefusal } from '@tocsin/domain/rca';

/** What each entry of a closed list means. A list that grows does not compile until its new entry is explained here. */

const LATER = 'Reserved; nothing of this version answers it.';

export const outcomeMeanings: Record<Outcome, string> = {
  created: 'The alert opened an incident.',
  deduplicated: 'A repeat of an alert that an incident holds; its occurrence was counted.',
  repeated: 'The source marked it as the same firing: seen, not counted as an occurrence.',
  correlated: 'A new alert that joined an incident which was there.',
  'rolled-up':
    'Above the hourly rate of its webhook, or one of a storm: it joined the incident that holds all of those.',
  reopened: 'The alert came back within the reopen window, and its incident is open again.',
  updated: 'The source changed fields of an alert.',
  acknowledged: 'The source acknowledged, and so did the incident.',
  resolved: 'The source said that the alert is over.',
  suppressed: 'A silence or a maintenance window matches it: kept without an incident, listed and promotable.',
  recorded: 'The webhook’s `open_when` does not hold: kept without an incident, listed and promotable.',
  captured: LATER,
  ignored: 'Nothing to do; the reason says why.',
  'dead-lettered': 'It cannot be read or stored; its bytes are on `dead-letters`.',
};

export const decisionMeanings: Record<DecisionReason, string> = {
  'new-alert': 'Nothing that is open fits it.',
  'same-dedup-key': 'An incident holds its dedup key, within the window.',
  'same-firing': 'Same key, same firing mark and same severity as what is held.',
  'window-passed': 'The key is held, but longer ago than the dedup window: a new incident takes the key over.',
  'time-window': 'An open incident shares a service and had its last alert within the window.',
  recurrence: 'The incident of its key was closed, within the reopen window.',
  'already-processed': 'This alert id was decided on before.',
  stale: 'It changed before the last resolve or acknowledge of its key, or before a newer trigger.',
  'no-open-alert':
    'A resolve, acknowledge or update of which no open alert is known; a resolve is remembered for the dedup window.',
  'alert-resolved': 'The alert is over.',
  'all-alerts-resolved': 'It was the last open alert, so the incident is resolved.',
  'other-alerts-open': 'Other alerts of the incident are still open.',
  'source-acknowledged': 'Acknowledged where it came from.',
  'source-updated': 'Fields changed where it came from.',
  'already-acknowledged': 'The incident was not open any more, but not closed either.',
  'incident-closed': 'The incident was closed after this alert had changed, or is closed now.',
  successor: 'The closed incident is past its reopen window: the alert opened its successor.',
  'taken-over': 'The key moved to a new incident, because its window had passed.',
  'test-notification': 'The sender sent a test.',
  handshake: 'The sender asked whether somebody is there.',
  note: 'A note or comment; those open and change nothing.',
  'unsupported-event': 'An event of this platform that says nothing about an alert.',
  'not-an-alert-state': LATER,
  'empty-batch': 'The payload holds no alerts.',
  'only-first':
    'The webhook takes the first element of each payload (`mapping.split: first`), and this is another one.',
  grouped: 'Part of the one alert that the webhook makes of each payload (`mapping.split: group`).',
  'change-recorded': 'A build or a deployment was recorded as a change; the webhook raises no alerts of changes.',
  'unrecognised-payload': 'Not a payload, or not an element, of this platform.',
  'undecodable-payload': 'The bytes are not what the connector decodes.',
  'connector-failed': 'The connector threw on it.',
  'decision-failed': 'A decision threw on it, reproducibly and alone.',
  'data-rejected-by-database': 'The database refused its data, reproducibly and alone.',
  'webhook-disabled': LATER,
  'capture-mode': 'The webhook captures for a preview; nothing opens.',
  'open-when': 'The webhook’s `open_when` does not hold for it: kept, without an incident.',
  promoted: 'A person made an incident of a recorded alert.',
  'over-limit': 'Its request came above the hourly rate of a webhook that rolls up.',
  rule: 'A correlation rule matched.',
  'ack-from-source-off': 'The webhook says `ack_from_source: false`: an acknowledge of its source changes nothing.',
  silenced: 'A silence matches it: kept without an incident, listed and promotable.',
  maintenance: 'A maintenance window matches it: kept without an incident, listed and promotable.',
  storm: 'More new incidents a minute than the workspace allows: it joined the incident that holds the storm.',
};

export const lifecycleMeanings: Record<LifecycleReason, string> = {
  merged: 'A person merged incidents: this one took others in, or went into another.',
  'alerts-moved': 'A person moved alerts to another incident, or opened one for them.',
  'opened-by-hand': 'A person opened the incident; no alert did.',
  'end-passed': 'The end that the source had stated passed, and nothing more was heard of the alert.',
  quiet: 'Nothing was heard of the alert for the webhook’s `auto_resolve_after_minutes`.',
  erased: 'Somebody erased personal data: contents of events gave way to ones without texts.',
};

export const skipMeanings: Record<SkipReason, string> = {
  'already-processed': 'Its alerts were applied before.',
  'repeated-mark': LATER,
  'not-for-this-service': 'A record type of the topic that this service does not need.',
  'unknown-webhook': LATER,
};

export const poisonMeanings: Record<PoisonReason, string> = {
  'undecodable-record': 'Its bytes or its facts header cannot be read.',
  'schema-mismatch': 'It does not fit the schema of its type.',
  'unknown-record-type': 'A type that this version does not know.',
  'decision-failed': 'A decision throws on it, also alone.',
  'data-rejected-by-database': 'The database refuses its data, also alone.',
  'unrecognised-payload': 'Not a payload of the webhook’s platform.',
  'undecodable-payload': 'Not what the connector decodes.',
  'connector-failed': 'The connector throws on it, or is not part of this version.',
};

export const retryMeanings: Record<RetryReason, string> = {
  'database-unavailable': 'Postgres does not answer, or has ended the session.',
  'database-conflict': 'A lock, a deadlock or a unique key: the next try decides on what is there then.',
  'log-unavailable': 'The event log did not take the records.',
  'configuration-behind': 'The configuration revision of a record has not come yet.',
  'outbox-blocked': 'Records of an earlier batch are not published yet.',
  'handler-failed': 'The handler threw something that is not the fault of a record.',
};

export const haltMeanings: Record<HaltReason, string> = {
  gap: 'The log begins after the stored position: records are missing.',
  'log-behind': 'The log ends before the stored position, or is another log: it was lost or put back.',
  'poison-rate': 'More than 20 dead letters within a minute on one partition: the fault is probably ours.',
  'partition-mismatch': 'The topic has another number of partitions than the table.',
  'handler-contract': 'A handler answered what it must not: a defect.',
};

export const rejectionMeanings: Record<RejectionReason, string> = {
  'credential-missing': 'The header or the query parameter is not there.',
  'credential-malformed': 'The header does not look like a credential of this method.',
  'credential-repeated': 'It came more than once.',
  'credential-wrong': 'It fits none of the live secrets.',
  'credential-stale': 'The time that the signature covers is too far from ours.',
  'subject-not-allowed': 'The vendor signed it, but for another topic, repository, account or audience.',
  'vendor-key-refused': 'The vendor’s certificate or key is not one that may sign.',
  'no-live-secret': 'The webhook has no secret that is still valid.',
  'method-not-supported': 'The webhook’s platform has no such method.',
};

export const attemptMeanings: Record<AttemptReason, string> = {
  delivered: 'A 2xx answer.',
  redirect: 'A 3xx answer; it is never followed.',
  gone: 'A 410 answer: never again.',
  'rate-limited': 'A 429 answer.',
  'client-error': 'Another 4xx answer.',
  'server-error': 'A 5xx answer.',
  'unexpected-status': 'A status outside of 200 to 599.',
  timeout: 'No connection or no response headers in time.',
  'name-not-found': 'The host name does not resolve.',
  'connection-refused': 'Nobody listens there.',
  'connection-failed': 'No connection, for another cause.',
  'connection-reset': 'The connection broke before an answer.',
  'tls-failed': 'The certificate or the TLS handshake failed.',
  'address-not-allowed': 'The name resolves to an address that `OUTBOUND_ALLOW` does not open.',
  'url-not-allowed': 'The stored URL is not allowed any more.',
  'header-not-allowed': 'A custom header cannot be sent.',
  'protocol-error': 'The answer is not HTTP.',
  'proxy-failed': 'The egress proxy cannot be used. The attempt does not count: the receiver has no part in it.',
  'secret-unreadable': 'The secret of the subscription cannot be opened.',
};

export const finalMeanings: Record<FinalReason, string> = {
  gone: 'The receiver answered 410.',
  'url-not-allowed': 'The URL is not allowed.',
  'header-not-allowed': 'A custom header cannot be sent.',
  'schedule-exhausted': 'The last attempt of the schedule failed.',
  'subscription-deleted': 'The subscription was deleted.',
  'subscription-paused': 'The subscription is paused.',
  'subscription-disabled': 'The subscription was disabled: its receiver failed for too long, or answered 410.',
};

export const urlMeanings: Record<UrlRefusal, string> = {
  'not-a-url': 'Not an absolute URL.',
  'too-long': 'Longer than 2,048 characters.',
  'scheme-not-allowed': 'Neither https nor http.',
  'userinfo-not-allowed': 'It holds credentials.',
  'port-not-allowed': 'A port on which other protocols listen, for instance mail.',
  'https-required': 'Plain http to a receiver that `OUTBOUND_ALLOW` does not open with `+http`.',
  'private-address': 'An address outside of the public internet that `OUTBOUND_ALLOW` does not open.',
  'local-name': '`localhost`, which `OUTBOUND_ALLOW` does not open.',
};

export const noteMeanings: Record<NoteCode, string> = {
  'text-cleaned': 'U+0000 or a lone surrogate became U+FFFD.',
  'text-truncated': 'A text was cut at its limit.',
  'list-truncated': 'A list was cut at its limit.',
  'depth-truncated': 'Fields nested deeper than the limit were cut.',
  'fields-truncated': 'The kept fields were cut at their size limit.',
  'key-dropped': 'A key of the kept fields was left out.',
  'first-of-list': 'Several values where one belongs: the first was taken.',
  'severity-missing': 'No severity: the webhook’s default.',
  'severity-unknown': 'A severity that no vocabulary knows: the webhook’s default.',
  'status-unknown': 'A status that no vocabulary knows: triggered.',
  'title-missing': 'No title: the platform’s name stands in.',
  'time-unreadable': 'A time that cannot be read: left out.',
  'time-clamped': 'A time after the receipt: the time of receipt.',
  'dedup-key-hashed': 'A key longer than 512 characters was replaced by its hash.',
  'path-found-nothing': 'A path of the mapping found nothing; the nearest path that is there is named.',
  'value-not-converted': 'A value cannot have the type of its field without loss: the default was taken.',
  'mapping-limited':
    'The mapping costs too much for a payload of this size, or repeats too much of it in each alert: the connector’s values hold for the rest.',
  'mapping-failed': 'The mapping could not be applied: the connector’s values hold.',
  'service-missing': 'A build or a deployment without a service.',
  'alerts-truncated-by-source': 'The source says that it left alerts out.',
  'end-not-set': 'Resolved without an end: read as firing.',
  'invalid-utf8': 'The body is not valid UTF-8.',
  'json-repaired':
    'The body was JSON with unescaped texts, as some senders make it of templates; it was mended before it was read.',
  'placeholder-unfilled': 'A variable of the sender’s template was not filled in; the template is to be corrected.',
  'config-behind': 'The revision of the receipt did not come: the newest was used.',
  'config-missing': 'The webhook is gone: defaults were used.',
};

export const rcaCauseMeanings: Record<RcaCause, string> = {
  'incident-opened': 'An incident was opened.',
  'incident-reopened': 'An incident came back.',
  'severity-raised': 'The severity of an incident rose, and it had not been investigated.',
  'asked-for': 'Somebody asked for it (`POST /api/v1/incidents/{id}/rca`).',
};

export const rcaRefusalMeanings: Record<RcaRefusal, string> = {
  'not-a-trigger': 'The event is none of the causes.',
  'auto-trigger-off': 'The webhook says `auto_trigger: false`.',
  'below-minimum-severity': 'Less severe than the webhook’s `min_severity`.',
  'already-running': 'An investigation of this incident runs.',
  'already-investigated': 'The severity rose, but the incident has been investigated.',
  'incident-cap-reached': '`RCA_MAX_PER_INCIDENT` is reached.',
  'workspace-cap-reached': '`RCA_MAX_PER_HOUR` is reached.',
};

export const scopeMeanings: Record<Scope, string> = {
  ingest: 'Record changes.',
  read: 'Read incidents, receipts, changes, investigations and deliveries.',
  respond: 'Acknowledge, resolve and comment; record changes.',
  admin: 'Everything in the workspace.',
};
