import { MAX_MESSAGE_BYTES } from '@tocsin/contracts';
import { EventLogError } from './errors.ts';
import type { AppendRecord } from './port.ts';

/** Bytes that a record takes in the log, a little more than less. */
function recordBytes({ key, value, headers }: AppendRecord): number {
  let bytes = 64 + Buffer.byteLength(key) + value.byteLength;
  for (const name in headers) bytes += 8 + name.length + Buffer.byteLength(headers[name]!);
  return bytes;
}

/** Answers the record's bytes. @throws EventLogError `record-too-large`: such a record never fits, trying again is no use */
export function assertSize(record: AppendRecord): number {
  const bytes = recordBytes(record);
  if (bytes > MAX_MESSAGE_BYTES)
    throw new EventLogError(
      'record-too-large',
      `a record of ${bytes} bytes for ${record.topic}; at most ${MAX_MESSAGE_BYTES} are taken`,
    );
  return bytes;
}
