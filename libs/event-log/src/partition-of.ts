/**
 * The partition of a key: Kafka's own default (murmur2 over the UTF-8 bytes, sign bit cleared), so that a record lies
 * in the same partition whichever driver or foreign client wrote it.
 */
export function partitionOf(key: string, partitions: number): number {
  return partitions === 1 ? 0 : (murmur2(Buffer.from(key)) & 0x7fffffff) % partitions;
}

const M = 0x5bd1e995;
const SEED = 0x9747b28c;

function murmur2(data: Buffer): number {
  const words = data.length & ~3;
  let hash = (SEED ^ data.length) | 0;
  for (let i = 0; i < words; i += 4) {
    let word = Math.imul(data.readInt32LE(i), M);
    word ^= word >>> 24;
    hash = Math.imul(hash, M) ^ Math.imul(word, M);
  }
  const rest = data.length - words;
  if (rest >= 3) hash ^= data[words + 2]! << 16;
  if (rest >= 2) hash ^= data[words + 1]! << 8;
  if (rest >= 1) hash = Math.imul(hash ^ data[words]!, M);
  hash = Math.imul(hash ^ (hash >>> 13), M);
  return hash ^ (hash >>> 15);
}
