import { EgressEnvironment } from '@tocsin/egress/config';
import { Type } from 'class-transformer';
import { IsInt, Max, Min } from 'class-validator';

/** What the outbound dispatcher reads from its environment. Property names are the variables. */
export class OutboundEnvironment extends EgressEnvironment {
  /** Requests in flight at most, per process. */
  @Type(() => Number) @IsInt() @Min(1) @Max(10_000) OUTBOUND_CONCURRENCY = 1024;
  /** Requests in flight at most for one subscription, per process: a hanging receiver cannot take more. */
  @Type(() => Number) @IsInt() @Min(1) @Max(1000) OUTBOUND_CONCURRENCY_PER_SUBSCRIPTION = 16;
  /** Failed attempts in a row after which a receiver is left alone for a while and then probed. */
  @Type(() => Number) @IsInt() @Min(2) @Max(1000) OUTBOUND_CIRCUIT_FAILURES = 10;
  /** Seconds until the first probe; each further pause is twice as long, up to five minutes. */
  @Type(() => Number) @IsInt() @Min(1) @Max(300) OUTBOUND_CIRCUIT_SECONDS = 5;
  /** Days of nothing but failures after which a receiver is disabled; its owner is warned half-way. 0 = never. */
  @Type(() => Number) @IsInt() @Min(0) @Max(365) OUTBOUND_DISABLE_AFTER_DAYS = 5;
  /** Deliveries a second at which what was kept for a paused receiver, or asked for again, is sent, where it has no rate of its own. */
  @Type(() => Number) @IsInt() @Min(1) @Max(10_000) OUTBOUND_DRAIN_PER_SECOND = 20;
  /** Days that finished deliveries and their attempts stay in the log. */
  @Type(() => Number) @IsInt() @Min(1) @Max(3_650) OUTBOUND_LOG_RETENTION_DAYS = 30;
  /** Seconds that a shutdown waits for attempts in hand before it gives them back. */
  @Type(() => Number) @IsInt() @Min(0) @Max(300) OUTBOUND_SHUTDOWN_SECONDS = 15;
}
