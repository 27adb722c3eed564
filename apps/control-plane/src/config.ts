import { parseAllowList } from '@tocsin/domain/delivery';
import { Type } from 'class-transformer';
import {
  IsInt,
  IsString,
  Matches,
  Max,
  Min,
  Validate,
  type ValidationArguments,
  ValidatorConstraint,
  type ValidatorConstraintInterface,
} from 'class-validator';
import { readApiKey } from './credentials.ts';

@ValidatorConstraint({ name: 'outboundAllow' })
class IsAllowList implements ValidatorConstraintInterface {
  validate = (text: unknown): boolean => typeof text === 'string' && this.refusal(text) === undefined;
  defaultMessage = (given?: ValidationArguments): string => this.refusal(String(given?.value)) ?? 'is not valid';

  private refusal(text: string): string | undefined {
    try {
      parseAllowList(text);
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }
}

@ValidatorConstraint({ name: 'bootstrapKey' })
class IsKeyOrEmpty implements ValidatorConstraintInterface {
  validate = (text: unknown): boolean => text === '' || (typeof text === 'string' && readApiKey(text) !== undefined);
  defaultMessage = (): string =>
    'must look like tsk_<id>_<secret>, both of a-z and 2-7 (id 8 to 64, secret 16 to 128 characters)';
}

const EGRESS_IPS = /^$|^ *[0-9a-f.:]+(\/\d{1,3})? *(, *[0-9a-f.:]+(\/\d{1,3})? *)*$/i;

/** What the control-plane reads beside what every process reads. Property names are the variables. */
export class ControlPlaneEnvironment {
  /** Receivers that are allowed although they are private or use http: `host|cidr[+http],…`. */
  @IsString() @Validate(IsAllowList) OUTBOUND_ALLOW = '';
  /** Addresses that deliveries come from, `address|cidr,…`, as `GET /api/v1/egress` shows them to those who receive. */
  @IsString()
  @Matches(EGRESS_IPS, { message: 'must be addresses or CIDR ranges, separated by commas' })
  OUTBOUND_EGRESS_IPS = '';
  /** First API key of the installation, scope admin; made at boot when it does not exist. */
  @IsString() @Validate(IsKeyOrEmpty) TOCSIN_BOOTSTRAP_API_KEY = '';
  /** Most requests per hour that a webhook's limit may allow; 0 (unlimited) may be chosen all the same. */
  @Type(() => Number) @IsInt() @Min(1) @Max(10_000_000) RATE_LIMIT_MAX_PER_HOUR = 10_000;
  /** Deliveries of one webhook in one minute that each keep their row and payload in the inbound log. */
  @Type(() => Number) @IsInt() @Min(1) @Max(1_000_000) INBOUND_LOG_ROWS_PER_MINUTE = 600;
  /** Above that rate only one of so many keeps them; counts stay exact. */
  @Type(() => Number) @IsInt() @Min(1) @Max(1_000_000) INBOUND_LOG_SAMPLE_EVERY = 100;
  /** Days that rows of the inbound log and minutes of the ledger are kept. */
  @Type(() => Number) @IsInt() @Min(8) @Max(3_650) INBOUND_LOG_RETENTION_DAYS = 30;
  /** Days that stored payloads are kept, at most as long as their rows. */
  @Type(() => Number) @IsInt() @Min(1) @Max(3_650) INBOUND_LOG_PAYLOAD_DAYS = 7;
}
