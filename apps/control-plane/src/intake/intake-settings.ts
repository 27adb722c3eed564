import type { WebhookRow, WorkspaceRow } from '../entities.ts';
import { invalidField } from '../fields.ts';
import type { WebhookSettings } from '../webhook.dto.ts';
import type { WorkspaceSettings, WorkspaceSettingsInput } from './intake.dto.ts';

/** Limits of a new webhook under each profile of its workspace (product P7, P11). */
const profiles = {
  standard: { rateLimitPerHour: 100, overLimit: 'reject' },
  'high-volume': { rateLimitPerHour: 0, overLimit: 'rollup' },
} as const;

type IntakeColumns = Pick<WebhookRow, 'rateLimitPerHour' | 'overLimit' | 'limits' | 'unlockedAt'>;

export const standardSettings: WorkspaceSettings = { profile: 'standard', defaultRateLimitPerHour: null };

/** Where alerts come fast, the same one at another severity is no new one (product P11): severity is not in the recipe. */
export const dedupDefaults = ({ settings }: WorkspaceRow): Partial<WebhookRow['dedup']> =>
  settings.profile === 'high-volume' ? { recipe: ['title', 'connection_id'] } : {};

/** What a workspace gives a new webhook. A number of its own wins over the profile's. */
export function intakeDefaults({ settings }: WorkspaceRow): IntakeColumns {
  const { rateLimitPerHour, overLimit } = profiles[settings.profile];
  const rate = settings.defaultRateLimitPerHour ?? rateLimitPerHour;
  return { rateLimitPerHour: rate, overLimit, limits: { strict: false }, unlockedAt: null };
}

/** Puts the given limits over those of the row; what is not given stays. */
export function applyIntake(row: WebhookRow, { over_limit, limits }: WebhookSettings): void {
  row.overLimit = over_limit ?? row.overLimit;
  row.limits = { strict: limits?.strict ?? row.limits.strict };
}

export const intakeView = (row: WebhookRow) => ({
  over_limit: row.overLimit,
  limits: { strict: row.limits.strict },
  unlocked_at: row.unlockedAt?.toISOString() ?? null,
});

/** @throws Problem where the default rate is above what this installation allows */
export function checkDefaultRate(input: WorkspaceSettingsInput | undefined, rateLimitMaxPerHour: number): void {
  if ((input?.default_rate_limit_per_hour ?? 0) <= rateLimitMaxPerHour) return;
  const message = `must not be greater than ${rateLimitMaxPerHour}; 0 is unlimited`;
  throw invalidField('settings.default_rate_limit_per_hour', 'max', message);
}

/** Puts the given settings over those before; what is not given stays. */
export const settingsAfter = (before: WorkspaceSettings, input: WorkspaceSettingsInput = {}): WorkspaceSettings => ({
  profile: input.profile ?? before.profile,
  defaultRateLimitPerHour:
    input.default_rate_limit_per_hour === undefined
      ? before.defaultRateLimitPerHour
      : input.default_rate_limit_per_hour,
});

/** The settings as people see them. */
export const settingsView = (row: WorkspaceRow) => ({
  profile: row.settings.profile,
  default_rate_limit_per_hour: row.settings.defaultRateLimitPerHour,
});
