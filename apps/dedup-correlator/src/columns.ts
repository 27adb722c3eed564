/** One parameter per column: what a statement takes apart again with `unnest`. */
export const columnsOf = <Row>(rows: readonly Row[], ...columns: ((row: Row) => unknown)[]): unknown[][] =>
  columns.map((column) => rows.map(column));

/** A list as a value of such a column, since arrays of arrays are no columns. */
export const listText = (list: readonly (string | number)[]): string =>
  list.length === 0 ? '{}' : `{${list.map((one) => `"${String(one).replaceAll(/["\\]/g, '\\$&')}"`).join(',')}}`;
