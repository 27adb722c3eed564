import type { Topic } from '@tocsin/contracts';
import type { AppendRecord } from '@tocsin/event-log';

/**
 * So much of a row's value fills a page of PostgreSQL together with its other columns. A larger record has a row of its own, out of line.
 */
const ROW_BYTES = 7_900;
const LENGTHS_BYTES = 8;

/** Records that lie in one row, one behind the other, in their order. */
export interface Pack {
  records: AppendRecord[];
  /** Of which topics they are, for whoever looks at the table. */
  topics: string;
  /** Where its bytes are within those of all packs. */
  start: number;
  length: number;
}

type Meta = [topic: Topic, key: string, headers: Record<string, string>];

/** Records as rows, as few as fit, and the bytes of all of them: per record two lengths, its names as JSON, its value. */
export function packed(records: readonly AppendRecord[]): { packs: Pack[]; bytes: Buffer } {
  const metas = records.map(({ topic, key, headers }) => Buffer.from(JSON.stringify([topic, key, headers])));
  const sizes = records.map(({ value }, index) => LENGTHS_BYTES + metas[index]!.byteLength + value.byteLength);
  const bytes = Buffer.allocUnsafe(sizes.reduce((sum, size) => sum + size, 0));
  const packs: Pack[] = [];
  let at = 0;
  let open: Pack | undefined;
  records.forEach((record, index) => {
    const [meta, size] = [metas[index]!, sizes[index]!];
    if (!open || open.length + size > ROW_BYTES) packs.push((open = { records: [], topics: '', start: at, length: 0 }));
    open.records.push(record);
    open.length += size;
    bytes.writeUInt32BE(meta.byteLength, at);
    bytes.writeUInt32BE(record.value.byteLength, at + 4);
    bytes.set(meta, at + LENGTHS_BYTES);
    bytes.set(record.value, at + LENGTHS_BYTES + meta.byteLength);
    at += size;
  });
  for (const pack of packs) pack.topics = [...new Set(pack.records.map(({ topic }) => topic))].join(' ');
  return { packs, bytes };
}

/** The records of a row. */
export function unpacked(bytes: Buffer): AppendRecord[] {
  const records: AppendRecord[] = [];
  for (let at = 0; at < bytes.byteLength;) {
    const valueAt = at + LENGTHS_BYTES + bytes.readUInt32BE(at);
    const end = valueAt + bytes.readUInt32BE(at + 4);
    const [topic, key, headers] = JSON.parse(bytes.toString('utf8', at + LENGTHS_BYTES, valueAt)) as Meta;
    records.push({ topic, key, headers, value: bytes.subarray(valueAt, end) });
    at = end;
  }
  return records;
}
