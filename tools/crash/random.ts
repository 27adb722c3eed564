/** mulberry32: a small seeded generator, so that a failing run can be repeated with its seed. */
export function seeded(seed: number) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  return {
    next,
    between: (low: number, high: number) => low + Math.floor(next() * (high - low + 1)),
    of: <T>(items: readonly T[]): T => items[Math.floor(next() * items.length)] as T,
  };
}
export type Seeded = ReturnType<typeof seeded>;
