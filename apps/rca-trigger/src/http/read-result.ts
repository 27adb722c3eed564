import type { Hypothesis } from '@tocsin/contracts';
import { Problem, validated } from '@tocsin/nest-shell';
import { type HypothesisInput, InvestigationResult } from './investigator.dto.ts';

/** What an answer of 2xx means: the result is in it, or it will come by call. */
export type ReadAnswer =
  { kind: 'result'; result: InvestigationResult } | { kind: 'accepted' } | { kind: 'unreadable'; why: string };

/** An answer holds the result where it is a JSON object with a status of one; anything else says that the request has arrived. */
export function readAnswer(status: number, body: string, truncated: boolean): ReadAnswer {
  if (status === 202 || status === 204) return { kind: 'accepted' };
  const given = jsonOf(body);
  const said = typeof given === 'object' && given !== null ? (given as Record<string, unknown>)['status'] : undefined;
  if (truncated && /^\s*\{/.test(body)) return { kind: 'unreadable', why: 'its answer is too large' };
  if (said !== 'completed' && said !== 'failed') return { kind: 'accepted' };
  try {
    return { kind: 'result', result: validated(InvestigationResult, given) };
  } catch (error) {
    if (error instanceof Problem) return { kind: 'unreadable', why: `its answer is not a result: ${error.message}` };
    throw error;
  }
}

function jsonOf(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** Best first, as they are stored and told. */
export const rankedHypotheses = (given: readonly HypothesisInput[]): Hypothesis[] =>
  [...given]
    .sort((a, b) => b.score - a.score)
    .map(({ kind, summary, score, evidence }, index) => ({
      ...{ rank: index + 1, kind, summary, score },
      evidence: evidence.map((one) => ({
        ...{ kind: one.kind, id: one.id, detail: one.detail },
        at: one.at === null ? null : new Date(one.at).toISOString(),
      })),
    }));
