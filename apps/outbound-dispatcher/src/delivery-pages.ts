import { Transform } from 'class-transformer';
import { IsIn, IsInt, IsISO8601, IsOptional, IsString, Matches, Max, MaxLength, Min } from 'class-validator';
import { Problem } from '@tocsin/nest-shell';
import { deliveryStatuses, type DeliveryFilter, type DeliveryStatus, type LogPlace } from './delivery-log.ts';

const Whole = (): PropertyDecorator =>
  Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value,
  );
const List = (): PropertyDecorator =>
  Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.split(',') : value));

/** Which deliveries. Times are ISO 8601; `from` is part of the range, `to` is not. */
export class DeliveriesFilter {
  /** One or several, separated by commas. */
  @IsOptional() @List() @IsIn(deliveryStatuses, { each: true }) status?: DeliveryStatus[];
  @IsOptional()
  @IsString()
  @Matches(/^[a-z_]+(\.[a-z_]+)+$/, { message: 'event_type must be an event name like incident.created' })
  event_type?: string;
  @IsOptional()
  @IsString()
  @Matches(/^inc_[a-z2-7]{26}$/, { message: 'incident_id must be an incident id' })
  incident_id?: string;
  @IsOptional() @IsISO8601({ strict: true }) from?: string;
  @IsOptional() @IsISO8601({ strict: true }) to?: string;
}

/** Query of `GET subscriptions/{id}/deliveries`. */
export class DeliveriesQuery extends DeliveriesFilter {
  @Whole() @IsInt() @Min(1) @Max(200) limit = 50;
  @IsOptional() @IsString() @MaxLength(200) cursor?: string;
}

const SUBSCRIPTION = /^sub_[a-z2-7]{26}$/;

/** Query of `GET deliveries`. */
export class AllDeliveriesQuery extends DeliveriesQuery {
  @IsOptional()
  @Matches(SUBSCRIPTION, { message: 'subscription_id must be a subscription id' })
  subscription_id?: string;
}

/** Query of `GET deliveries/export`. */
export class ExportQuery extends DeliveriesFilter {
  @IsOptional()
  @Matches(SUBSCRIPTION, { message: 'subscription_id must be a subscription id' })
  subscription_id?: string;
  @IsIn(['csv', 'json']) format: 'csv' | 'json' = 'json';
  /** Rows at most, newest first. */
  @Whole() @IsInt() @Min(1) @Max(100_000) limit = 10_000;
}

export class SubscriptionPath {
  @Matches(SUBSCRIPTION, { message: 'id must be a subscription id' }) id!: string;
}
const DELIVERY = /^dlv_[a-z2-7]{26}$/;
export class DeliveryPath {
  @Matches(DELIVERY, { message: 'id must be a delivery id' }) id!: string;
}
export class SubscriptionDeliveryPath extends SubscriptionPath {
  @Matches(DELIVERY, { message: 'delivery must be a delivery id' }) delivery!: string;
}

export const filterOf = (workspaceId: string, query: DeliveriesFilter): Omit<DeliveryFilter, 'limit'> => ({
  workspaceId,
  status: query.status,
  eventType: query.event_type,
  incidentId: query.incident_id,
  from: query.from === undefined ? undefined : new Date(query.from),
  to: query.to === undefined ? undefined : new Date(query.to),
});

export const cursorOf = ({ at, seq }: LogPlace): string => Buffer.from(`${at} ${seq}`, 'utf8').toString('base64url');

/** @throws Problem validation-failed for a cursor that no answer of ours has given. */
export function readCursor(cursor: string | undefined): LogPlace | undefined {
  if (cursor === undefined) return undefined;
  const text = Buffer.from(cursor, 'base64url').toString('utf8');
  const [, at, seq] = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z) (\d{1,18})$/.exec(text) ?? [];
  if (at && seq && !Number.isNaN(Date.parse(at))) return { at, seq: BigInt(seq) };
  throw unknownCursor('cursor', 'use next_cursor of the previous page');
}

export const unknownCursor = (path: string, message: string): Problem =>
  new Problem('validation-failed', `The ${path} is not one that an answer has given.`, {
    errors: [{ path, code: 'unknown-cursor', message }],
  });
