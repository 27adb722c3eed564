import type { ChangeEvent, Hypothesis, Severity } from '@tocsin/contracts';

/** Milliseconds since the epoch, as all times in here. */
export type Millis = number;

export interface InvestigatedIncident {
  id: string;
  title: string;
  severity: Severity;
  services: readonly string[];
  openedAt: Millis;
}

/** A change that had begun before the incident opened. */
export interface RecentChange {
  id: string;
  kind: ChangeEvent['kind'];
  service: string;
  version: string | null;
  environment: string | null;
  status: string | null;
  title: string | null;
  actor: string | null;
  /** When it took effect: finished, else started, else recorded. */
  at: Millis;
}

/** Another incident of the workspace. */
export interface OtherIncident {
  id: string;
  number: number;
  title: string;
  severity: Severity;
  services: readonly string[];
  openedAt: Millis;
  resolvedAt: Millis | null;
}

/** Everything the built-in investigator looks at. The shell loads it within `searchWindows`. */
export interface Evidence {
  incident: InvestigatedIncident;
  changes: readonly RecentChange[];
  /** Opened close in time. */
  around: readonly OtherIncident[];
  /** Opened earlier, with the same title or a common service. */
  past: readonly OtherIncident[];
  /** Services that had an incident together with one of ours. */
  neighbours: readonly string[];
}

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** How far the search goes. */
export const searchWindows = {
  changesBefore: DAY,
  aroundBefore: 30 * MINUTE,
  aroundAfter: 10 * MINUTE,
  past: 90 * DAY,
  neighbours: 30 * DAY,
} as const;

/** A hypothesis that has not got its rank yet. */
export type Candidate = Omit<Hypothesis, 'rank'>;

/** How services are compared. */
export const serviceKey = (service: string): string => service.trim().toLowerCase();
export const serviceKeys = (services: readonly string[]): string[] =>
  [...new Set(services.map(serviceKey))].filter((key) => key !== '');

export const round = (score: number): number => Math.round(Math.min(1, Math.max(0, score)) * 1000) / 1000;
export const instant = (at: Millis): string => new Date(at).toISOString();

/** `12 min`, `3 h`, `2 days`: how long before or after. */
export function span(millis: number): string {
  const minutes = Math.round(Math.abs(millis) / MINUTE);
  if (minutes < 1) return 'under a minute';
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} days`;
}
