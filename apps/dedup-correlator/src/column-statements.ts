import type { Tx } from '@tocsin/postgres';
import type { Row } from './statements.ts';

/** Runs a statement whose parameters are columns, unless there are no rows. */
export async function rowsOf(tx: Tx, statement: string, columns: readonly (string | Buffer)[]): Promise<Row[]> {
  if (columns.length === 0) return [];
  return (await tx.query<Row>(statement, [...columns])).rows;
}

/** The same for one that writes. @returns how many rows it wrote */
export async function write(tx: Tx, statement: string, columns: readonly (string | Buffer)[]): Promise<number> {
  if (columns.length === 0) return 0;
  return (await tx.query(statement, [...columns])).rowCount ?? 0;
}
