import { Type } from 'class-transformer';
import {
  IsInt,
  IsString,
  Max,
  Min,
  Validate,
  type ValidationArguments,
  ValidatorConstraint,
  type ValidatorConstraintInterface,
} from 'class-validator';
import { parseNetworks } from './limits/client-network.ts';

export const INGRESS_CONFIG = Symbol('INGRESS_CONFIG');

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;

@ValidatorConstraint({ name: 'trustedProxies' })
class IsNetworkList implements ValidatorConstraintInterface {
  validate = (text: unknown): boolean => typeof text === 'string' && this.refusal(text) === undefined;
  defaultMessage = (given?: ValidationArguments): string => this.refusal(String(given?.value)) ?? 'is not valid';

  private refusal(text: string): string | undefined {
    try {
      parseNetworks(text);
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  }
}

/** What the ingress-gateway reads from the environment, beside what every process reads. */
export class IngressConfig {
  /** Milliseconds that a waiting sender waits for the outcome where it names no time itself; then 202. */
  @Type(() => Number) @IsInt() @Min(0) @Max(10_000) INGRESS_REPLY_WAIT_MS = 2_000;
  /** Milliseconds until a sender is told 503 because the journal did not confirm. On Kafka `INGRESS_SPOOL_AFTER_MS` holds. */
  @Type(() => Number) @IsInt() @Min(100) @Max(60_000) INGRESS_APPEND_DEADLINE_MS = 2_000;
  /** Milliseconds until a receipt that Kafka has not confirmed goes to the spool in the database. */
  @Type(() => Number) @IsInt() @Min(50) @Max(60_000) INGRESS_SPOOL_AFTER_MS = 500;
  /** Bytes that the spool may hold, of all gateways together; beyond it 503 until Kafka is back. */
  @Type(() => Number) @IsInt() @Min(MIB) @Max(1_024 * GIB) INGRESS_SPOOL_MAX_BYTES = 10 * GIB;
  /** Bytes of bodies that may wait for the event log's confirmation, and as many for the spool's; beyond it 503. Bounds memory in an outage. */
  @Type(() => Number) @IsInt() @Min(4 * MIB) @Max(4_096 * MIB) INGRESS_IN_FLIGHT_BYTES = 64 * MIB;
  /** Senders that may wait for their outcome at the same time; further ones get their 202 at once. */
  @Type(() => Number) @IsInt() @Min(0) @Max(1_000_000) INGRESS_WAITING_MAX = 10_000;
  /** Gateways that share a rate limit while the database is away: each lets its part through. */
  @Type(() => Number) @IsInt() @Min(1) @Max(1_000) RATE_LIMIT_REPLICAS = 1;
  /** Proxies whose X-Forwarded-For is believed, for the lock-out: addresses and networks, separated by commas. */
  @IsString() @Validate(IsNetworkList) TRUSTED_PROXIES = '';
}
