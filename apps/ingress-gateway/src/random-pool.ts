const POOL_BYTES = 4_096;

/** Hands out strong random bytes from a pool, so that an id costs no system call of its own. Every byte is used once. */
export function randomPool(random: (bytes: number) => Buffer): (bytes: number) => Buffer {
  let pool: Buffer = Buffer.alloc(0);
  let used = 0;
  return (bytes) => {
    if (used + bytes > pool.length) {
      pool = random(Math.max(POOL_BYTES, bytes));
      used = 0;
    }
    used += bytes;
    return pool.subarray(used - bytes, used);
  };
}
