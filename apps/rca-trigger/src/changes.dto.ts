import { Problem } from '@tocsin/nest-shell';
import { Transform } from 'class-transformer';
import {
  IsIn,
  IsInt,
  IsISO8601,
  IsOptional,
  IsString,
  IsUrl,
  Length,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateIf,
} from 'class-validator';

const kinds = ['deployment', 'build', 'configuration', 'other'] as const;
/** One line; no lone surrogates, which PostgreSQL's jsonb refuses. */
const LINE = /^[^\p{Cc}\p{Cs}]*$/u;
const line = { message: '$property must be one line of text' };
/** With an offset: a change without one would be placed hours away. */
const INSTANT = /T.*(Z|[+-]\d\d:\d\d)$/;
const instant = { message: '$property must have a time and an offset, e.g. 2026-11-21T10:00:00Z' };

export class RecordChange {
  @ValidateIf((_body, value) => value !== undefined) @IsIn(kinds) kind: (typeof kinds)[number] = 'deployment';
  @IsString()
  @Length(1, 200)
  @Matches(LINE, line)
  @Matches(/\S/, { message: 'service must not be blank' })
  service!: string;
  @IsOptional() @IsString() @MaxLength(200) @Matches(LINE, line) version?: string | null;
  @IsOptional() @IsString() @MaxLength(200) @Matches(LINE, line) environment?: string | null;
  @IsOptional() @IsString() @MaxLength(100) @Matches(LINE, line) status?: string | null;
  @IsOptional() @IsString() @MaxLength(500) @Matches(LINE, line) title?: string | null;
  @IsOptional()
  @IsUrl({ protocols: ['http', 'https'], require_protocol: true, require_tld: false })
  @MaxLength(2_000)
  url?: string | null;
  @IsOptional() @IsString() @MaxLength(200) @Matches(LINE, line) actor?: string | null;
  @IsOptional() @IsISO8601({ strict: true }) @Matches(INSTANT, instant) started?: string | null;
  @IsOptional() @IsISO8601({ strict: true }) @Matches(INSTANT, instant) finished?: string | null;
}

export class ListChanges {
  @ValidateIf((_query, value) => value !== undefined) @IsString() @Length(1, 200) service?: string;
  @Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value,
  )
  @IsInt()
  @Min(1)
  @Max(200)
  limit = 50;
  @ValidateIf((_query, value) => value !== undefined) @IsString() @MaxLength(200) cursor?: string;
}

export class IncidentPath {
  @Matches(/^[a-z0-9_]{1,100}$/, { message: 'id must be an id, e.g. inc_…' }) id!: string;
}

export const cursorOf = (change: { recorded_at: string; id: string }): string =>
  Buffer.from(`${change.recorded_at} ${change.id}`, 'utf8').toString('base64url');

/** @throws Problem for a cursor that no answer of ours has given */
export function readCursor(cursor: string | undefined): { at: string; id: string } | undefined {
  if (cursor === undefined) return undefined;
  const [, at, id] =
    /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) ([a-z0-9_]+)$/.exec(Buffer.from(cursor, 'base64url').toString('utf8')) ??
    [];
  if (at && id && !Number.isNaN(Date.parse(at))) return { at, id };
  throw new Problem('validation-failed', 'The cursor is not one that a list has answered with.', {
    errors: [{ path: 'cursor', code: 'unknown-cursor', message: 'use next_cursor of the previous page' }],
  });
}
