import { AsGiven } from '@tocsin/nest-shell';
import {
  Allow,
  ArrayMaxSize,
  ArrayMinSize,
  ArrayUnique,
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
  ValidateIf,
} from 'class-validator';
import { envelopeNames, signatureSchemes, type EnvelopeName, type SignatureScheme } from '@tocsin/contracts';
import { CLEAN_TEXT, Optional, OptionalOrNull } from './fields.ts';
import { SubscriptionFlow } from './subscription-flow.dto.ts';

const clean = { message: '$property must not contain control characters such as line breaks' };
const DAY_SECONDS = 86_400;
/** May be left out where a template is given. */
const NeededWithoutTemplate = (): PropertyDecorator =>
  ValidateIf(
    (given: { template?: unknown }, value) =>
      value !== undefined || given.template === undefined || given.template === null,
  );

/** What can be said of a subscription when it is made and later (product P12). */
export class SubscriptionSettings extends SubscriptionFlow {
  @Optional() @IsString() @Length(1, 200) @Matches(CLEAN_TEXT, clean) name?: string;
  @Optional() @IsBoolean() active?: boolean;
  /** Accepted for `active`. */
  @Optional() @IsBoolean() enabled?: boolean;
  /** Name → value. A value that reads as the mask leaves the stored one alone. */
  @Optional() @IsObject() headers?: Record<string, unknown>;
  @Optional() @IsIn(envelopeNames) envelope?: EnvelopeName;
  /** A JSON template instead of the envelope; null = none. */
  @OptionalOrNull() @AsGiven() @Allow() transform?: unknown;
  /** A vendor's request instead of the envelope: the name of a template, or `{name, parameters}`; null = none. */
  @OptionalOrNull() @AsGiven() @Allow() template?: unknown;
  /** Whether a template also gets incidents that its own platform opened. */
  @Optional() @IsBoolean() allow_own_origin?: boolean;
  /** Whether `incident.updated` is also sent for acknowledged, snoozed, suppressed and reopened. */
  @Optional() @IsBoolean() legacy_updates?: boolean;
  /** Whether counted repeats of an alert are told as updates. */
  @Optional() @IsBoolean() occurrences?: boolean;
  /** Schemes in which deliveries are signed. */
  @Optional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayUnique()
  @IsIn(signatureSchemes, { each: true })
  signatures?: SignatureScheme[];
  /** Seconds before each attempt, counted from the previous one. */
  @Optional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(20)
  @IsInt({ each: true })
  @Min(0, { each: true })
  @Max(DAY_SECONDS, { each: true })
  retry_schedule?: number[];
  /** From connect to response headers. */
  @Optional() @IsInt() @Min(1) @Max(60) timeout_seconds?: number;
  @OptionalOrNull()
  @IsString()
  @Length(1, 200)
  @Matches(/^[\x20-\x7e]+$/, { message: 'user_agent must be printable ASCII' })
  user_agent?: string | null;
  @Optional() @IsInt() @Min(0) @Max(DAY_SECONDS) update_interval_seconds?: number;
}

export class CreateSubscription extends SubscriptionSettings {
  /** Needed unless a template knows it, or nothing is sent. */
  @Optional() @IsString() @Length(1, 2_000) url?: string;
  /** Default: those of the template; without one they are needed. */
  @NeededWithoutTemplate()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(50)
  @IsString({ each: true })
  events?: string[];
  /** A secret of the receiver's, or `generate`; without one the deliveries are not signed. */
  @Optional() @IsString() @MaxLength(256) secret?: string;
}

export class UpdateSubscription extends SubscriptionSettings {
  @Optional() @IsString() @Length(1, 2_000) url?: string;
  @Optional() @IsArray() @ArrayMinSize(1) @ArrayMaxSize(50) @IsString({ each: true }) events?: string[];
}

export class RotateSubscriptionSecret {
  @Optional() @IsIn(['secret']) what?: 'secret';
  @IsInt() @Min(0) @Max(168) overlap_hours = 24;
  @Optional() @IsString() @MaxLength(256) secret?: string;
}
