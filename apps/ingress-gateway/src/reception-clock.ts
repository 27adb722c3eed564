export interface Instant {
  ms: number;
  /** ISO 8601 UTC with milliseconds. */
  text: string;
}

/** Times of reception that never run backwards within a process, even where the machine's clock is set back (architecture §9.2). */
export function receptionClock(clock: () => Date): () => Instant {
  let last: Instant = { ms: -Infinity, text: '' };
  return () => {
    const now = clock();
    const ms = now.getTime();
    if (ms > last.ms) last = { ms, text: now.toISOString() };
    return last;
  };
}
