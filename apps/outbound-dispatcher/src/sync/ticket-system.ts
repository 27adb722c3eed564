import type { SyncedIncident } from '@tocsin/contracts';
import type { RemoteValue } from '@tocsin/domain/sync';

/** An issue or record as people and links name it. */
export interface TicketRef {
  id: string;
  key: string;
  url: string;
}

export interface Author {
  id: string;
  name: string;
}

/** An issue or record as it is now: `status`, and the mapped fields by their names there. */
export interface Ticket extends TicketRef {
  /** Another one after each change. */
  version: string;
  values: Record<string, TicketValue>;
}
export interface TicketValue extends RemoteValue {
  by: Author | null;
}

export interface TicketComment {
  id: string;
  text: string;
  internal: boolean;
  at: string;
  by: Author;
  /** Written by our integration user. */
  own: boolean;
}

export interface ChangedTicket {
  id: string;
  version: string;
  updatedAt: string;
}

/** One thing that `check` has looked at. `unknown` = the system does not let us see. */
export interface CheckItem {
  item: string;
  result: 'ok' | 'wrong' | 'unknown';
  message: string;
}

/** What sync needs of Jira or ServiceNow. Every method throws SyncFailure where the other side does not do it. */
export interface TicketSystem {
  /** The issue that carries the mark of an incident; more than one never is made. */
  find(incidentId: string): Promise<TicketRef | null>;
  /** An issue that is there already. */
  take(key: string): Promise<TicketRef | null>;
  create(incident: SyncedIncident): Promise<TicketRef>;
  read(id: string): Promise<Ticket>;
  write(id: string, values: Readonly<Record<string, string>>): Promise<void>;
  /** @returns the status as it is called there */
  setStatus(id: string, status: string, fields: Readonly<Record<string, unknown>>): Promise<string>;
  /** @returns its id, or null where the other side does not say it */
  comment(id: string, text: string, internal: boolean): Promise<string | null>;
  /** A comment of ours about this event; '' where it has no id. */
  findComment(id: string, eventId: string): Promise<string | null>;
  /** Oldest first. */
  comments(id: string, since: Date): Promise<TicketComment[]>;
  /** What has changed since, in pages, oldest first. */
  changed(since: Date): AsyncIterable<ChangedTicket[]>;
  check(): Promise<CheckItem[]>;
}

/**
 * `away`: no answer, 5xx, 429. `refused`: our credentials or rights. Both are about the link: its ops wait. `rejected`: about this one request.
 * `gone`: the issue is not there any more. `given-back`: this process is going down.
 */
export type FailureKind = 'away' | 'refused' | 'rejected' | 'gone' | 'given-back';

export class SyncFailure extends Error {
  constructor(
    readonly kind: FailureKind,
    message: string,
    readonly retryAfterSeconds: number | null = null,
  ) {
    super(message);
  }
}
