import { outcomes } from '@tocsin/contracts';
import { Transform } from 'class-transformer';
import { IsIn, IsISO8601, Matches } from 'class-validator';
import { IdPath, Optional } from '../fields.ts';
import { PageQuery } from '../pages.ts';

/** Beside the outcomes: refused at the door, and accepted without an outcome yet. */
export const deliveryStatuses = [...outcomes, 'rejected', 'in-flight'] as const;

/** `GET webhooks/{id}/deliveries`. Times are ISO 8601; `from` is part of the range, `to` is not. */
export class ListDeliveries extends PageQuery {
  /** One or several, separated by commas. A delivery is listed where any of its alerts has the outcome. */
  @Optional()
  @Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? value.split(',') : value))
  @IsIn([...deliveryStatuses], { each: true })
  status?: string[];

  @Optional() @IsISO8601({ strict: true }) from?: string;
  @Optional() @IsISO8601({ strict: true }) to?: string;
}

export class DeliveryPath extends IdPath {
  @Matches(/^(rcv|rej)_[a-z2-7]{26}$/, { message: 'receipt must be the id of a delivery, e.g. rcv_…' })
  receipt!: string;
}
