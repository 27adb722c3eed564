import type { OutboxRow } from './outbox.ts';

/** Values kept at most; beyond it rows are read back. */
const BYTES_MAX = 32 * 1024 * 1024;

const bytesOf = ({ records }: OutboxRow): number => records.reduce((sum, { value }) => sum + value.byteLength, 0);

/**
 * Rows that this process has committed and not yet sent. What the outbox holds, and in which order, the database alone says; but the
 * bytes of a row never change, so they need not come back from there.
 */
export class FreshRows {
  private readonly rows = new Map<bigint, OutboxRow>();
  private bytes = 0;

  keep(rows: readonly OutboxRow[]): void {
    // Rows that were sent before they came here would stay: forgetting all costs a reading back, no more.
    if (this.bytes >= BYTES_MAX) this.clear();
    for (const row of rows) {
      if (this.bytes >= BYTES_MAX) return;
      this.rows.set(row.id, row);
      this.bytes += bytesOf(row);
    }
  }

  get(id: bigint): OutboxRow | undefined {
    return this.rows.get(id);
  }

  drop(ids: Iterable<bigint>): void {
    for (const id of ids) {
      const row = this.rows.get(id);
      if (row) this.bytes -= bytesOf(row);
      this.rows.delete(id);
    }
  }

  clear(): void {
    this.rows.clear();
    this.bytes = 0;
  }
}
