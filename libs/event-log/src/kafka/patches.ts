import { createRequire } from 'node:module';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import kafkajs from 'kafkajs';

/**
 * Repairs of kafkajs 2.2.4, which is pinned and no longer maintained. They reach into its files, so the boot refuses
 * another version instead of running half repaired.
 */
const VERSION = '2.2.4';
const load = createRequire(import.meta.url);

interface RequestQueue {
  pending: unknown[];
  throttledUntil: number;
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  checkPendingRequests(): void;
  scheduleCheckPendingRequests(): void;
}

/** The part of kafkajs's consumer group that we use behind its public face. */
export interface ConsumerGroup {
  groupId: string;
  memberId: string | null;
  generationId: number | null;
  coordinator: {
    heartbeat(payload: { groupId: string; memberId: string; groupGenerationId: number }): Promise<unknown>;
  } | null;
  assigners: unknown[];
  commitOffsets(offsets: {
    topics: { topic: string; partitions: { partition: number; offset: string }[] }[];
  }): Promise<void>;
  joinAndSync(): Promise<void>;
}

/** An assigner that is told before its consumer leaves the old assignment for the next one. */
export interface JoinAware {
  beforeJoin(group: ConsumerGroup): Promise<void>;
}

const isJoinAware = (assigner: unknown): assigner is JoinAware =>
  typeof (assigner as Partial<JoinAware>).beforeJoin === 'function';

let applied = false;

/** Applies all repairs, once per process. */
export function patchKafkajs(): void {
  if (applied) return;
  applied = true;
  const { version } = load('kafkajs/package.json') as { version: string };
  if (version !== VERSION) throw new Error(`the Kafka driver is made for kafkajs ${VERSION}, found ${version}`);
  patchTimerLoop();
  patchJoin();
  patchVarInt();
  kafkajs.CompressionCodecs[kafkajs.CompressionTypes.ZSTD] = () => ({
    compress: (encoder: { buffer: Buffer }) => Promise.resolve(zstdCompressSync(encoder.buffer)),
    decompress: (buffer: Buffer) => Promise.resolve(zstdDecompressSync(buffer)),
  });
}

/**
 * kafkajs re-arms a timer with a negative delay for ever on each idle connection: about 1,000 wake-ups a second. A
 * timer is only needed while requests wait, and only then does a later push or answer not look after them itself.
 */
function patchTimerLoop(): void {
  const { prototype } = load('kafkajs/src/network/requestQueue') as { prototype: RequestQueue };
  prototype.scheduleCheckPendingRequests = function (this: RequestQueue): void {
    if (this.throttleCheckTimeoutId || this.pending.length === 0) return;
    const wait = Math.max(this.throttledUntil - Date.now(), 10);
    this.throttleCheckTimeoutId = setTimeout(() => {
      this.throttleCheckTimeoutId = null;
      this.checkPendingRequests();
    }, wait);
  };
}

interface Encoder {
  buf: Buffer;
  offset: number;
  ensureAvailable(length: number): void;
}

/** Bytes of the longest number of 32 bits. */
const VAR_INT_MAX = 5;

/** kafkajs makes an array and a buffer of each number that it writes, and a record has a dozen and more: a tenth of what a busy producer does. */
function patchVarInt(): void {
  const { prototype } = load('kafkajs/src/protocol/encoder') as {
    prototype: Encoder & { writeUVarInt(value: number): Encoder };
  };
  prototype.writeUVarInt = function (this: Encoder, value: number): Encoder {
    this.ensureAvailable(VAR_INT_MAX);
    let rest = value;
    while ((rest & ~0x7f) !== 0) {
      this.buf[this.offset++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.buf[this.offset++] = rest;
    return this;
  };
}

/** kafkajs has no hook before a rebalance: batches in hand would run on while their partition has a new owner. */
function patchJoin(): void {
  const { prototype } = load('kafkajs/src/consumer/consumerGroup') as { prototype: ConsumerGroup };
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with its own `this` below
  const joinAndSync = prototype.joinAndSync;
  prototype.joinAndSync = async function (this: ConsumerGroup): Promise<void> {
    await Promise.all(this.assigners.filter(isJoinAware).map((assigner) => assigner.beforeJoin(this)));
    return joinAndSync.call(this);
  };
}
