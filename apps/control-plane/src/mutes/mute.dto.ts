import { frequencies, type Frequency } from '@tocsin/contracts';
import { AsGiven } from '@tocsin/nest-shell';
import { Type } from 'class-transformer';
import {
  Allow,
  ArrayMaxSize,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsISO8601,
  IsObject,
  IsString,
  Length,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateNested,
} from 'class-validator';
import { CLEAN_TEXT, Optional, OptionalOrNull, STORABLE_TEXT } from '../fields.ts';
import { PageQuery } from '../pages.ts';

const clean = { message: '$property must not contain control characters such as line breaks' };
const storable = { message: '$property must not contain U+0000 or half characters' };
const offset = { message: '$property must have a time and an offset' };
const INSTANT = /T.*(Z|[+-]\d\d:\d\d)$/;

export const muteStatuses = ['active', 'scheduled', 'ended'] as const;
export type MuteStatus = (typeof muteStatuses)[number];

/** How the period from `from` to `to` comes back. */
export class RecurrenceInput {
  @IsIn(frequencies) frequency!: Frequency;
  /** Every so many days, weeks (they begin on Mondays) or months. */
  @Optional() @IsInt() @Min(1) @Max(99) interval?: number;
  /** Weekly: `mo` to `su`. Monthly: with their place, `2tu` for the second Tuesday, `-1fr` for the last Friday. */
  @Optional() @IsArray() @ArrayMaxSize(31) @IsString({ each: true }) @MaxLength(4, { each: true }) weekdays?: string[];
  /** Monthly: 1 to 31, or -1 for the last day. */
  @Optional() @IsArray() @ArrayMaxSize(31) @IsInt({ each: true }) month_days?: number[];
  /** Nothing lasts beyond this; null = it goes on. */
  @OptionalOrNull() @IsISO8601({ strict: true }) @Matches(INSTANT, offset) until?: string | null;
}

/** Alerts of which times, and until when. */
class Times {
  /** ISO 8601 with an offset; absent = now. With a recurrence: its first period. */
  @Optional() @IsISO8601({ strict: true }) @Matches(INSTANT, offset) from?: string;
  @Optional() @IsISO8601({ strict: true }) @Matches(INSTANT, offset) to?: string;
  /** Instead of `to`. */
  @Optional() @IsInt() @Min(1) @Max(527_040) duration_minutes?: number;
  /** IANA name: periods begin at the local time of `from` there. */
  @Optional() @IsString() @Length(1, 100) time_zone?: string;
  @OptionalOrNull() @IsObject() @ValidateNested() @Type(() => RecurrenceInput) recurrence?: RecurrenceInput | null;
}

export class CreateSilence extends Times {
  @Optional() @IsString() @Length(1, 200) @Matches(CLEAN_TEXT, clean) name?: string;
  /** Why: whoever misses an alert reads it. */
  @IsString() @Length(1, 2_000) @Matches(STORABLE_TEXT, storable) comment!: string;
  /** A condition, or a list of conditions that must all hold. */
  @AsGiven() @Allow() matchers!: unknown;
  /** Also where it matches a large share of the live alerts. */
  @IsBoolean() force = false;
}

export class CreateMaintenanceWindow extends Times {
  @IsString() @Length(1, 200) @Matches(CLEAN_TEXT, clean) name!: string;
  @Optional() @IsString() @Length(0, 2_000) @Matches(STORABLE_TEXT, storable) comment?: string;
  /** A condition, or a list of conditions that must all hold. */
  @AsGiven() @Allow() matchers!: unknown;
  /** Also where it matches a large share of the live alerts. */
  @IsBoolean() force = false;
}

export class UpdateMute extends Times {
  @Optional() @IsString() @Length(1, 200) @Matches(CLEAN_TEXT, clean) name?: string;
  @Optional() @IsString() @Length(0, 2_000) @Matches(STORABLE_TEXT, storable) comment?: string;
  /** A condition, or a list of conditions that must all hold. */
  @Optional() @AsGiven() @Allow() matchers?: unknown;
  /** Also where it matches a large share of the live alerts. */
  @IsBoolean() force = false;
}

export class PreviewMute {
  /** A condition, or a list of conditions that must all hold. */
  @AsGiven() @Allow() matchers!: unknown;
  /** How far back alerts are looked at. */
  @IsInt() @Min(1) @Max(168) hours = 24;
}

export class ListMutes extends PageQuery {
  @Optional() @IsIn(muteStatuses) status?: MuteStatus;
}
