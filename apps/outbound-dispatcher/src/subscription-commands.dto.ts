import { AsGiven } from '@tocsin/nest-shell';
import {
  Allow,
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsISO8601,
  IsOptional,
  IsString,
  Matches,
  Max,
  MaxLength,
  Min,
} from 'class-validator';
import { deliveryStatuses, type DeliveryStatus } from './delivery-log.ts';

/** Body of `POST subscriptions/{id}/test`. */
export class TestSubscription {
  /** An event of the catalogue; absent = the first that the subscription takes. */
  @IsOptional() @IsString() @MaxLength(100) event_type?: string;
  /** `data` of the event; absent = the catalogue's example. */
  @IsOptional() @AsGiven() @Allow() data?: unknown;
}

/** Body of `POST subscriptions/{id}/redeliver`: some deliveries by id, or all that the filter finds. */
export class RedeliverDeliveries {
  @IsOptional()
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(500)
  @Matches(/^dlv_[a-z2-7]{26}$/, { each: true, message: 'delivery_ids must be delivery ids' })
  delivery_ids?: string[];
  @IsOptional() @IsISO8601({ strict: true }) from?: string;
  @IsOptional() @IsISO8601({ strict: true }) to?: string;
  @IsOptional() @IsArray() @ArrayMinSize(1) @IsIn(deliveryStatuses, { each: true }) status?: DeliveryStatus[];
  @IsOptional()
  @Matches(/^[a-z_]+(\.[a-z_]+)+$/, { message: 'event_type must be an event name like incident.created' })
  event_type?: string;
  @IsOptional() @Matches(/^inc_[a-z2-7]{26}$/, { message: 'incident_id must be an incident id' }) incident_id?: string;
  /** Only what was never sent: dropped while the subscription was paused or disabled. */
  @IsOptional() @IsBoolean() never_attempted?: boolean;
  /** At most so many; `more` says whether some are left. */
  @IsInt() @Min(1) @Max(10_000) limit = 1_000;
}
