import { Type } from 'class-transformer';
import { IsInt, IsOptional, IsString, Max, Min, ValidateBy } from 'class-validator';
import { parseAllowList } from '@tocsin/domain/delivery';

const allowListError = (value: unknown): string | undefined => {
  try {
    parseAllowList(String(value));
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
};

const IsAllowList = (): PropertyDecorator =>
  ValidateBy({
    name: 'isAllowList',
    validator: {
      validate: (value) => allowListError(value) === undefined,
      defaultMessage: (given) => allowListError(given?.value) ?? 'is not an allow-list',
    },
  });

/** What the outbound dispatcher reads from its environment. Property names are the variables. */
export class OutboundEnvironment {
  /** Receivers outside the public internet that may be reached: `host|cidr[+http],…`; `+http` also allows them without TLS. */
  @IsString() @IsAllowList() OUTBOUND_ALLOW = '';
  /** PEM file with further certificate authorities for receivers. */
  @IsOptional() @IsString() OUTBOUND_CA_FILE: string | undefined = undefined;
  /** Requests in flight at most, per process. */
  @Type(() => Number) @IsInt() @Min(1) @Max(10_000) OUTBOUND_CONCURRENCY = 1024;
  /** Requests in flight at most for one subscription, per process: a hanging receiver cannot take more. */
  @Type(() => Number) @IsInt() @Min(1) @Max(1000) OUTBOUND_CONCURRENCY_PER_SUBSCRIPTION = 16;
  /** Seconds that a shutdown waits for attempts in hand before it gives them back. */
  @Type(() => Number) @IsInt() @Min(0) @Max(300) OUTBOUND_SHUTDOWN_SECONDS = 15;
}
