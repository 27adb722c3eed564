type Value = string | number | boolean | null;

/** One parameter of a statement that takes rows: as the server takes it in without parsing a text. */
export interface Column<Row> {
  kind: 'text' | 'bigint' | 'boolean';
  of: (row: Row) => Value;
  /** What is the same for all rows goes once: the statement takes the first for those that have none. */
  once?: boolean;
}

export const text = <Row>(of: (row: Row) => string | null): Column<Row> => ({ kind: 'text', of });
/** Of what is mostly the same for all rows of a batch, and never null. */
export const shared = <Row>(of: (row: Row) => string): Column<Row> => ({ kind: 'text', of, once: true });
export const whole = <Row>(of: (row: Row) => number | null): Column<Row> => ({ kind: 'bigint', of });
export const flag = <Row>(of: (row: Row) => boolean): Column<Row> => ({ kind: 'boolean', of });

/** One parameter per column, as a statement takes it apart again with `unnest`; none where there are no rows. */
export function columnsOf<Row>(rows: readonly Row[], ...columns: Column<Row>[]): Buffer[] {
  const writer = new ArrayWriter(rows.length * columns.length * VALUE_BYTES);
  return rows.length === 0 ? [] : columns.map((column) => writer.array(rows, column));
}

/** Of a value, more or less. */
const VALUE_BYTES = 32;
/** Of a character of UTF-16. */
const UTF8_BYTES_MAX = 3;
const HEAD_BYTES = 20;
const TYPES: Record<Column<never>['kind'], number> = { text: 25, bigint: 20, boolean: 16 };
const HIGH = 2 ** 32;

/** Arrays in PostgreSQL's binary form: dimensions, whether there are nulls, type, length, lower bound; then each value behind its length. */
class ArrayWriter {
  private bytes: Buffer;
  private at = 0;

  constructor(size: number) {
    this.bytes = Buffer.allocUnsafe(size);
  }

  array<Row>(rows: readonly Row[], { kind, of, once }: Column<Row>): Buffer {
    const written = once && isSame(rows, of) ? rows.slice(0, 1) : rows;
    this.reserve(HEAD_BYTES);
    const start = this.at;
    this.at += HEAD_BYTES;
    let nulls = 0;
    for (const row of written) {
      const value = of(row);
      if (value === null) nulls = this.nothing();
      else if (typeof value === 'string') this.text(value);
      else if (typeof value === 'number') this.whole(value);
      else this.flag(value);
    }
    for (const [index, part] of [1, nulls, TYPES[kind], written.length, 1].entries())
      this.bytes.writeInt32BE(part, start + 4 * index);
    return this.bytes.subarray(start, this.at);
  }

  private nothing(): 1 {
    this.length(-1, 0);
    return 1;
  }

  private text(value: string): void {
    this.reserve(4 + value.length * UTF8_BYTES_MAX);
    const length = this.bytes.write(value, this.at + 4);
    this.length(length, length);
    this.at += length;
  }

  private whole(value: number): void {
    if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is not a whole number`);
    this.length(8, 8);
    const high = Math.floor(value / HIGH);
    this.bytes.writeInt32BE(high, this.at);
    this.bytes.writeUInt32BE(value - high * HIGH, this.at + 4);
    this.at += 8;
  }

  private flag(value: boolean): void {
    this.length(1, 1);
    this.bytes[this.at++] = value ? 1 : 0;
  }

  private length(length: number, following: number): void {
    this.reserve(4 + following);
    this.bytes.writeInt32BE(length, this.at);
    this.at += 4;
  }

  private reserve(more: number): void {
    if (this.at + more <= this.bytes.byteLength) return;
    const larger = Buffer.allocUnsafe(2 * this.bytes.byteLength + more);
    this.bytes.copy(larger, 0, 0, this.at); // what was given out stays as it is
    this.bytes = larger;
  }
}

function isSame<Row>(rows: readonly Row[], of: Column<Row>['of']): boolean {
  const first = of(rows[0] as Row);
  return rows.every((row) => of(row) === first);
}

const SPECIAL = /["\\]/;
const quoted = (value: string): string =>
  SPECIAL.test(value) ? `"${value.replaceAll(/["\\]/g, '\\$&')}"` : `"${value}"`;

/** A list as a value of a column of texts, since arrays of arrays are no columns. */
export const listText = (list: readonly (string | number)[]): string =>
  list.length === 0 ? '{}' : `{${list.map((one) => quoted(String(one))).join(',')}}`;
