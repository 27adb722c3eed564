import type { Severity } from './vocabulary.ts';
import type { CorrelationBasis, CorrelationRules } from './correlation-rules.ts';
import type { SubscriptionId, WebhookId, WorkspaceId } from './ids.ts';
import type { MappingDocument } from './mapping-document.ts';
import type { MuteDocument } from './mutes.ts';
import type { SyncLinkDocument } from './sync.ts';
import type { TopologyDocument } from './topology.ts';

/**
 * What the control-plane publishes on its configuration feed and every service follows (architecture §13).
 * Secrets are sealed (AES-256-GCM under the workspace's data key); only a holder of the key ring can open them.
 */
export interface FeedDocument<Kind extends string = string, Body = unknown> {
  revision: number;
  kind: Kind;
  id: string;
  workspaceId: string;
  deleted: boolean;
  body: Body;
}

/** The operators of a condition's leaf (product P10). */
export const conditionOperators = [
  'equals',
  'not_equals',
  'contains',
  'not_contains',
  'starts_with',
  'ends_with',
  'regex',
  'in',
  'not_in',
  'intersects',
  'exists',
] as const;
export type ConditionOperator = (typeof conditionOperators)[number];

/**
 * The one condition grammar of rules, `open_when`, filters and silences (product P10), as people type it. `value` `[]` with
 * `intersects`, or `{incident: field}`, means the incident's own value.
 */
export type ConditionDocument =
  | { operator: 'and' | 'or'; items: ConditionDocument[] }
  | { field: string; operator: ConditionOperator; value?: unknown };

/** `v1.<key id>.<iv>.<ciphertext+tag>`, all base64url. The workspace and row id are authenticated with it. */
export type SealedText = string;

/** A credential that is valid until `notAfter` (null = the current one). */
export interface SealedSecret {
  id: string;
  sealed: SealedText;
  notAfter: string | null;
}

export const authMethods = ['bearer', 'hmac', 'api_key', 'basic', 'query_token', 'vendor', 'none'] as const;
export type AuthMethod = (typeof authMethods)[number];

/** How a webhook authenticates its senders (product P2). What is absent or null is chosen by the connector. */
export interface WebhookAuth {
  method: AuthMethod;
  header: string | null;
  prefix: string | null;
  username: string | null;
  /** Header with the signed time, where the platform lets its users name it (Grafana); set = it must be there. */
  timestampHeader?: string | null;
  /** What a vendor's signature must be about: SNS topics, Travis repositories, Google service accounts, Entra applications. */
  subjects?: string[];
  /** `aud` of a vendor's token; null = the address of the webhook. */
  audience?: string | null;
  /** Entra directory (tenant) id. */
  tenant?: string | null;
}

