/** The words of the plain model: what an alert, a rule and a decision are where nothing has to be fast. Times are milliseconds. */

export interface Alert {
  id: string;
  webhook: string;
  status: 'triggered' | 'resolved' | 'acknowledged' | 'update';
  key: string;
  resolveKey: string;
  /** The key came from the sender, not from the recipe. */
  hasVendorKey: boolean;
  receivedAt: number;
  /** Event time: the source's own where it says when this change was, never after the receipt. */
  changedAt: number;
  title: string;
  severity: string;
  services: string[];
  tags: string[];
  firing: string | null;
  overLimit: boolean;
}

export interface OwnValues {
  title: string;
  severity: string;
  services: string[];
  tags: string[];
}

/** A webhook's configuration, as a person would say it. */
export interface Rules {
  windowHours: number;
  windowFrom: 'last' | 'first';
  reopenMinutes: number;
  resolvePolicy: 'all' | 'any' | 'never';
  correlate: boolean;
  windowMinutes: number;
  by: 'service' | 'any';
  /** `open_when`. */
  opens(alert: Alert): boolean;
  /** A silence matches. */
  silenced(alert: Alert): boolean;
  /** More new incidents a minute than this are a storm; null = nothing is. */
  stormAbove: number | null;
  /** Which alert joins which incident, the first that fits. */
  rules: ((alert: Alert, incident: OwnValues) => boolean)[];
}

export type PlainDecision =
  | { kind: 'skipped' | 'ignored' }
  | { kind: 'recorded'; effect: 'recorded' | 'repeated' | 'resolved'; alerts: string[] }
  | { kind: 'opened' | 'correlated' | 'rolled-up'; incident: string; alerts: string[]; supersedes: string | null }
  | { kind: 'deduplicated' | 'resolved' | 'acknowledged' | 'update'; incident: string; alerts: string[] };

/** Of an incident that the correlator did not open. */
export type OwnText = Pick<OwnValues, 'title' | 'tags'>;

/** What the incident-store tells the correlator. */
export interface Fact {
  incident: string;
  version: number;
  at: number;
  /** Null where it is closed. */
  open: { severity: string; services: string[]; lastAlertAt: number; own: OwnText | null } | null;
  keys: { webhook: string; key: string; resolveKey: string; alert: string }[];
}
