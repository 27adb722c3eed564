import type { AlertKind, AlertStatus, AuthMethod, DecisionReason, Severity } from '@tocsin/contracts';
import type { Notes } from '@tocsin/domain/mapping';

/** What the functions of a connector see: one element of the payload, the whole payload around it, and when it came. */
export interface Reading {
  element: unknown;
  root: unknown;
  receivedAt: string;
}

/** A path into the element (`$.a.b`), into the whole payload (`$root.a.b`), or a function where paths end. */
export type FieldSource = string | ((reading: Reading) => unknown);

/** A fallback chain: only null, undefined and empty fall through; zero and false are values. */
export type FieldSources = readonly FieldSource[];

/** Why a payload or an element is not an alert and that is as it should be. */
export type IgnoreReason = Extract<
  DecisionReason,
  'test-notification' | 'handshake' | 'note' | 'unsupported-event' | 'not-an-alert-state' | 'empty-batch'
>;

export interface IgnoreRule {
  when: (reading: Reading) => boolean;
  reason: IgnoreReason;
}

/** How the bytes become a value. Further encodings of architecture §8 come with the connectors that need them. */
export type Decoding = 'json';

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
  readonly auth: {
    readonly default: AuthMethod;
    readonly also: readonly AuthMethod[];
    /** Where the signature is looked for, lower case; the first header that is there counts. */
    readonly signatureHeaders?: readonly string[];
  };
  /** Headers, lower case, by which a resend of the sender is recognised. */
  readonly deliveryIdHeaders: readonly string[];
  /** Whether the sender tries again after a 429; where not, 503 is the answer over the limit. */
  readonly retries: { readonly on429: boolean };
  readonly respond: 'wait' | 'accept';
  /** Whether the source ever says that something is over; where not, a time limit is suggested in Setup. */
  readonly resolves: boolean;
  readonly decode: readonly Decoding[];
  /** Whether the decoded payload is one of this platform. */
  readonly recognises: (root: unknown) => boolean;
  /** All elements of the payload; nothing after the first may be lost. An empty list is an empty batch. */
  readonly split: (root: unknown) => readonly unknown[];
  /** Whether one element can be read; the others go on without it. */
  readonly recognisesElement: (element: unknown, root: unknown) => boolean;
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
  readonly occurredAt: { readonly from: FieldSources; readonly whenResolved?: FieldSources; readonly orders: boolean };
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
  /** Remarks that only this source can make. */
  readonly remarks?: (reading: Reading, notes: Notes) => void;
}
