/** One allocation for many small records: a buffer of its own costs each of them several microseconds. */
const CHUNK_BYTES = 256 * 1024;
/** Of a character of UTF-16. */
const UTF8_BYTES_MAX = 3;

/** Writes values one behind the other into larger pieces of memory. What was taken stays as it is. */
export class ByteRoom {
  private chunk: Buffer = Buffer.alloc(0);
  private start = 0;
  private end = 0;

  /** The bytes of all parts, texts as UTF-8. */
  take(...parts: readonly (string | Buffer)[]): Buffer {
    let most = 0;
    for (const part of parts) most += typeof part === 'string' ? part.length * UTF8_BYTES_MAX : part.byteLength;
    if (this.end + most > this.chunk.byteLength) {
      this.chunk = Buffer.allocUnsafeSlow(Math.max(CHUNK_BYTES, most));
      this.end = 0;
    }
    this.start = this.end;
    for (const part of parts)
      this.end += typeof part === 'string' ? this.chunk.write(part, this.end) : part.copy(this.chunk, this.end);
    return this.chunk.subarray(this.start, this.end);
  }
}
