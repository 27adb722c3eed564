import type { Hypothesis } from '@tocsin/contracts';
import type { Candidate, Evidence } from './evidence.ts';
import { fromChanges, fromIncidentsAround, fromRecurrence, fromSimilarIncidents, notKnown } from './hypotheses.ts';

export interface Finding {
  summary: string;
  /** 2 to 5, best first. */
  hypotheses: Hypothesis[];
}

const MOST = 5;
const LEAST = 2;
/** One kind must not crowd the others out. */
const MOST_OF_A_KIND = 3;

/**
 * The built-in investigator: ranks recent changes, related alerts, recurrences and similar incidents by a deterministic
 * score. It calls no model, and where it finds too little it says so. Source: architecture §11.
 */
export function investigate(evidence: Evidence): Finding {
  const found = [
    ...best(fromChanges(evidence)),
    ...best(fromIncidentsAround(evidence)),
    ...fromRecurrence(evidence),
    ...fromSimilarIncidents(evidence),
  ];
  const ranked = best(found, MOST);
  const chosen =
    ranked.length >= LEAST ? ranked : [...ranked, ...notKnown(evidence, ranked.at(-1)?.score ?? 1)].slice(0, LEAST);
  const hypotheses = chosen.map((candidate, index) => ({ rank: index + 1, ...candidate }));
  return { hypotheses, summary: summaryOf(hypotheses, found.length) };
}

const best = (candidates: readonly Candidate[], most = MOST_OF_A_KIND): Candidate[] =>
  [...candidates].sort((a, b) => b.score - a.score || compare(a.summary, b.summary)).slice(0, most);

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function summaryOf([first]: readonly Hypothesis[], found: number): string {
  if (!first || found === 0)
    return 'Nothing recorded explains this incident: no recent change, no related alert, no similar incident.';
  const more = found > 1 ? ` (${found - 1} more ${found === 2 ? 'lead' : 'leads'})` : '';
  return `Most likely: ${first.summary}${more}.`;
}
