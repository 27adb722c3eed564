import { EgressEnvironment } from '@tocsin/egress';
import { Type } from 'class-transformer';
import { IsInt, Max, Min } from 'class-validator';

/** What the outbound dispatcher reads from its environment. Property names are the variables. */
export class OutboundEnvironment extends EgressEnvironment {
  /** Requests in flight at most, per process. */
  @Type(() => Number) @IsInt() @Min(1) @Max(10_000) OUTBOUND_CONCURRENCY = 1024;
  /** Requests in flight at most for one subscription, per process: a hanging receiver cannot take more. */
  @Type(() => Number) @IsInt() @Min(1) @Max(1000) OUTBOUND_CONCURRENCY_PER_SUBSCRIPTION = 16;
  /** Seconds that a shutdown waits for attempts in hand before it gives them back. */
  @Type(() => Number) @IsInt() @Min(0) @Max(300) OUTBOUND_SHUTDOWN_SECONDS = 15;
}
