/** Values of this size and more are sent from where they are. */
const LARGE_BYTES = 8 * 1024;
const CODE = 'B'.charCodeAt(0);
const [TEXT, BINARY] = [0, 1];
const NULL = -1;

/** Bytes of one parameter that lie in several places, so that they need not be put into one for it. */
export class Pieces {
  readonly byteLength: number;

  constructor(readonly parts: readonly Buffer[]) {
    this.byteLength = parts.reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  /** For connections that know no pieces: pg asks a value for what it shall send. */
  toPostgres = (): Buffer => Buffer.concat(this.parts);
}

/** What pg binds with: `valueMapper` makes a text, bytes or null of a value. */
export interface Binding {
  portal?: string;
  statement?: string;
  values?: readonly unknown[];
  binary?: boolean;
  valueMapper?: (value: unknown, index: number) => unknown;
}

type Parameter = { parts: readonly Buffer[]; byteLength: number; format: number } | null;

/** Whether a value is worth a write of its own. */
export const hasLarge = ({ values }: Binding): boolean =>
  values?.some((value) => (value instanceof Buffer || value instanceof Pieces) && value.byteLength >= LARGE_BYTES) ??
  false;

/**
 * A Bind message (PostgreSQL's manual, "Message Formats") in the pieces in which it is sent. Large values are among them as they are, so nobody
 * may write to them before they are sent; all else lies in one piece of memory.
 */
export function bindMessage({ portal = '', statement = '', values = [], binary, valueMapper }: Binding): Buffer[] {
  const parameters = values.map((value, index) => parameterOf(value, (one) => valueMapper?.(one, index) ?? one));
  const names = Buffer.from(`${portal}\0${statement}\0`);
  const fixed = 4 + names.byteLength + 2 + 2 * parameters.length + 2 + 4 * parameters.length + 4;
  const bytesOf = (some: Parameter[]): number => some.reduce((sum, one) => sum + (one?.byteLength ?? 0), 0);
  const message = new Message(1 + fixed + bytesOf(parameters.filter((one) => !isLarge(one))));
  message.int8(CODE);
  message.int32(fixed + bytesOf(parameters));
  message.bytes(names);
  message.int16(parameters.length);
  for (const parameter of parameters) message.int16(parameter?.format ?? TEXT);
  message.int16(parameters.length);
  for (const parameter of parameters) {
    message.int32(parameter?.byteLength ?? NULL);
    for (const part of parameter?.parts ?? [])
      if (isLarge(parameter)) message.apart(part);
      else message.bytes(part);
  }
  message.int16(1); // one format for all columns of the answer
  message.int16(binary ? BINARY : TEXT);
  return message.end();
}

const isLarge = (parameter: Parameter): boolean => parameter !== null && parameter.byteLength >= LARGE_BYTES;

function parameterOf(value: unknown, mapped: (value: unknown) => unknown): Parameter {
  if (value instanceof Pieces) return { parts: value.parts, byteLength: value.byteLength, format: BINARY };
  const given = mapped(value);
  if (given === null || given === undefined) return null;
  const bytes = given instanceof Buffer ? given : Buffer.from(given as string);
  return { parts: [bytes], byteLength: bytes.byteLength, format: given instanceof Buffer ? BINARY : TEXT };
}

/** Numbers are big endian, as the protocol has them. */
class Message {
  private readonly pieces: Buffer[] = [];
  private readonly room: Buffer;
  private start = 0;
  private at = 0;

  constructor(size: number) {
    this.room = Buffer.allocUnsafe(size);
  }

  int8(value: number): void {
    this.at = this.room.writeInt8(value, this.at);
  }

  int16(value: number): void {
    this.at = this.room.writeUInt16BE(value, this.at);
  }

  int32(value: number): void {
    this.at = this.room.writeInt32BE(value, this.at);
  }

  bytes(bytes: Buffer): void {
    this.at += bytes.copy(this.room, this.at);
  }

  apart(bytes: Buffer): void {
    this.pieces.push(this.room.subarray(this.start, this.at), bytes);
    this.start = this.at;
  }

  end(): Buffer[] {
    return [...this.pieces, this.room.subarray(this.start, this.at)];
  }
}