export interface WebhookBody {
  name: string;
  description: string;
  connector: string;
  enabled: boolean;
  /** HMAC-SHA-256 (hex) of the path token under the pepper: how the gateway finds the webhook. */
  tokenHmac: string;
  sealedToken: SealedText;
  /** Rotated tokens that are still answered until `notAfter`. */
  previousTokens?: { tokenHmac: string; notAfter: string }[];
  auth: WebhookAuth;
  /** How senders authenticated before the method was changed, while the overlap runs. */
  previousAuth?: { auth: WebhookAuth; secrets: SealedSecret[]; notAfter: string };
  secrets: SealedSecret[];
  respond: 'wait' | 'accept';
  /** Requests in any hour; 0 = unlimited. */
  rateLimitPerHour: number;
  /** Alerts in any minute; 0 or absent = unlimited. */
  rateLimitAlertsPerMinute?: number;
  defaultSeverity: Severity;
  severityProfile: 'tocsin' | 'opsknight';
  dedup: {
    windowHours: number;
    windowFrom: 'last' | 'first';
    reopenMinutes: number;
    resolvePolicy: 'all' | 'any' | 'never';
    /** `recipe`: keys are always made by the recipe; absent or `auto` = only where mapping and connector have none (product P8). */
    key?: 'auto' | 'recipe';
    /** Fields whose values make a key; absent = `title, severity, connection_id`. */
    recipe?: string[];
    /** Severity of an incident after a further alert of another one (product P8); absent = `highest`. */
    severityPolicy?: 'highest' | 'latest' | 'first';
    /** Whether an acknowledge of the source acknowledges the incident (product P9); absent = it does. */
    ackFromSource?: boolean;
  };
  correlation: { enabled: boolean; windowMinutes: number; by: CorrelationBasis; rules?: CorrelationRules | null };
  /** `notifyWorkspace`: its incidents and their investigations ring the bell (product P14); absent = they do not. */
  rca: { autoTrigger: boolean; minSeverity: Severity; notifyWorkspace?: boolean };
  /** Whether a failed build or deployment also raises an alert (product P11); absent = it does. */
  changes?: { alertOnFailure: boolean };
  /** `capture`: authenticated and mapped for preview, outcome `captured`, nothing opens (product P11); absent = `live`. */
  mode?: 'capture' | 'live';
  /** What the user's own paths say, before the connector's (product P6); absent = nothing. */
  mapping?: MappingDocument;
  /** `incident_type` of alerts that nothing else gives one (product P11); null or absent = none. */
  incidentType?: string | null;
  /** What happens above the hourly rate (product P7): 429, or accepted with `overLimit` on the receipt; absent = `reject`. */
  overLimit?: 'reject' | 'rollup';
  /** `strict`: 413 above 100 KB (product P7); absent = it is not. */
  limits?: { strict: boolean };
  /** Lock-outs that began before this instant are lifted. */
  unlockedAt?: string | null;
  /** Which triggered alerts open incidents; the others are recorded (product P11). Null or absent = all open. */
  openWhen?: ConditionDocument | null;
  /** An alert that was not heard of for so long is over (product P11). Null or absent = never. */
  autoResolveAfterMinutes?: number | null;
}
export type WebhookDocument = FeedDocument<'webhook', WebhookBody>;

/** Form of an outbound body (http-api, Outbound request). `cloudevents` is structured mode, `cloudevents-binary` binary mode. */
export const envelopeNames = ['cloudthinker', 'opsknight', 'cloudevents', 'cloudevents-binary'] as const;
export type EnvelopeName = (typeof envelopeNames)[number];

/** How a delivery is signed; several at once (product P12). The first two are the headers of the seeds' products. */
export const signatureSchemes = ['x-cloudthinker', 'x-webhook', 'standard-v1', 'standard-v1a'] as const;
export type SignatureScheme = (typeof signatureSchemes)[number];

/** `publicKey` is `whpk_…`, for receivers. */
export interface SigningKey extends SealedSecret {
  publicKey: string;
}

/** A vendor template with the parameters that somebody gave; secret ones are sealed, and so is any address that holds one. */
export interface FilledTemplate {
  name: string;
  parameters: Record<string, string | number | boolean>;
  sealed: Record<string, SealedText>;
  /** Also sends incidents that a connector of the template's own platform opened; absent = it does not, so that nothing goes round in circles. */
  allowOwnOrigin?: boolean;
}

export const deliveryModes = ['push', 'pull'] as const;
export type DeliveryMode = (typeof deliveryModes)[number];
export const deliveryOrderings = ['incident', 'none'] as const;
export type DeliveryOrdering = (typeof deliveryOrderings)[number];

