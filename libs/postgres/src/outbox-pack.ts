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
  const names = records.map(({ topic, key, headers }) => JSON.stringify([topic, key, headers]));
  let size = 0;
  for (const [index, { value }] of records.entries())
    size += LENGTHS_BYTES + Buffer.byteLength(names[index]!) + value.byteLength;
  const bytes = Buffer.allocUnsafe(size);
  const packs: Pack[] = [];
  let at = 0;
  let open: Pack | undefined;
  for (const [index, record] of records.entries()) {
    const { topic, value } = record;
    const named = bytes.write(names[index]!, at + LENGTHS_BYTES);
    bytes.writeUInt32BE(named, at);
    bytes.writeUInt32BE(value.byteLength, at + 4);
    bytes.set(value, at + LENGTHS_BYTES + named);
    const taken = LENGTHS_BYTES + named + value.byteLength;
    if (!open || open.length + taken > ROW_BYTES)
      packs.push((open = { records: [], topics: topic, start: at, length: 0 }));
    else if (open.records.at(-1)?.topic !== topic && !open.topics.split(' ').includes(topic))
      open.topics += ` ${topic}`;
    open.records.push(record);
    open.length += taken;
    at += taken;
  }
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
