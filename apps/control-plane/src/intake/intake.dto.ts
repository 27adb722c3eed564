import type { WorkspaceBody } from '@tocsin/contracts';
import { Type } from 'class-transformer';
import { IsBoolean, IsIn, IsInt, IsObject, Max, Min, ValidateNested } from 'class-validator';
import { Optional, OptionalOrNull } from '../fields.ts';

export const overLimits = ['reject', 'rollup'] as const;
const workspaceProfiles = ['standard', 'high-volume'] as const;

/** What a workspace gives its new webhooks (those that exist keep theirs), and when its alerts flap or storm. */
export interface WorkspaceSettings {
  profile: (typeof workspaceProfiles)[number];
  /** Null = the profile's. */
  defaultRateLimitPerHour: number | null;
  /** Absent = the standard policy. */
  flapping?: NonNullable<WorkspaceBody['flapping']>;
  /** Absent or null = the profile's. */
  stormNewIncidentsPerMinute?: number | null;
}

export class FlappingInput {
  /** So many changes between firing and resolved … */
  @Optional() @IsInt() @Min(2) @Max(50) toggles?: number;
  /** … within so many minutes make a key flap: … */
  @Optional() @IsInt() @Min(1) @Max(1_440) window_minutes?: number;
  /** … its notifications are held this long. 0 = never. */
  @Optional() @IsInt() @Min(0) @Max(1_440) hold_minutes?: number;
}

export class StormInput {
  /** Above this many new incidents a minute new keys roll up into one; 0 = never, null = the profile's. */
  @OptionalOrNull() @IsInt() @Min(0) @Max(1_000_000) new_incidents_per_minute?: number | null;
}

export class WorkspaceSettingsInput {
  /** `high-volume`: new webhooks have no hourly limit, and roll up what is above a limit that they are given. */
  @Optional() @IsIn(workspaceProfiles) profile?: WorkspaceSettings['profile'];
  /** `rate_limit_per_hour` of new webhooks that name none; 0 = unlimited, null = the profile's. */
  @OptionalOrNull() @IsInt() @Min(0) @Max(10_000_000) default_rate_limit_per_hour?: number | null;
  @Optional() @IsObject() @ValidateNested() @Type(() => FlappingInput) flapping?: FlappingInput;
  @Optional() @IsObject() @ValidateNested() @Type(() => StormInput) storm?: StormInput;
}

export class LimitsInput {
  /** 413 above 100 KB. */
  @Optional() @IsBoolean() strict?: boolean;
}