export interface SubscriptionBody {
  name: string;
  url: string;
  /** Names, `family.*` or `*`. */
  events: string[];
  active: boolean;
  secrets: SealedSecret[];
  headers: { name: string; sealed: SealedText }[];
  envelope: EnvelopeName;
  /** A JSON template instead of the envelope; null or absent = none. */
  transform?: unknown;
  /** Absent = `x-cloudthinker`, `x-webhook` and `standard-v1`. */
  signatures?: SignatureScheme[];
  /** ed25519 keys of `standard-v1a`, the private half sealed; the current one first. */
  signingKeys?: SigningKey[];
  /** Seconds before each attempt, counted from the previous one; the first is normally 0. */
  retrySchedule: number[];
  timeoutSeconds: number;
  userAgent: string | null;
  /** Minimum seconds between two coalesced `incident.updated`; 0 = each. */
  updateIntervalSeconds: number;
  /** Which events of its list it takes: a condition over the default envelope; null or absent = all. */
  filter?: ConditionDocument | null;
  /** `pull`: nothing is sent, the receiver fetches from the feed; absent = `push`. */
  delivery?: DeliveryMode;
  /** `none`: deliveries of one incident do not wait for each other; absent = `incident`. */
  ordering?: DeliveryOrdering;
  /** Whether events are kept while it is paused or disabled, and sent afterwards; absent = they are only logged. */
  retainWhilePaused?: boolean;
  /** Requests in flight at most, per process; null or absent = the process's own bound. */
  maxInFlight?: number | null;
  /** Requests a second at most, over all processes; null or absent = no bound. */
  maxPerSecond?: number | null;
  /** Days of failures after which it is disabled, 0 = never; null or absent = the installation's. */
  disableAfterDays?: number | null;
  /** Counted repeats of an alert are told, too; absent = they are not. */
  occurrences?: boolean;
  /** `incident.updated` beside acknowledged, snoozed, suppressed and reopened; absent = not. */
  legacyUpdates?: boolean;
  /** A vendor's request instead of the envelope: where it goes and what it holds (product P12). Null or absent = none. */
  template?: FilledTemplate | null;
}
export type SubscriptionDocument = FeedDocument<'subscription', SubscriptionBody>;

export const scopes = ['ingest', 'read', 'respond', 'admin'] as const;
export type Scope = (typeof scopes)[number];

export interface ApiKeyBody {
  name: string;
  scopes: Scope[];
  /** HMAC-SHA-256 (hex) of the secret part under the pepper. */
  secretHmac: string;
  expiresAt: string | null;
}
export type ApiKeyDocument = FeedDocument<'api-key', ApiKeyBody>;

export interface WorkspaceBody {
  name: string;
  slug: string;
  /** The workspace's data key, wrapped by the key ring: `v1.<key id>.<iv>.<ciphertext+tag>`. */
  wrappedDataKey: string;
  /** Correlation rules for all webhooks of the workspace; those of a webhook go first. */
  correlationRules?: CorrelationRules | null;
  /** When a key flaps, and for how long its notifications are held; absent = 4 changes in 10 minutes, 5 minutes. `holdMinutes` 0 = never. */
  flapping?: { toggles: number; windowMinutes: number; holdMinutes: number };
  /** Above this many new incidents a minute in one scope, further new keys roll up into one; absent or 0 = they never do. */
  storm?: { newIncidentsPerMinute: number };
  /** The workspace's own investigator over HTTP; absent or null = Tocsin's. */
  investigator?: InvestigatorSettings | null;
}
/** Who looks for the root cause of incidents instead of Tocsin: a signed request, answered with the result, or later by call. */
export interface InvestigatorSettings {
  url: string;
  /** Of the signature, the current one first. */
  secrets: SealedSecret[];
  /** From connecting to the response headers. */
  timeoutSeconds: number;
  /** Without a word for so long it has failed. */
  resultMinutes: number;
}
export type WorkspaceDocument = FeedDocument<'workspace', WorkspaceBody>;

export type ConfigurationDocument =
  | WebhookDocument
  | SubscriptionDocument
  | ApiKeyDocument
  | WorkspaceDocument
  | MuteDocument
  | TopologyDocument
  | SyncLinkDocument;
export type { SubscriptionId, WebhookId, WorkspaceId };
