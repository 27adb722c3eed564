import { AsGiven } from '@tocsin/nest-shell';
import { authMethods, severities, type AuthMethod, type CorrelationBasis, type Severity } from '@tocsin/contracts';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsObject,
  IsString,
  Length,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateNested,
} from 'class-validator';
import { CorrelationRulesInput } from './correlation/correlation.dto.ts';
import { CLEAN_TEXT, HEADER_NAME, Optional, OptionalOrNull, STORABLE_TEXT } from './fields.ts';
import { LimitsInput, overLimits } from './intake/intake.dto.ts';

const respondModes = ['wait', 'accept'] as const;
const severityProfiles = ['tocsin', 'opsknight'] as const;
const windowStarts = ['last', 'first'] as const;
const resolvePolicies = ['all', 'any', 'never'] as const;
const severityPolicies = ['highest', 'latest', 'first'] as const;
const keyOrigins = ['auto', 'recipe'] as const;
/** What the time window goes by; `tag:env` = the same value of the tag `env`, `topology` = services two dependencies apart. */
const CORRELATION_BASIS = /^(service|any|group|topology(:1)?|tag:[^\p{Cc}\p{Cs}:]{1,100})$/u;
const webhookModes = ['live', 'capture'] as const;
const rotatable = ['token', 'secret'] as const;

const clean = { message: '$property must not contain control characters such as line breaks' };

export class WebhookAuthInput {
  @Optional() @IsIn(authMethods) method?: AuthMethod;
  @OptionalOrNull() @Matches(HEADER_NAME, { message: 'header must be the name of an HTTP header' }) header?:
    string | null;
  @OptionalOrNull() @IsString() @MaxLength(50) @Matches(CLEAN_TEXT, clean) prefix?: string | null;
  @OptionalOrNull() @IsString() @Length(1, 200) @Matches(CLEAN_TEXT, clean) username?: string | null;
  @OptionalOrNull()
  @Matches(HEADER_NAME, { message: 'timestamp_header must be the name of an HTTP header' })
  timestamp_header?: string | null;
  /** What a vendor's signature must be about; empty = the first one that is verified. */
  @Optional()
  @IsArray()
  @ArrayMaxSize(50)
  @IsString({ each: true })
  @Length(1, 300, { each: true })
  @Matches(CLEAN_TEXT, { ...clean, each: true })
  subjects?: string[];
  @OptionalOrNull() @IsString() @Length(1, 500) @Matches(CLEAN_TEXT, clean) audience?: string | null;
  @OptionalOrNull()
  @Matches(/^[0-9a-fA-F-]{36}$/, { message: 'tenant must be the id of an Entra directory' })
  tenant?: string | null;
}

export class DedupInput {
  @Optional() @IsInt() @Min(1) @Max(168) window_hours?: number;
  @Optional() @IsIn(windowStarts) window_from?: (typeof windowStarts)[number];
  /** A week at most: the correlator keeps closed keys that long. */
  @Optional() @IsInt() @Min(0) @Max(10_080) reopen_minutes?: number;
  @Optional() @IsIn(resolvePolicies) resolve_policy?: (typeof resolvePolicies)[number];
  /** `recipe`: keys are always made by the recipe, whatever keys the mapping and the connector have. */
  @Optional() @IsIn(keyOrigins) key?: (typeof keyOrigins)[number];
  /** Fields whose values make a key where there is no other. */
  @Optional() @IsArray() @IsString({ each: true }) recipe?: string[];
  /** Severity of an incident after a further alert of another one: the worst so far, the latest, or that of the first. */
  @Optional() @IsIn(severityPolicies) severity_policy?: (typeof severityPolicies)[number];
  /** Whether an acknowledge of the source acknowledges the incident. */
  @Optional() @IsBoolean() ack_from_source?: boolean;
}

export class CorrelationInput {
  @Optional() @IsBoolean() enabled?: boolean;
  @Optional() @IsInt() @Min(1) @Max(1_440) window_minutes?: number;
  @Optional()
  @IsString()
  @Matches(CORRELATION_BASIS, { message: 'by must be service, any, group, topology, topology:1 or tag:<key>' })
  by?: CorrelationBasis;
  /** The webhook's own rules; null = none. */
  @OptionalOrNull()
  @IsObject()
  @ValidateNested()
  @Type(() => CorrelationRulesInput)
  rules?: CorrelationRulesInput | null;
}

export class RcaInput {
  @Optional() @IsBoolean() auto_trigger?: boolean;
  @Optional() @IsIn(severities) min_severity?: Severity;
  /** Whether its incidents, and the results of their investigations, are notified. */
  @Optional() @IsBoolean() notify_workspace?: boolean;
}

