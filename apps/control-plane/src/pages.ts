import { Problem } from '@tocsin/nest-shell';
import { Transform } from 'class-transformer';
import { IsInt, IsString, Max, MaxLength, Min } from 'class-validator';
import { Optional } from './fields.ts';

export interface Page<Item> {
  items: Item[];
  next_cursor: string | null;
}

/** `?limit=&cursor=` of every list. */
export class PageQuery {
  @Transform(({ value }: { value: unknown }) =>
    typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value,
  )
  @IsInt()
  @Min(1)
  @Max(200)
  limit = 50;

  @Optional()
  @IsString()
  @MaxLength(200)
  cursor?: string;
}

/** Rows are listed by creation time, then id; the cursor names the last one given. */
export const cursorOf = (row: { createdAt: Date; id: string }): string =>
  Buffer.from(`${row.createdAt.toISOString()} ${row.id}`, 'utf8').toString('base64url');

/** @throws Problem validation-failed for a cursor that no answer of ours has given. */
export function readCursor(cursor: string | undefined): { at: string; id: string } | undefined {
  if (cursor === undefined) return undefined;
  const [, at, id] =
    /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) ([a-z0-9_]+)$/.exec(Buffer.from(cursor, 'base64url').toString('utf8')) ??
    [];
  if (!at || !id || Number.isNaN(Date.parse(at)))
    throw new Problem('validation-failed', 'The cursor is not one that a list has answered with.', {
      errors: [{ path: 'cursor', code: 'unknown-cursor', message: 'use next_cursor of the previous page' }],
    });
  return { at, id };
}

export const pageOf = <Row, View>(page: Page<Row>, view: (row: Row) => View): Page<View> => ({
  items: page.items.map(view),
  next_cursor: page.next_cursor,
});
