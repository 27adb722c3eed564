import type { LogRecord } from '../port.ts';

/** Newest records in memory, oldest out first when they exceed the budget: who keeps up never reads the disk. */
export class Tail {
  private readonly lists = new Map<string, { records: LogRecord[]; from: number }>();
  private readonly order: { key: string; offset: bigint; bytes: number }[] = [];
  private oldest = 0;
  private bytes = 0;

  constructor(private readonly budget: number) {}

  push(key: string, record: LogRecord): void {
    let list = this.lists.get(key);
    if (!list) this.lists.set(key, (list = { records: [], from: 0 }));
    list.records.push(record);
    if (this.budget === Infinity) return;
    const bytes = record.value.length + record.key.length + 200;
    this.order.push({ key, offset: record.offset, bytes });
    this.bytes += bytes;
    while (this.bytes > this.budget) this.dropOldest();
  }

  /** Records from `from` on, or undefined when it is older than what is kept. */
  read(key: string, from: bigint, max: number): LogRecord[] | undefined {
    const list = this.lists.get(key);
    const first = list?.records[list.from];
    if (!list || !first || from < first.offset) return undefined;
    const start = lowerBound(list.records, list.from, from);
    return list.records.slice(start, start + max);
  }

  first(key: string): bigint | undefined {
    const list = this.lists.get(key);
    return list?.records[list.from]?.offset;
  }

  /** Drops the records of a partition that `expired` names, from the oldest on (memory-only journals). */
  trim(key: string, expired: (record: LogRecord) => boolean): void {
    const list = this.lists.get(key);
    if (!list) return;
    let kept = list.from;
    while (kept < list.records.length && expired(list.records[kept]!)) kept++;
    if (kept > list.from) this.lists.set(key, { records: list.records.slice(kept), from: 0 });
  }

  /** Keeps only what `keep` names (compacted topics of memory-only journals). */
  keep(key: string, keep: (record: LogRecord) => boolean): void {
    const list = this.lists.get(key);
    if (list) this.lists.set(key, { records: list.records.slice(list.from).filter(keep), from: 0 });
  }

  all(key: string): LogRecord[] {
    const list = this.lists.get(key);
    return list ? list.records.slice(list.from) : [];
  }

  private dropOldest(): void {
    const { key, offset, bytes } = this.order[this.oldest++]!;
    this.bytes -= bytes;
    const list = this.lists.get(key)!;
    if (list.records[list.from]?.offset === offset) {
      list.from++; // unless it had expired
      compact(list);
    }
    if (this.oldest > 10_000 && this.oldest * 2 > this.order.length) {
      this.order.splice(0, this.oldest);
      this.oldest = 0;
    }
  }
}

function compact(list: { records: LogRecord[]; from: number }): void {
  if (
    list.from > 0 &&
    (list.from === list.records.length || (list.from > 1_000 && list.from * 2 > list.records.length))
  ) {
    list.records.splice(0, list.from);
    list.from = 0;
  } else if (list.from > 0) {
    list.records[list.from - 1] = undefined as never; // let the bytes go at once, the slot later
  }
}

function lowerBound(records: LogRecord[], from: number, offset: bigint): number {
  let low = from;
  let high = records.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (records[middle]!.offset < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}
