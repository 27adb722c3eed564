import { open, readFile } from 'node:fs/promises';
import type { LogRecord } from '../port.ts';
import { decodeFrame, type Frame, scan } from './format.ts';

/** What a segment holds of one partition. */
export interface Range {
  first: bigint;
  last: bigint;
  /** Newest timestamp, ms since the epoch. */
  newest: number;
  bytes: number;
}

/** Where the records of one partition lie in the file; parallel arrays, offsets ascending. */
interface Index {
  offsets: number[];
  positions: number[];
  lengths: number[];
}

/** Upper bound of one read from the disk; a larger record comes alone. */
const READ_BYTES = 4 * 1024 * 1024;

export const keyOf = (topic: string, partition: number): string => `${topic}/${partition}`;

/** One append-only file. Ranges always stay in memory, the index only while it is of use (`forgetIndex`). */
export class Segment {
  size = 0;
  readonly ranges = new Map<string, Range>();
  private index: Map<string, Index> | undefined = new Map();

  constructor(
    readonly id: number,
    readonly path: string,
  ) {}

  /** Takes note of a record that is in the file. */
  note(frame: Frame): void {
    if (frame.kind !== 'record') return;
    const key = keyOf(frame.topic, frame.partition);
    const { offset, timestamp } = frame.record;
    const range = this.ranges.get(key);
    if (!range) this.ranges.set(key, { first: offset, last: offset, newest: timestamp, bytes: frame.length });
    else {
      range.last = offset;
      range.newest = Math.max(range.newest, timestamp);
      range.bytes += frame.length;
    }
    if (this.index) noteIn(this.index, key, frame);
  }

  forgetIndex(): void {
    this.index = undefined;
  }

  /** Reads the whole file. */
  async frames(each: (frame: Frame) => void): Promise<void> {
    scan((await readFile(this.path)).subarray(0, this.size), each);
  }

  /** Records of a partition from `from` on, at most `max` and about 4 MiB; at least one if there is one. */
  async read(key: string, from: bigint, max: number): Promise<LogRecord[]> {
    const index = (await this.loadedIndex()).get(key);
    if (!index) return [];
    const start = lowerBound(index.offsets, Number(from));
    if (start === index.offsets.length) return [];
    const begin = index.positions[start]!;
    let end = begin;
    let next = start;
    while (next < index.offsets.length && next - start < max) {
      const to = index.positions[next]! + index.lengths[next]!;
      if (next > start && to - begin > READ_BYTES) break;
      end = to;
      next++;
    }
    const bytes = await this.bytes(begin, end - begin);
    return index.positions.slice(start, next).map((position) => {
      const frame = decodeFrame(bytes, position - begin);
      if (!frame) throw new Error(`${this.path} is damaged at byte ${position}`);
      return frame.record;
    });
  }

  private async loadedIndex(): Promise<Map<string, Index>> {
    if (this.index) return this.index;
    const index = new Map<string, Index>();
    await this.frames((frame) => {
      if (frame.kind === 'record') noteIn(index, keyOf(frame.topic, frame.partition), frame);
    });
    return (this.index = index);
  }

  private async bytes(position: number, length: number): Promise<Buffer> {
    const file = await open(this.path, 'r');
    try {
      const bytes = Buffer.allocUnsafe(length);
      const { bytesRead } = await file.read(bytes, 0, length, position);
      return bytes.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  }
}

function noteIn(index: Map<string, Index>, key: string, frame: Frame): void {
  let list = index.get(key);
  if (!list) index.set(key, (list = { offsets: [], positions: [], lengths: [] }));
  list.offsets.push(Number(frame.record.offset));
  list.positions.push(frame.position);
  list.lengths.push(frame.length);
}

function lowerBound(offsets: number[], offset: number): number {
  let low = 0;
  let high = offsets.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (offsets[middle]! < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}
