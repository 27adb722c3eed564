import type { AlertKind, AlertStatus, DecisionReason, Severity } from '@tocsin/contracts';
import type { ConnectorAuth } from '@tocsin/domain/authentication';
import type { Notes } from '@tocsin/domain/mapping';

/** What of the request is not in the body. Several senders name the kind of event only in a header. */
export interface RequestFacts {
  /** By lower-case name; credentials and signatures are not among them. */
  readonly headers: Readonly<Record<string, string>>;
}

/** What the functions of a connector see: one element of the payload, the whole payload around it, and when it came. */
export interface Reading extends RequestFacts {
  element: unknown;
  root: unknown;
  receivedAt: string;
  /** Unique per request: a key for what can only be one thing with itself. */
  receiptId: string;
}

/** A path into the element (`$.a.b`), into the whole payload (`$root.a.b`), or a function where paths end. */
export type FieldSource = string | ((reading: Reading) => unknown);

/** A fallback chain: only null, undefined and empty fall through; zero and false are values. */
export type FieldSources = readonly FieldSource[];

/** Why a payload or an element is not an alert and that is as it should be. */
export type IgnoreReason = Extract<
  DecisionReason,
  | 'test-notification'
  | 'handshake'
  | 'note'
  | 'unsupported-event'
  | 'not-an-alert-state'
  | 'empty-batch'
  | 'change-recorded'
  | 'only-first'
  | 'grouped'
>;

export interface IgnoreRule {
  when: (reading: Reading) => boolean;
  reason: IgnoreReason;
}

/**
 * How the bytes become a value. Tried in the declared order; an entry is passed over where content type or shape say that it does not
 * apply.
 * - `json`: JSON, whatever the content type says.
 * - `json-sequence`: several JSON values back to back; the value is their list.
 * - `repaired-json`: JSON from a template that did not escape its texts; only for senders that are known for it. The alert says so.
 * - `form`: the fields of a form (url-encoded or multipart) as an object of texts.
 * - `query`: the parameters of the address as an object of texts, where there is no body.
 * - `{ formField }`: one field of a form (url-encoded or multipart) that holds JSON.
 */
export type Decoding = 'json' | 'json-sequence' | 'repaired-json' | 'form' | 'query' | { readonly formField: string };

/**
 * A text inside the decoded value that holds a JSON document of its own. The document takes the place of the text, or of the whole
 * value (`becomes: 'root'`). A text that is no JSON is left as it is.
 */
export interface Unwrapping {
  readonly at: readonly string[];
  readonly encoding: 'json' | 'base64-json';
  readonly becomes: 'value' | 'root';
}

/** What a deployment or a build tells beside its alert (product P11). What is not given is taken from the alert. */
export interface ChangeFields {
  /** What kind of change the element tells of; undefined: of none. Asked only where no ignore rule holds. */
  readonly kind: (reading: Reading) => 'build' | 'deployment' | 'configuration' | undefined;
  readonly version?: FieldSources;
  readonly environment?: FieldSources;
  /** The source's word, e.g. `failure`. */
  readonly status?: FieldSources;
  readonly actor?: FieldSources;
  readonly started?: FieldSources;
  readonly finished?: FieldSources;
}

/**
 * A connector: data first, pure functions where data ends. What it must do is in its README, what it does is in its samples, and
 * `conformance.spec.ts` holds both together.
 */
export interface SourceConnector {
  readonly id: string;
  readonly title: string;
  readonly category:
    'incident-management' | 'monitoring' | 'cloud' | 'apm' | 'uptime' | 'source-control' | 'security' | 'custom';
  readonly kind: AlertKind;
  /** Names in `/api/integrations/{slug}` beside the id (product P3). */
  readonly slugs: readonly string[];
  /** How senders can prove who they are (`libs/domain/src/authentication/schemes.ts` has every kind of scheme). */
  readonly auth: ConnectorAuth;
  /** Headers, lower case, by which a resend of the sender is recognised. */
  readonly deliveryIdHeaders: readonly string[];
  /** Whether the sender tries again after a 429; where not, 503 is the answer over the limit. */
  readonly retries: { readonly on429: boolean };
  readonly respond: 'wait' | 'accept';
  /** Whether the source ever says that something is over; where not, a time limit is suggested in Setup. */
  readonly resolves: boolean;
  readonly decode: readonly Decoding[];
  /** Carried out in order after decoding. */
  readonly unwrap?: readonly Unwrapping[];
  /** Whether the decoded payload is one of this platform. */
  readonly recognises: (root: unknown, request: RequestFacts) => boolean;
  /** All elements of the payload; nothing after the first may be lost. An empty list is an empty batch. */
  readonly split: (root: unknown, request: RequestFacts) => readonly unknown[];
  /** Whether one element can be read; the others go on without it. */
  readonly recognisesElement: (element: unknown, root: unknown, request: RequestFacts) => boolean;
  /** Checked in order before an element is mapped. */
  readonly ignore: readonly IgnoreRule[];
  readonly fields: {
    readonly title: FieldSources;
    readonly description: FieldSources;
    readonly services: FieldSources;
    readonly tags: FieldSources;
    readonly source: FieldSources;
    readonly url: FieldSources;
    readonly dedupKey: FieldSources;
    /** Marks repeats of one firing. */
    readonly firingKey: FieldSources;
    readonly incidentType: FieldSources;
  };
  /** `orders`: the source means the time of this change, so it decides which of a trigger and a resolve is the later one. */
  readonly occurredAt: {
    readonly from: FieldSources;
    readonly whenResolved?: FieldSources;
    /** A function where only some payloads have the time of the change. */
    readonly orders: boolean | ((reading: Reading) => boolean);
    /** The time of this change where `occurredAt` is that of something else; where it finds one, it orders. */
    readonly changed?: FieldSources;
    /** Until when the source vouches for a trigger unless it says so again; without a refresh the alert is over then. */
    readonly ends?: FieldSources;
  };
  /** `map` (lower-case words) goes before the common vocabulary; `absent` holds when nothing is found. */
  readonly status: {
    readonly from: FieldSources;
    readonly map?: Readonly<Record<string, AlertStatus>>;
    readonly absent: AlertStatus;
  };
  /** `take`: the first value that is there (default), or the first that the vocabulary knows. */
  readonly severity: {
    readonly from: FieldSources;
    readonly map?: Readonly<Record<string, Severity>>;
    readonly take?: 'first' | 'first-known';
  };
  /** What is kept as `fields` for rules, people and the investigation. */
  readonly keep: (reading: Reading) => Readonly<Record<string, unknown>>;
  /** Paths of what must never be stored or shown, e.g. an echoed secret or the webhook's own address. */
  readonly redact?: readonly string[];
  /**
   * For sources that tell of builds or deployments: a change event is written beside the alert. Statuses: failed → `triggered`,
   * succeeded → `resolved` (it ends what an earlier failure raised); in progress is an ignore rule (`not-an-alert-state`).
   */
  readonly change?: ChangeFields;
  /** Remarks that only this source can make. */
  readonly remarks?: (reading: Reading, notes: Notes) => void;
}
