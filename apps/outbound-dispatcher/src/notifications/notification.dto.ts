import { Problem } from '@tocsin/nest-shell';
import { Transform } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsBoolean,
  IsInt,
  IsISO8601,
  IsString,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateIf,
} from 'class-validator';

const Optional = (): PropertyDecorator => ValidateIf((_body, value) => value !== undefined);

export class ListNotifications {
  /** Only those that nobody has read. */
  @Transform(({ value }: { value: unknown }) => (value === 'true' ? true : value === 'false' ? false : value))
  @IsBoolean()
  unread = false;
  @Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value,
  )
  @IsInt()
  @Min(1)
  @Max(200)
  limit = 50;
  @Optional() @IsString() @MaxLength(200) cursor?: string;
}

export class ReadNotifications {
  /** Which; without them all up to `up_to`. */
  @Optional() @IsArray() @ArrayMinSize(1) @ArrayMaxSize(500) @IsString({ each: true }) ids?: string[];
  /** Default: now. */
  @Optional()
  @IsISO8601({ strict: true })
  @Matches(/T.*(Z|[+-]\d\d:\d\d)$/, { message: 'up_to must have a time and an offset' })
  up_to?: string;
}

export class NotificationPath {
  @Matches(/^[a-z0-9_]{1,100}$/, { message: 'id must be an id, e.g. ntf_…' }) id!: string;
}

export const notificationCursor = ({ at, id }: { at: string; id: string }): string =>
  Buffer.from(`${at} ${id}`, 'utf8').toString('base64url');

/** @throws Problem for a cursor that no answer of ours has given */
export function readNotificationCursor(cursor: string | undefined): { at: string; id: string } | undefined {
  if (cursor === undefined) return undefined;
  const text = Buffer.from(cursor, 'base64url').toString('utf8');
  const [, at, id] = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) ([a-z0-9_]+)$/.exec(text) ?? [];
  if (at && id && !Number.isNaN(Date.parse(at))) return { at, id };
  throw new Problem('validation-failed', 'The cursor is not one that a list has answered with.', {
    errors: [{ path: 'cursor', code: 'unknown-cursor', message: 'use next_cursor of the previous page' }],
  });
}
