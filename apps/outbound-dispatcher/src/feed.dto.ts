import { Transform } from 'class-transformer';
import { IsInt, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';

const Whole = (): PropertyDecorator =>
  Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value,
  );

/** Query of `GET subscriptions/{id}/feed`. */
export class FeedQuery {
  /** A cursor of an earlier answer; absent = behind what was acknowledged. */
  @IsOptional() @IsString() @MaxLength(200) after?: string;
  @Whole() @IsInt() @Min(1) @Max(500) limit = 100;
  /** Seconds to wait for an event where there is none. */
  @Whole() @IsInt() @Min(0) @Max(30) wait = 0;
}

/** Body of `POST subscriptions/{id}/feed/ack`. */
export class FeedAck {
  /** Of the last event that was processed: everything up to it is acknowledged. */
  @IsString() @MaxLength(200) cursor!: string;
}
