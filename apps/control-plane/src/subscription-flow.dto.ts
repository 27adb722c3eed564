import { deliveryModes, deliveryOrderings, type DeliveryMode, type DeliveryOrdering } from '@tocsin/contracts';
import { AsGiven } from '@tocsin/nest-shell';
import { IsBoolean, IsIn, IsInt, IsObject, Max, Min } from 'class-validator';
import { Optional, OptionalOrNull } from './fields.ts';

/** Which events a subscription takes, how fast, and what happens while nothing is sent. */
export class SubscriptionFlow {
  /** Condition over the default envelope, e.g. `{"field": "data.severity", "operator": "equals", "value": "critical"}`; null = every event of its list. */
  @OptionalOrNull() @AsGiven() @IsObject() filter?: Record<string, unknown> | null;
  /** `pull`: nothing is sent; the receiver fetches from the feed. */
  @Optional() @IsIn(deliveryModes) delivery?: DeliveryMode;
  /** `none`: deliveries of one incident do not wait for each other. */
  @Optional() @IsIn(deliveryOrderings) ordering?: DeliveryOrdering;
  /** Whether events are kept while it is paused or disabled, and sent afterwards; otherwise they are only logged. */
  @Optional() @IsBoolean() retain_while_paused?: boolean;
  /** Requests in flight at most, per process; null = the installation's bound. */
  @OptionalOrNull() @IsInt() @Min(1) @Max(1_000) max_in_flight?: number | null;
  /** Requests a second at most, over all processes; null = no bound. */
  @OptionalOrNull() @IsInt() @Min(1) @Max(10_000) max_per_second?: number | null;
  /** Days of nothing but failures after which it is disabled, 0 = never; null = the installation's. */
  @OptionalOrNull() @IsInt() @Min(0) @Max(365) disable_after_days?: number | null;
}
