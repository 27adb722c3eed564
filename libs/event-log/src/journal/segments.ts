import { type FileHandle, open, readdir, readFile, rename, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { EventLogError } from '../errors.ts';
import type { LogRecord } from '../port.ts';
import { encodeNext, type Frame, scan } from './format.ts';
import { keyOf, Segment } from './segment.ts';

/** Sealed segments whose index stays in memory. */
const INDEXES_KEPT = 4;
const name = (id: number): string => `${String(id).padStart(10, '0')}.segment`;

/** Next offsets by partition, as the files say. */
export type NextOffsets = Map<string, { topic: string; partition: number; next: bigint }>;

/** The journal's files, oldest first; records are appended to the last one. */
export class Segments {
  private readonly segments: Segment[] = [];
  private file: FileHandle | undefined;
  private readonly indexed: Segment[] = [];

  private constructor(
    private readonly directory: string,
    private readonly segmentBytes: number,
    private readonly nextOffsets: NextOffsets,
  ) {}

  /** Opens the files of a directory; a torn tail of the last one is cut. Damage anywhere else is refused. */
  static async open(directory: string, segmentBytes: number, nextOffsets: NextOffsets): Promise<Segments> {
    const opened = new Segments(directory, segmentBytes, nextOffsets);
    const found = await readdir(directory);
    await Promise.all(found.filter((file) => file.endsWith('.tmp')).map((file) => rm(join(directory, file))));
    const ids = found.filter((file) => /^\d{10}\.segment$/.test(file)).map((file) => Number.parseInt(file, 10));
    for (const id of ids.sort((a, b) => a - b)) await opened.load(id, id === Math.max(...ids));
    if (opened.segments.length === 0) await opened.roll();
    else opened.file = await open(opened.active.path, 'r+');
    return opened;
  }

  private async load(id: number, last: boolean): Promise<void> {
    const segment = new Segment(id, join(this.directory, name(id)));
    const bytes = await readFile(segment.path);
    const { intact } = scan(bytes, (frame) => {
      segment.note(frame);
      this.noteNext(frame);
    });
    if (intact < bytes.length && !last)
      throw new EventLogError(
        'log-damaged',
        `${segment.path} is damaged at byte ${intact} of ${bytes.length}; restore it or remove the journal`,
      );
    if (intact < bytes.length) await truncate(segment.path, intact);
    segment.size = intact;
    if (!last) segment.forgetIndex();
    this.segments.push(segment);
  }

  private noteNext(frame: Frame): void {
    const key = keyOf(frame.topic, frame.partition);
    const next = frame.kind === 'next' ? frame.record.offset : frame.record.offset + 1n;
    const known = this.nextOffsets.get(key);
    if (!known || known.next < next)
      this.nextOffsets.set(key, { topic: frame.topic, partition: frame.partition, next });
  }

  get active(): Segment {
    return this.segments[this.segments.length - 1]!;
  }

  get sealed(): readonly Segment[] {
    return this.segments.slice(0, -1);
  }

  get bytes(): number {
    return this.segments.reduce((sum, segment) => sum + segment.size, 0);
  }

  /** Writes frames in one go and makes them durable. After a failure the file is as before. */
  async write(frames: Buffer[]): Promise<number> {
    const start = this.active.size;
    const bytes = frames.length === 1 ? frames[0]! : Buffer.concat(frames);
    try {
      await this.put(bytes, start);
      await this.file!.datasync();
    } catch (error) {
      await this.file!.truncate(start);
      throw error;
    }
    this.active.size += bytes.length;
    return start;
  }

  /** Writes without making durable: the crash switches use it. */
  async put(bytes: Buffer, position: number): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      const { bytesWritten } = await this.file!.write(bytes, done, bytes.length - done, position + done);
      done += bytesWritten;
    }
  }

  get full(): boolean {
    return this.active.size >= this.segmentBytes;
  }

  /** Seals the active file and starts the next one, which begins with every partition's next offset. */
  async roll(): Promise<void> {
    const id = (this.segments.length > 0 ? this.active.id : 0) + 1;
    const segment = new Segment(id, join(this.directory, name(id)));
    const head = Buffer.concat(
      [...this.nextOffsets.values()].map(({ topic, partition, next }) => encodeNext(topic, partition, next)),
    );
    // Renamed only when whole: a torn head would lose the next offsets once older files are gone.
    const file = await open(`${segment.path}.tmp`, 'w+');
    await file.write(head, 0, head.length, 0);
    await file.datasync();
    await rename(`${segment.path}.tmp`, segment.path);
    await syncDirectory(this.directory);
    await this.file?.close();
    this.file = file;
    segment.size = head.length;
    if (this.segments.length > 0) this.keepIndex(this.active);
    this.segments.push(segment);
  }

  first(key: string): bigint | undefined {
    for (const segment of this.segments) {
      const range = segment.ranges.get(key);
      if (range) return range.first;
    }
    return undefined;
  }

  /** Records from the first file on that has any at or after `from`. */
  async read(key: string, from: bigint, max: number): Promise<LogRecord[]> {
    for (const segment of [...this.segments]) {
      const range = segment.ranges.get(key);
      if (!range || range.last < from) continue;
      const records = await this.readFrom(segment, key, from, max);
      if (!records) return this.read(key, from, max);
      if (segment !== this.active) this.keepIndex(segment);
      if (records.length > 0) return records;
    }
    return [];
  }

  /** Undefined when the file was removed or rewritten meanwhile. */
  private async readFrom(segment: Segment, key: string, from: bigint, max: number): Promise<LogRecord[] | undefined> {
    try {
      return await segment.read(key, from, max);
    } catch (error) {
      if (!this.segments.includes(segment)) return undefined;
      throw error;
    }
  }

  private keepIndex(segment: Segment): void {
    const at = this.indexed.indexOf(segment);
    if (at >= 0) this.indexed.splice(at, 1);
    this.indexed.push(segment);
    while (this.indexed.length > INDEXES_KEPT) this.indexed.shift()!.forgetIndex();
  }

  async remove(segment: Segment): Promise<void> {
    await rm(segment.path, { force: true });
    this.segments.splice(this.segments.indexOf(segment), 1);
  }

  /** Replaces a sealed segment by what is left of it; offsets stay what they are. */
  async rewrite(segment: Segment, keep: (frame: Frame) => boolean): Promise<void> {
    const bytes = await readFile(segment.path);
    const parts: Buffer[] = [];
    scan(bytes, (frame) => {
      if (keep(frame)) parts.push(bytes.subarray(frame.position, frame.position + frame.length));
    });
    const left = Buffer.concat(parts);
    const temporary = `${segment.path}.tmp`;
    const file = await open(temporary, 'w');
    await file.writeFile(left);
    await file.datasync();
    await file.close();
    await rename(temporary, segment.path);
    await syncDirectory(this.directory);
    const smaller = new Segment(segment.id, segment.path);
    scan(left, (frame) => smaller.note(frame));
    smaller.size = left.length;
    smaller.forgetIndex();
    this.segments[this.segments.indexOf(segment)] = smaller;
  }

  async close(): Promise<void> {
    await this.file?.close();
    this.file = undefined;
  }
}

/** A new or renamed file is only sure to be found again once its directory is on disk. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
