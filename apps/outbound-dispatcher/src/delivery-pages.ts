import { Transform } from 'class-transformer';
import { IsIn, IsInt, IsOptional, IsString, Matches, Max, MaxLength, Min } from 'class-validator';
import { Problem } from '@tocsin/nest-shell';
import { deliveryStatuses, type DeliveryStatus } from './delivery-log.ts';

/** Query of `GET subscriptions/{id}/deliveries`. */
export class DeliveriesQuery {
  @Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value,
  )
  @IsInt()
  @Min(1)
  @Max(200)
  limit = 50;
  @IsOptional() @IsString() @MaxLength(200) cursor?: string;
  @IsOptional() @IsIn(deliveryStatuses) status?: DeliveryStatus;
  @IsOptional()
  @IsString()
  @Matches(/^[a-z_]+(\.[a-z_]+)+$/, { message: 'event_type must be an event name like incident.created' })
  event_type?: string;
  @IsOptional()
  @IsString()
  @Matches(/^inc_[a-z2-7]{26}$/, { message: 'incident_id must be an incident id' })
  incident_id?: string;
}

export class SubscriptionPath {
  @Matches(/^sub_[a-z2-7]{26}$/, { message: 'id must be a subscription id' }) id!: string;
}

export const cursorOf = (position: bigint): string => Buffer.from(`d${position}`, 'utf8').toString('base64url');

/** @throws Problem validation-failed for a cursor that no answer of ours has given. */
export function readCursor(cursor: string | undefined): bigint | undefined {
  if (cursor === undefined) return undefined;
  const [, position] = /^d(\d{1,18})$/.exec(Buffer.from(cursor, 'base64url').toString('utf8')) ?? [];
  if (position) return BigInt(position);
  throw new Problem('validation-failed', 'The cursor is not one that a list has answered with.', {
    errors: [{ path: 'cursor', code: 'unknown-cursor', message: 'use next_cursor of the previous page' }],
  });
}
