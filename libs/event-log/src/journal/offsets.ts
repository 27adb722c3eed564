import { join } from 'node:path';
import type { EventLogLogger } from '../errors.ts';
import { messageOf } from '../errors.ts';
import { loadJson, storeJson } from './stored-json.ts';

const FILE = 'group-offsets.json';
const EVERY_MS = 1_000;

/** Committed offsets of the groups. Written about once a second after a change and at close: at-least-once. */
export class GroupOffsets {
  private timer: NodeJS.Timeout | undefined;
  private writing: Promise<void> = Promise.resolve();
  private readonly offsets = new Map<string, bigint>();

  private constructor(
    private readonly directory: string | undefined,
    private readonly logger: EventLogLogger,
    private readonly mayWrite: () => boolean,
  ) {}

  static async open(
    directory: string | undefined,
    logger: EventLogLogger,
    mayWrite: () => boolean,
  ): Promise<GroupOffsets> {
    const opened = new GroupOffsets(directory, logger, mayWrite);
    if (!directory) return opened;
    const stored = await loadJson<Record<string, string>>(join(directory, FILE)).catch((error: unknown) => {
      // Only a hint where to go on: without it everything is read again, which readers must bear anyway.
      logger.error({ error: messageOf(error) }, 'group-offsets.unreadable');
      return undefined;
    });
    for (const [key, offset] of Object.entries(stored ?? {})) opened.offsets.set(key, BigInt(offset));
    return opened;
  }

  get(group: string, topic: string, partition: number): bigint | undefined {
    return this.offsets.get(keyOf(group, topic, partition));
  }

  set(group: string, topic: string, partition: number, next: bigint): void {
    this.offsets.set(keyOf(group, topic, partition), next);
    if (this.directory) this.timer ??= setTimeout(() => void this.flush(), EVERY_MS).unref();
  }

  /** Writes what has changed. */
  flush(): Promise<void> {
    if (!this.timer) return this.writing;
    clearTimeout(this.timer);
    this.timer = undefined;
    return (this.writing = this.writing.then(() => this.write()));
  }

  /** Forgets what was not written, as a crash would. */
  discard(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    return this.writing;
  }

  private async write(): Promise<void> {
    if (!this.directory || !this.mayWrite()) return;
    try {
      await storeJson(
        join(this.directory, FILE),
        Object.fromEntries([...this.offsets].map(([key, offset]) => [key, String(offset)])),
      );
    } catch (error) {
      this.logger.warn({ error: messageOf(error) }, 'group-offsets.not-stored');
    }
  }
}

const keyOf = (group: string, topic: string, partition: number): string => `${group}|${topic}|${partition}`;
