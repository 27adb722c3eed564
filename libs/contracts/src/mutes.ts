import type { ConditionDocument, FeedDocument } from './configuration.ts';

/** Days of the week as people type them, Monday first. */
export const weekdays = ['mo', 'tu', 'we', 'th', 'fr', 'sa', 'su'] as const;
export type Weekday = (typeof weekdays)[number];
export const frequencies = ['daily', 'weekly', 'monthly'] as const;
export type Frequency = (typeof frequencies)[number];

/** How a period comes back: the part of RFC 5545 that maintenance needs. */
export interface Recurrence {
  frequency: Frequency;
  /** Every so many days, weeks (they begin on Mondays) or months. */
  interval: number;
  /** Weekly: `mo`…`su`. Monthly: with their place in the month, `2tu`, `-1fr`. Empty = the day of `from`. */
  weekdays: string[];
  /** Monthly: 1…31, or -1 for the last day; a month without such a day is passed over. */
  monthDays: number[];
  /** Nothing lasts beyond this instant; null = it goes on. */
  until: string | null;
}

/** When something holds: from `from` (inclusive) to `to` (exclusive); with a recurrence that is its first period. */
export interface Schedule {
  from: string;
  to: string;
  /** IANA name. Periods begin at the local time of `from` there, on both sides of a clock change. */
  timeZone: string;
  recurrence: Recurrence | null;
}

/** What a silence or a maintenance window says: alerts that match open nothing while it holds. */
export interface MuteBody {
  name: string;
  comment: string;
  /** The API key that made it. */
  createdBy: { id: string; name: string };
  matchers: ConditionDocument;
  schedule: Schedule;
}
export const muteKinds = ['maintenance-window', 'silence'] as const;
export type MuteKind = (typeof muteKinds)[number];
export type SilenceDocument = FeedDocument<'silence', MuteBody>;
export type MaintenanceWindowDocument = FeedDocument<'maintenance-window', MuteBody>;
export type MuteDocument = SilenceDocument | MaintenanceWindowDocument;
