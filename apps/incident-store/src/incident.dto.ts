import { incidentStatuses, severities } from '@tocsin/contracts';
import { Transform, Type } from 'class-transformer';
import { IsIn, IsInt, IsISO8601, IsOptional, IsString, Max, MaxLength, Min, MinLength } from 'class-validator';

/** PostgreSQL cannot hold U+0000, and lone surrogates are no text: both become U+FFFD (settled, Text). */
const Clean = () =>
  Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' ? value.toWellFormed().replaceAll('\u0000', '\ufffd') : value,
  );
/** `?status=open,acknowledged` or repeated parameters. */
const List = () =>
  Transform(({ value }: { value: unknown }) =>
    value === undefined
      ? undefined
      : (Array.isArray(value) ? value : [value])
          .flatMap((item) => String(item).split(','))
          .filter((item) => item !== ''),
  );

export class IncidentNote {
  @IsOptional() @IsString() @MaxLength(10_000) @Clean() note?: string;
}

export class IncidentComment {
  @IsString() @MinLength(1) @MaxLength(10_000) @Clean() text!: string;
}

export class PageQuery {
  @IsOptional() @Type(() => Number) @IsInt() @Min(1) @Max(200) limit = 50;
  @IsOptional() @IsString() @MaxLength(400) cursor?: string;
}

export class ListIncidents extends PageQuery {
  @IsOptional() @List() @IsIn([...incidentStatuses], { each: true }) status?: string[];
  @IsOptional() @List() @IsIn([...severities], { each: true }) severity?: string[];
  @IsOptional() @IsString() @MaxLength(500) @Clean() service?: string;
  @IsOptional() @IsString() @MaxLength(500) @Clean() tag?: string;
  @IsOptional() @IsString() @MaxLength(500) @Clean() source?: string;
  @IsOptional() @IsString() @MaxLength(100) @Clean() webhook?: string;
  @IsOptional() @IsString() @MaxLength(200) @Clean() text?: string;
  @IsOptional() @IsISO8601({ strict: true }) from?: string;
  @IsOptional() @IsISO8601({ strict: true }) to?: string;
  @IsOptional() @IsIn(['-created_at', 'created_at', '-updated_at', 'updated_at']) sort:
    '-created_at' | 'created_at' | '-updated_at' | 'updated_at' = '-created_at';
}
