import { Type } from 'class-transformer';
import { IsInt, Max, Min } from 'class-validator';

export const INGRESS_CONFIG = Symbol('INGRESS_CONFIG');

const MIB = 1024 * 1024;

/** What the ingress-gateway reads from the environment, beside what every process reads. */
export class IngressConfig {
  /** Milliseconds that a waiting sender waits for the outcome where it names no time itself; then 202. */
  @Type(() => Number) @IsInt() @Min(0) @Max(10_000) INGRESS_REPLY_WAIT_MS = 2_000;
  /** Milliseconds until a sender is told 503 because the event log did not confirm. */
  @Type(() => Number) @IsInt() @Min(100) @Max(60_000) INGRESS_APPEND_DEADLINE_MS = 2_000;
  /** Bytes of accepted bodies that may wait for the event log's confirmation; beyond it 503. Bounds memory in an outage. */
  @Type(() => Number) @IsInt() @Min(4 * MIB) @Max(4_096 * MIB) INGRESS_IN_FLIGHT_BYTES = 64 * MIB;
  /** Senders that may wait for their outcome at the same time; further ones get their 202 at once. */
  @Type(() => Number) @IsInt() @Min(0) @Max(1_000_000) INGRESS_WAITING_MAX = 10_000;
}
