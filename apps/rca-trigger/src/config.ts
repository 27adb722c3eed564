import { EgressEnvironment } from '@tocsin/egress/config';
import type { RcaCaps } from '@tocsin/domain/rca';
import { Type } from 'class-transformer';
import { IsInt, Max, Min } from 'class-validator';

/** What the rca-trigger reads beside what every process reads. Property names are the variables. */
export class RcaEnvironment extends EgressEnvironment {
  /** Milliseconds between the request and the investigation, so that related alerts of the same moment are there. */
  @Type(() => Number) @IsInt() @Min(0) @Max(600_000) RCA_SETTLE_MS = 1_000;
  /** Investigations of one incident, over all its reopenings. */
  @Type(() => Number) @IsInt() @Min(1) @Max(100) RCA_MAX_PER_INCIDENT = 3;
  /** Investigations of one workspace within an hour; 0 = no limit. A storm of incidents is not a storm of investigations. */
  @Type(() => Number) @IsInt() @Min(0) @Max(1_000_000) RCA_MAX_PER_HOUR = 200;
}

export const capsOf = (config: RcaEnvironment): RcaCaps => ({
  perIncident: config.RCA_MAX_PER_INCIDENT,
  perWorkspaceHour: config.RCA_MAX_PER_HOUR,
});