/** What a source of builds and deployments does beside recording them. */
export class ChangesInput {
  @Optional() @IsBoolean() alert_on_failure?: boolean;
}

/** What can be said of a webhook when it is made and later. Ranges: product P7, P8, P10, P14. */
export class WebhookSettings {
  @Optional()
  @IsString()
  @MaxLength(10_000)
  @Matches(STORABLE_TEXT, { message: 'description must not contain U+0000 or half characters' })
  description?: string;
  @Optional() @IsBoolean() enabled?: boolean;
  @Optional() @IsObject() @ValidateNested() @Type(() => WebhookAuthInput) auth?: WebhookAuthInput;
  @Optional() @IsIn(respondModes) respond?: (typeof respondModes)[number];
  /** 0 = unlimited; the installation's ceiling is checked where it is known (RATE_LIMIT_MAX_PER_HOUR). */
  @Optional() @IsInt() @Min(0) @Max(10_000_000) rate_limit_per_hour?: number;
  /** 0 = unlimited. */
  @Optional() @IsInt() @Min(0) @Max(1_000_000) rate_limit_alerts_per_minute?: number;
  /** Above a rate limit: 429, or accepted and rolled up into one incident. */
  @Optional() @IsIn(overLimits) over_limit?: (typeof overLimits)[number];
  @Optional() @IsObject() @ValidateNested() @Type(() => LimitsInput) limits?: LimitsInput;
  @Optional() @IsIn(severities) default_severity?: Severity;
  @Optional() @IsIn(severityProfiles) severity_profile?: (typeof severityProfiles)[number];
  @Optional() @IsObject() @ValidateNested() @Type(() => DedupInput) dedup?: DedupInput;
  @Optional() @IsObject() @ValidateNested() @Type(() => CorrelationInput) correlation?: CorrelationInput;
  @Optional() @IsObject() @ValidateNested() @Type(() => RcaInput) rca?: RcaInput;
  @Optional() @IsObject() @ValidateNested() @Type(() => ChangesInput) changes?: ChangesInput;
  /** Which triggered alerts open incidents; the others are recorded. Null = all open. */
  @OptionalOrNull() @AsGiven() @IsObject() open_when?: Record<string, unknown> | null;
  /** An alert that was not heard of for so long is over, up to 30 days; null = never. */
  @OptionalOrNull() @IsInt() @Min(1) @Max(43_200) auto_resolve_after_minutes?: number | null;
  /** `capture`: requests are authenticated and kept for a look, and nothing opens. */
  @Optional() @IsIn(webhookModes) mode?: (typeof webhookModes)[number];
  /** `incident_type` of incidents where neither the alert nor the mapping names one; null = none. */
  @OptionalOrNull() @IsString() @Length(1, 200) @Matches(CLEAN_TEXT, clean) incident_type?: string | null;
  /** Fields, tables and defaults before those of the connector (product P6); parts that are not given stay, null = no mapping. */
  @OptionalOrNull() @AsGiven() @IsObject() mapping?: Record<string, unknown> | null;
  /** Another name of `mapping.fields`. */
  @Optional() @AsGiven() @IsObject() field_mapping?: Record<string, unknown>;
}

export class CreateWebhook extends WebhookSettings {
  @IsString() @Length(1, 200) @Matches(CLEAN_TEXT, clean) name!: string;
  @IsString() @Length(1, 100) connector!: string;
  /** For senders that make the secret themselves (PagerDuty shows one); otherwise it is generated. */
  @Optional() @IsString() @Length(16, 256) @Matches(CLEAN_TEXT, clean) secret?: string;
}

export class UpdateWebhook extends WebhookSettings {
  @Optional() @IsString() @Length(1, 200) @Matches(CLEAN_TEXT, clean) name?: string;
  /** Another platform than was first thought; its dead letters can be redriven then. The method of authentication stays. */
  @Optional() @IsString() @Length(1, 100) connector?: string;
  /** How long senders of the old method are still accepted when `auth.method` changes; default 0: cut at once. */
  @Optional() @IsInt() @Min(0) @Max(168) overlap_hours?: number;
}

export class RotateCredential {
  @IsIn(rotatable) what!: (typeof rotatable)[number];
  /** How long the old one stays valid; 0 = it ends at once. */
  @IsInt() @Min(0) @Max(168) overlap_hours = 24;
  @Optional() @IsString() @Length(16, 256) @Matches(CLEAN_TEXT, clean) secret?: string;
}
