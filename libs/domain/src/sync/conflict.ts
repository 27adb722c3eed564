/**
 * The one conflict rule, asked on both ways: the later change wins, by the time at which it was made where it was made. At the same instant
 * Tocsin's wins, so that both sides come to the same answer.
 */
export const theirsWins = (ours: string | null, theirs: string): boolean =>
  ours === null || Date.parse(theirs) > Date.parse(ours);
