import type { WebhookBody } from '@tocsin/contracts';
import type { NormalizeContext } from './compile.ts';

/** What of a webhook decides how its payloads are read, beside its mapping, which is compiled once per revision. */
export type ReadingSettings = Pick<WebhookBody, 'defaultSeverity' | 'severityProfile'> &
  Partial<Pick<WebhookBody, 'changes' | 'incidentType' | 'dedup'>>;

/** The part of a context that a webhook's document gives; undefined: the webhook is gone, its defaults hold. */
export function readingOf(
  settings: ReadingSettings | undefined,
): Pick<NormalizeContext, 'defaultSeverity' | 'severityProfile' | 'alertOnFailure' | 'incidentType' | 'dedup'> {
  const { defaultSeverity = 'medium', severityProfile = 'tocsin', changes, incidentType, dedup } = settings ?? {};
  return {
    ...{ defaultSeverity, severityProfile, alertOnFailure: changes?.alertOnFailure ?? true },
    ...(incidentType == null ? {} : { incidentType }),
    ...(dedup?.key === undefined && dedup?.recipe === undefined ? {} : { dedup: { ...pick(dedup) } }),
  };
}

const pick = ({ key, recipe }: NonNullable<ReadingSettings['dedup']>) => ({
  ...(key === undefined ? {} : { key }),
  ...(recipe === undefined ? {} : { recipe }),
});
