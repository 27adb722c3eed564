import { Problem } from '@tocsin/nest-shell';

/** Opaque to callers; bound to the order it was made for. */
export const encodeCursor = (parts: readonly string[]): string =>
  Buffer.from(JSON.stringify(parts), 'utf8').toString('base64url');

const bad = () =>
  new Problem('validation-failed', 'cursor: is not one of ours', {
    errors: [{ path: 'cursor', code: 'bad-cursor', message: 'is not one of ours' }],
  });

/** @throws Problem validation-failed where it is not one of ours */
export function decodeCursor(cursor: string, shape: readonly RegExp[]): string[] {
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    throw bad();
  }
  if (!Array.isArray(parts) || parts.length !== shape.length) throw bad();
  if (!parts.every((part, index) => typeof part === 'string' && shape[index]?.test(part))) throw bad();
  return parts as string[];
}

export interface Page<Item> {
  items: Item[];
  next_cursor: string | null;
}

/** A page out of one row more than was asked for. */
export function pageOf<Row, Item>(
  rows: readonly Row[],
  limit: number,
  item: (row: Row) => Item,
  cursor: (row: Row) => readonly string[],
): Page<Item> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return { items: shown.map(item), next_cursor: rows.length > limit && last ? encodeCursor(cursor(last)) : null };
}
