import type { WorkspaceBody } from '@tocsin/contracts';
import { standardFlapping, type FlappingPolicy } from '@tocsin/domain/correlation';
import type { WebhookRow, WorkspaceRow } from '../entities.ts';
import { invalidField } from '../fields.ts';
import type { WebhookSettings } from '../webhook.dto.ts';
import type { FlappingInput, WorkspaceSettings, WorkspaceSettingsInput } from './intake.dto.ts';

/**
 * What each profile of a workspace gives (product P7, P11). Without hourly limits nothing else would bound a storm, so there it rolls up.
 */
const profiles = {
  standard: { rateLimitPerHour: 100, overLimit: 'reject', stormNewIncidentsPerMinute: 0 },
  'high-volume': { rateLimitPerHour: 0, overLimit: 'rollup', stormNewIncidentsPerMinute: 2_000 },
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
  ...(input.flapping
    ? { flapping: flappingAfter(before, input.flapping) }
    : before.flapping && { flapping: before.flapping }),
  stormNewIncidentsPerMinute:
    input.storm?.new_incidents_per_minute === undefined
      ? (before.stormNewIncidentsPerMinute ?? null)
      : input.storm.new_incidents_per_minute,
});

const flappingAfter = ({ flapping = standardFlapping }: WorkspaceSettings, input: FlappingInput) => ({
  toggles: input.toggles ?? flapping.toggles,
  windowMinutes: input.window_minutes ?? flapping.windowMinutes,
  holdMinutes: input.hold_minutes ?? flapping.holdMinutes,
});

const stormOf = ({ profile, stormNewIncidentsPerMinute: own }: WorkspaceSettings): number =>
  own ?? profiles[profile].stormNewIncidentsPerMinute;

/** What of the settings decides about alerts, as the configuration feed says it. */
export function alertPolicies({ settings }: WorkspaceRow): Pick<WorkspaceBody, 'flapping' | 'storm'> {
  const newIncidentsPerMinute = stormOf(settings);
  return {
    ...(settings.flapping && { flapping: settings.flapping }),
    ...(newIncidentsPerMinute > 0 && { storm: { newIncidentsPerMinute } }),
  };
}

/** The settings as people see them. */
export const settingsView = (row: WorkspaceRow) => ({
  profile: row.settings.profile,
  default_rate_limit_per_hour: row.settings.defaultRateLimitPerHour,
  flapping: flappingView(row.settings.flapping ?? standardFlapping),
  storm: { new_incidents_per_minute: stormOf(row.settings) },
});

const flappingView = ({ toggles, windowMinutes, holdMinutes }: FlappingPolicy) => ({
  ...{ toggles, window_minutes: windowMinutes, hold_minutes: holdMinutes },
});
