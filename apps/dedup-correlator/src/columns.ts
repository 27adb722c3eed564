type Value = string | number | boolean | null;

/** One parameter per column, as a statement takes it apart again with `unnest`: written out here, since drivers look at each value several times. */
export const columnsOf = <Row>(rows: readonly Row[], ...columns: ((row: Row) => Value)[]): string[] =>
  columns.map((column) => columnText(rows, column));

/** What `columnsOf` makes of no rows. */
export const NO_ROWS = '{}';

const SPECIAL = /["\\]/;

function columnText<Row>(rows: readonly Row[], column: (row: Row) => Value): string {
  let text = '{';
  for (const row of rows) {
    const value = column(row);
    if (text.length > 1) text += ',';
    text += typeof value === 'string' ? quoted(value) : value === null ? 'NULL' : String(value);
  }
  return `${text}}`;
}

const quoted = (value: string): string =>
  SPECIAL.test(value) ? `"${value.replaceAll(/["\\]/g, '\\$&')}"` : `"${value}"`;

/** A list as a value of such a column, since arrays of arrays are no columns. */
export const listText = (list: readonly (string | number)[]): string =>
  list.length === 0 ? '{}' : `{${list.map((one) => quoted(String(one))).join(',')}}`;
