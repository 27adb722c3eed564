import { crc32 } from 'node:zlib';
import type { LogRecord } from '../port.ts';

/**
 * How a frame lies in a segment file, little endian:
 *   u32 body length · u32 CRC-32 of the body · body
 *   body: u8 kind · u48 offset · f64 timestamp (ms) · u16 partition · u8 + topic · u32 + key · u32 + headers (JSON) · u32 + value
 * Kind 1 is a record. Kind 2 says only at which offset its partition goes on; it leads each segment, so that older
 * segments can go, and it is the gap marker of a journal that starts above known positions.
 */
export type FrameKind = 'record' | 'next';
export interface Frame {
  kind: FrameKind;
  topic: string;
  partition: number;
  record: LogRecord;
  /** Where in its file, and how long with its head. */
  position: number;
  length: number;
}

const HEAD = 8;
const FIXED = 1 + 6 + 8 + 2;
const kinds: Record<FrameKind, number> = { record: 1, next: 2 };
const EMPTY = Buffer.alloc(0);

export interface FrameInput {
  kind: FrameKind;
  topic: string;
  partition: number;
  offset: bigint;
  timestamp: number;
  key: string;
  headers: Record<string, string>;
  value: Uint8Array;
}

/** One frame as it goes to the file, and its record as it is delivered (the value is a view of the frame: one copy only). */
export function encodeFrame(input: FrameInput): { bytes: Buffer; record: LogRecord } {
  const topic = Buffer.from(input.topic);
  const key = Buffer.from(input.key);
  const headers = Buffer.from(JSON.stringify(input.headers));
  const bodyLength = FIXED + 1 + topic.length + 4 + key.length + 4 + headers.length + 4 + input.value.length;
  const bytes = Buffer.allocUnsafe(HEAD + bodyLength);
  bytes.writeUInt32LE(bodyLength, 0);
  bytes[HEAD] = kinds[input.kind];
  bytes.writeUIntLE(Number(input.offset), HEAD + 1, 6);
  bytes.writeDoubleLE(input.timestamp, HEAD + 7);
  bytes.writeUInt16LE(input.partition, HEAD + 15);
  let at = HEAD + FIXED;
  bytes[at] = topic.length;
  at += 1;
  topic.copy(bytes, at);
  at += topic.length;
  for (const part of [key, headers, input.value]) {
    bytes.writeUInt32LE(part.length, at);
    bytes.set(part, at + 4);
    at += 4 + part.length;
  }
  bytes.writeUInt32LE(crc32(bytes.subarray(HEAD)), 4);
  const value = bytes.subarray(bytes.length - input.value.length);
  return {
    bytes,
    record: { offset: input.offset, key: input.key, value, headers: input.headers, timestamp: input.timestamp },
  };
}

/** A record as it is delivered where there is no file: its value is what was appended. */
export const inMemory: typeof encodeFrame = ({ offset, key, value, headers, timestamp }) => ({
  bytes: EMPTY,
  record: { offset, key, value: Buffer.from(value.buffer, value.byteOffset, value.byteLength), headers, timestamp },
});

/** A frame that says at which offset a partition goes on. */
export const encodeNext = (topic: string, partition: number, offset: bigint): Buffer =>
  encodeFrame({ kind: 'next', topic, partition, offset, timestamp: 0, key: '', headers: {}, value: EMPTY }).bytes;

/** The frame at `at`, or undefined when there is no whole, intact one: the torn tail of a crash, or damage. */
export function decodeFrame(file: Buffer, at: number, base = 0): Frame | undefined {
  if (at + HEAD > file.length) return undefined;
  const bodyLength = file.readUInt32LE(at);
  const end = at + HEAD + bodyLength;
  if (bodyLength < FIXED || end > file.length) return undefined;
  const body = file.subarray(at + HEAD, end);
  if (crc32(body) !== file.readUInt32LE(at + 4)) return undefined;
  const topicEnd = FIXED + 1 + body[FIXED]!;
  const key = part(body, topicEnd);
  const headers = part(body, key.end);
  const value = part(body, headers.end);
  return {
    kind: body[0] === kinds.next ? 'next' : 'record',
    topic: body.toString('utf8', FIXED + 1, topicEnd),
    partition: body.readUInt16LE(15),
    position: base + at,
    length: HEAD + bodyLength,
    record: {
      offset: BigInt(body.readUIntLE(1, 6)),
      timestamp: body.readDoubleLE(7),
      key: key.bytes.toString(),
      headers: JSON.parse(headers.bytes.toString()) as Record<string, string>,
      value: value.bytes,
    },
  };
}

function part(body: Buffer, at: number): { bytes: Buffer; end: number } {
  const end = at + 4 + body.readUInt32LE(at);
  return { bytes: body.subarray(at + 4, end), end };
}

/** All intact frames from the start on. `intact` is where the first broken one begins. */
export function scan(file: Buffer, each: (frame: Frame) => void): { intact: number } {
  let at = 0;
  for (let frame = decodeFrame(file, at); frame; frame = decodeFrame(file, at)) {
    each(frame);
    at += frame.length;
  }
  return { intact: at };
}
