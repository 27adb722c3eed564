import { JsonScanner } from '@tocsin/nest-shell';

/**
 * The JSON value of a body whose sender is not known yet; undefined for garbage. The caps are checked without building anything, because a
 * depth bomb must cost its first bytes only.
 */
export function parseWithin(body: Uint8Array, caps: { depth: number; keys: number }): unknown {
  const buffer = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  if (!new JsonScanner(caps).scan(buffer).ok) return undefined;
  try {
    return JSON.parse(buffer.toString('utf8'));
  } catch {
    return undefined;
  }
}
