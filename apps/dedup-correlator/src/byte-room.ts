/** One allocation for many small records: a buffer of its own costs each of them several microseconds. */
const CHUNK_BYTES = 256 * 1024;
/** Of a character of UTF-16. */
const UTF8_BYTES_MAX = 3;
const COMMA = 0x2c;

/** Writes JSON, one value behind the other, into larger pieces of memory. What was given out stays as it is. */
export class ByteRoom {
  private chunk: Buffer = Buffer.alloc(0);
  private start = 0;
  private end = 0;

  /** Begins a value. It has as many bytes, and its texts as many characters, at most. */
  begin(bytes: number, characters: number): this {
    const most = bytes + characters * UTF8_BYTES_MAX;
    if (this.end + most > this.chunk.byteLength) {
      this.chunk = Buffer.allocUnsafeSlow(Math.max(CHUNK_BYTES, most));
      this.end = 0;
    }
    this.start = this.end;
    return this;
  }

  bytes(bytes: Buffer): this {
    this.end += bytes.copy(this.chunk, this.end);
    return this;
  }

  text(text: string): this {
    this.end += this.chunk.write(text, this.end);
    return this;
  }

  /** An object that goes on: a comma takes the place of its last brace. */
  opened(object: string): this {
    this.text(object);
    this.chunk[this.end - 1] = COMMA;
    return this;
  }

  /** The fields of an object behind others: a comma takes the place of its first brace. */
  continued(object: string): this {
    const at = this.end;
    this.text(object);
    this.chunk[at] = COMMA;
    return this;
  }

  /** The bytes since `begin`. */
  take(): Buffer {
    return this.chunk.subarray(this.start, this.end);
  }
}
