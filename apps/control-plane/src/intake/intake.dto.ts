import { IsBoolean, IsIn, IsInt, Max, Min } from 'class-validator';
import { Optional, OptionalOrNull } from '../fields.ts';

export const overLimits = ['reject', 'rollup'] as const;
const workspaceProfiles = ['standard', 'high-volume'] as const;

/** What a workspace gives its new webhooks; those that exist keep theirs. */
export interface WorkspaceSettings {
  profile: (typeof workspaceProfiles)[number];
  /** Null = the profile's. */
  defaultRateLimitPerHour: number | null;
}

export class WorkspaceSettingsInput {
  /** `high-volume`: new webhooks have no hourly limit, and roll up what is above a limit that they are given. */
  @Optional() @IsIn(workspaceProfiles) profile?: WorkspaceSettings['profile'];
  /** `rate_limit_per_hour` of new webhooks that name none; 0 = unlimited, null = the profile's. */
  @OptionalOrNull() @IsInt() @Min(0) @Max(10_000_000) default_rate_limit_per_hour?: number | null;
}

export class LimitsInput {
  /** 413 above 100 KB. */
  @Optional() @IsBoolean() strict?: boolean;
}
