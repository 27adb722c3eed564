import type { Topic } from '@tocsin/contracts';
import type { AppendRecord } from '@tocsin/event-log';
import { Pieces } from './bind-message.ts';

/**
 * So much of a row's value fills a page of PostgreSQL together with its other columns. A larger record has a row of its own, out of line.
 */
const ROW_BYTES = 7_900;
const LENGTH_BYTES = 4;
/** Before the length of a row's head: names and lengths of all its records, as JSON, then their values. Rows of an earlier release are without. */
const HEAD_FIRST = 0x8000_0000;
/** Values that lie together in pieces of this size on the average are sent from where they are; smaller ones are put together. */
const PIECE_BYTES = 16 * 1024;

type Named = [topic: Topic, key: string, headers: Record<string, string>, bytes: number];

/** Where a row's part of the bytes of all rows is. */
export interface Place {
  start: number;
  length: number;
}

/** Records that lie in one row, one behind the other, in their order. */
export interface Pack {
  records: AppendRecord[];
  /** Of which topics they are, for whoever looks at the table. */
  topics: string;
  head: Place;
  values: Place;
}

/** A row's value is its part of the heads, and behind it its part of the values. */
export interface Packed {
  packs: Pack[];
  heads: Buffer;
  values: Buffer | Pieces;
}

/** Records as rows, as few as fit. */
export function packed(records: readonly AppendRecord[]): Packed {
  const names = records.map(({ topic, key, headers, value }) =>
    JSON.stringify([topic, key, headers, value.byteLength] satisfies Named),
  );
  const sizes = names.map((text) => Buffer.byteLength(text) + 1); // with the comma or bracket behind it
  const heads = Buffer.allocUnsafe(sizes.reduce((sum, size) => sum + size + LENGTH_BYTES + 1, 0));
  const packs: Pack[] = [];
  let [headEnd, valueEnd] = [0, 0];
  for (const [index, record] of records.entries()) {
    const { byteLength } = record.value;
    let open = packs.at(-1);
    if (open && open.head.length + sizes[index]! + open.values.length + byteLength <= ROW_BYTES)
      heads[headEnd - 1] = COMMA;
    else {
      open = opened(headEnd, valueEnd, record.topic);
      packs.push(open);
      headEnd = heads.writeUInt8(OPENING, headEnd + LENGTH_BYTES);
    }
    headEnd += heads.write(names[index]!, headEnd);
    heads[headEnd++] = CLOSING;
    valueEnd += byteLength;
    add(open, record, sizes[index]!);
    heads.writeUInt32BE(HEAD_FIRST + open.head.length - LENGTH_BYTES, open.head.start);
  }
  return { packs, heads: heads.subarray(0, headEnd), values: together(records, valueEnd) };
}

const [OPENING, COMMA, CLOSING] = [...Buffer.from('[,]')] as [number, number, number];

const opened = (headStart: number, valueStart: number, topics: string): Pack => ({
  ...{ records: [], topics },
  head: { start: headStart, length: LENGTH_BYTES + 1 },
  values: { start: valueStart, length: 0 },
});

function add(pack: Pack, record: AppendRecord, names: number): void {
  const { topic, value } = record;
  if (pack.records.at(-1)?.topic !== topic && !pack.topics.split(' ').includes(topic)) pack.topics += ` ${topic}`;
  pack.records.push(record);
  pack.head.length += names;
  pack.values.length += value.byteLength;
}

/** All values one behind the other: as they lie where that is in large pieces already. */
function together(records: readonly AppendRecord[], bytes: number): Buffer | Pieces {
  const pieces = piecesOf(records, Math.ceil(bytes / PIECE_BYTES));
  return pieces
    ? new Pieces(pieces)
    : Buffer.concat(
        records.map(({ value }) => value),
        bytes,
      );
}

/** Values that follow each other in memory as one; undefined where there are more than so many. */
function piecesOf(records: readonly AppendRecord[], most: number): Buffer[] | undefined {
  const pieces: Buffer[] = [];
  let [memory, start, end]: [ArrayBufferLike | undefined, number, number] = [undefined, 0, 0];
  for (const { value } of records) {
    if (value.byteLength === 0) continue;
    if (value.buffer !== memory || value.byteOffset !== end) {
      if (pieces.length === most) return undefined;
      if (memory) pieces.push(Buffer.from(memory, start, end - start));
      [memory, start] = [value.buffer, value.byteOffset];
    }
    end = value.byteOffset + value.byteLength;
  }
  return memory ? [...pieces, Buffer.from(memory, start, end - start)] : pieces;
}

/** The records of a row. */
export function unpacked(bytes: Buffer): AppendRecord[] {
  if (bytes.byteLength === 0) return [];
  const first = bytes.readUInt32BE(0);
  if (first < HEAD_FIRST) return unpackedSingly(bytes);
  let at = LENGTH_BYTES + first - HEAD_FIRST;
  const named = JSON.parse(bytes.toString('utf8', LENGTH_BYTES, at)) as Named[];
  return named.map(([topic, key, headers, length]) => ({
    topic,
    key,
    headers,
    value: bytes.subarray(at, (at += length)),
  }));
}

/** As an earlier release wrote them: two lengths, names, value, and the next record. */
function unpackedSingly(bytes: Buffer): AppendRecord[] {
  const records: AppendRecord[] = [];
  for (let at = 0; at < bytes.byteLength;) {
    const valueAt = at + 2 * LENGTH_BYTES + bytes.readUInt32BE(at);
    const end = valueAt + bytes.readUInt32BE(at + LENGTH_BYTES);
    const [topic, key, headers] = JSON.parse(bytes.toString('utf8', at + 2 * LENGTH_BYTES, valueAt)) as Named;
    records.push({ topic, key, headers, value: bytes.subarray(valueAt, end) });
    at = end;
  }
  return records;
}
