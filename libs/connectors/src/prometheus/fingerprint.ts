import { isObject, textOf } from '@tocsin/domain/mapping';

const SEPARATOR = 0xff;

/** FNV-1a with 64 bits in two halves: BigInt costs ten times as much, and every alert that Prometheus sends passes here. */
class Fnv64 {
  private high = 0xcbf29ce4;
  private low = 0x84222325;

  /** The prime is 2^40 + 435: multiply by 435 and add the value shifted by 40 bits; no product leaves 2^53. */
  byte(value: number): void {
    const mixed = (this.low ^ value) >>> 0;
    const product = mixed * 435;
    this.low = product >>> 0;
    this.high = (this.high * 435 + Math.floor(product / 0x1_0000_0000) + ((mixed << 8) >>> 0)) >>> 0;
  }

  bytes(values: Uint8Array): void {
    for (const value of values) this.byte(value);
  }

  hex = (): string => hex32(this.high) + hex32(this.low);
}

const hex32 = (half: number): string => half.toString(16).padStart(8, '0');

/**
 * The fingerprint that Alertmanager gives a label set: FNV-1a over name, 0xff, value, 0xff in the byte order of the names; labels
 * without a value are no labels. So an alert has one key whether Prometheus sends it here itself (no fingerprint in API v2) or
 * through an Alertmanager. Undefined where there are no labels.
 */
export function fingerprintOf(labels: unknown): string | undefined {
  if (!isObject(labels)) return undefined;
  const pairs = Object.keys(labels).flatMap((name): [Buffer, Buffer][] => {
    const value = labels[name];
    const text = typeof value === 'string' ? value : textOf(value);
    return text === undefined || text === '' ? [] : [[Buffer.from(name), Buffer.from(text)]];
  });
  if (pairs.length === 0) return undefined;
  const hash = new Fnv64();
  for (const [name, value] of pairs.sort(([one], [other]) => Buffer.compare(one, other))) {
    hash.bytes(name);
    hash.byte(SEPARATOR);
    hash.bytes(value);
    hash.byte(SEPARATOR);
  }
  return hash.hex();
}
