import type { Hypothesis } from '@tocsin/contracts';

/** What an investigation recommends, before it has an id. */
export interface Suggestion {
  title: string;
  description: string;
  effort: 'low' | 'medium' | 'high';
  risk: 'low' | 'medium' | 'high';
}

/** Weaker suspicions are for people to read, not to act upon. */
const STRONG = 0.5;

type Draft = Pick<Suggestion, 'effort' | 'risk'> & { doing: string };

const drafts: Readonly<Partial<Record<Hypothesis['kind'], Draft>>> = {
  change: { doing: 'Check, and if it fits take back', effort: 'low', risk: 'medium' },
  recurrence: { doing: 'Remove the cause of what keeps coming back', effort: 'medium', risk: 'low' },
  'similar-incident': { doing: 'Try what ended the earlier incident', effort: 'low', risk: 'low' },
};

/** What follows from strong hypotheses, best first: at most one suggestion of a kind. */
export function suggest(hypotheses: readonly Hypothesis[]): Suggestion[] {
  const seen = new Set<Hypothesis['kind']>();
  return hypotheses.flatMap(({ kind, score, summary, evidence }) => {
    const draft = drafts[kind];
    if (!draft || score < STRONG || seen.has(kind)) return [];
    seen.add(kind);
    const { doing, effort, risk } = draft;
    const grounds = evidence
      .map(({ detail }) => detail)
      .join('; ')
      .slice(0, 10_000)
      .toWellFormed();
    return [{ title: `${doing}: ${summary}`.slice(0, 500).toWellFormed(), description: grounds, effort, risk }];
  });
}
