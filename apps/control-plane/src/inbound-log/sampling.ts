export interface SamplingRule {
  /** Receipts of one webhook in one minute that each keep a row with their payload. */
  rowsPerMinute: number;
  /** Above that, every so manieth. */
  every: number;
}

export type Keeping = 'no' | 'full' | 'sample';

/**
 * Whether the n-th receipt of a webhook in a minute keeps its row (n counts from 1). Counts come from the ledger and stay exact; a row
 * that stands for others says so.
 */
export function keepingOf(ordinal: number, { rowsPerMinute, every }: SamplingRule): Keeping {
  if (ordinal <= rowsPerMinute) return 'full';
  return (ordinal - rowsPerMinute) % every === 0 ? 'sample' : 'no';
}
