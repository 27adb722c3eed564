import type { RequestsAnswered } from '@tocsin/contracts';
import { addCounts, type OutcomeCounts, type Settlement } from '../ledger/settlement.ts';

/** What outcomes say about the row of one receipt. */
export interface OutcomeNews {
  total: number;
  /** The lowest index that is told of; its outcome is the row's, as the sender was answered. */
  outcomeIndex: number;
  outcome: string;
  reason: string;
  detail: string | null;
  /** All that occur among the alerts. */
  outcomes: string[];
  incidentIds: string[];
  settledAt: string;
  /** Every alert has an outcome. */
  complete: boolean;
}

export interface AnswerNews {
  responseCode: number;
  latencyMs: number;
}

/** What was heard of a receipt before the receipt itself: other topics, other readers, any order. */
export interface EarlyNews {
  counts: OutcomeCounts;
  outcome: OutcomeNews | null;
  answer: AnswerNews | null;
}

/** A row names so many incidents; all of them are in `GET receipts/{id}`. */
export const INCIDENTS_MAX = 100;

/** Undefined for a settlement that names no alert at all. */
export function newsOf({ alerts, total, detail, settledAt }: Settlement, complete: boolean): OutcomeNews | undefined {
  const first = alerts.reduce<Settlement['alerts'][number] | undefined>(
    (lowest, alert) => (lowest && lowest.index <= alert.index ? lowest : alert),
    undefined,
  );
  if (!first) return undefined;
  const incidents = alerts.flatMap(({ incidentId }) => incidentId ?? []);
  return {
    total,
    outcomeIndex: first.index,
    outcome: first.outcome,
    reason: first.reason,
    detail,
    outcomes: [...new Set(alerts.map(({ outcome }) => outcome))],
    incidentIds: [...new Set(incidents)].slice(0, INCIDENTS_MAX),
    settledAt,
    complete,
  };
}

/** A dead letter that was driven through again has a better outcome afterwards; every other first word stays. */
const prevails = (next: OutcomeNews, known: OutcomeNews): boolean =>
  next.outcomeIndex < known.outcomeIndex ||
  (next.outcomeIndex === known.outcomeIndex && known.outcome === 'dead-lettered');

export function mergeOutcome(known: OutcomeNews | null, next: OutcomeNews | undefined): OutcomeNews | null {
  if (!known || !next) return next ?? known;
  const { outcomeIndex, outcome, reason } = prevails(next, known) ? next : known;
  return {
    ...{ outcomeIndex, outcome, reason },
    total: Math.max(known.total, next.total),
    detail: known.detail ?? next.detail,
    outcomes: [...new Set([...known.outcomes, ...next.outcomes])],
    incidentIds: [...new Set([...known.incidentIds, ...next.incidentIds])].slice(0, INCIDENTS_MAX),
    settledAt: known.settledAt > next.settledAt ? known.settledAt : next.settledAt,
    complete: next.complete,
  };
}

export const mergeEarly = (known: EarlyNews | null, next: Partial<EarlyNews>): EarlyNews => ({
  counts: addCounts(known?.counts ?? {}, next.counts ?? {}),
  outcome: mergeOutcome(known?.outcome ?? null, next.outcome ?? undefined),
  answer: next.answer ?? known?.answer ?? null,
});

export type Answered = RequestsAnswered['answered'][number] & { workspaceId: string; webhookId: string };
export type Rejected = RequestsAnswered['rejected'][number] & { workspaceId: string; webhookId: string };

export const answeredOf = (records: readonly RequestsAnswered[]): Answered[] => [
  ...new Map(
    records
      .flatMap(({ workspaceId, webhookId, answered }) => answered.map((one) => ({ ...one, workspaceId, webhookId })))
      .map((one) => [one.receiptId, one]),
  ).values(),
];

/** Refusals of one webhook, minute, answer and reason are one row. */
export function rejectedOf(records: readonly RequestsAnswered[]): Rejected[] {
  const all = records.flatMap(({ workspaceId, webhookId, rejected }) =>
    rejected.map((one): Rejected => ({ ...one, workspaceId, webhookId })),
  );
  const groups = Map.groupBy(all, ({ webhookId, minute, problem, reason }) =>
    JSON.stringify([webhookId, minute, problem, reason]),
  );
  return [...groups.values()].flatMap((group) => {
    const shown = group.find(({ first }) => first) ?? group[0];
    return shown ? [{ ...shown, count: group.reduce((sum, { count }) => sum + count, 0) }] : [];
  });
}
