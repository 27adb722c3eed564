import type { Why } from '@tocsin/contracts';
import { whyOf } from './views.ts';

export interface ReceiptRecord {
  receipt_id: string;
  webhook_id: string;
  received_at: Date;
  normalized_at: Date | null;
  correlated_at: Date | null;
  settled_at: Date | null;
  /** Null: accepted, and nothing more is known. */
  total: number | null;
  outcome: string | null;
  reason: string | null;
  detail: string | null;
}
export interface OutcomeRow {
  alert_id: string;
  incident_id: string | null;
  index: number;
  outcome: string;
  reason: string;
  occurrence_count: number | null;
  why: Why | null;
}

/** Every alert has its outcome; a receipt without alerts has one of its own. */
export const isSettled = ({ total }: Pick<ReceiptRecord, 'total'>, alerts: readonly OutcomeRow[]): boolean =>
  total !== null && alerts.length >= total;

const timeOf = (at: Date | null): string | null => at?.toISOString() ?? null;

/** `not-needed`: an earlier stage had the last word. */
type Progress = 'done' | 'partly' | 'pending' | 'not-needed';
export interface Stage {
  stage: 'received' | 'normalised' | 'correlated' | 'stored';
  service: string;
  progress: Progress;
  at: string | null;
  /** What it said, counted: alerts, reasons of decisions, outcomes. */
  said: Record<string, unknown>;
}

function countsOf(words: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}

const progressOf = (done: number, of: number): Progress => (done >= of ? 'done' : done > 0 ? 'partly' : 'pending');

/** The normalizer's last words; with them an alert needs neither correlation nor incident. */
const EARLY_WORDS: ReadonlySet<string> = new Set(['ignored', 'captured', 'dead-lettered']);
const isDecided = ({ why, outcome }: OutcomeRow): boolean => why !== null || !EARLY_WORDS.has(outcome);

/** The way of one receipt through the services. */
function stagesOf(receipt: ReceiptRecord, alerts: readonly OutcomeRow[]): Stage[] {
  const { received_at, normalized_at, correlated_at, settled_at, total, outcome, reason, detail } = receipt;
  const decided = alerts.filter(isDecided);
  const expected = total === null ? undefined : total - (alerts.length - decided.length);
  const later = (): Progress => {
    if (expected === undefined) return 'pending';
    return expected === 0 ? 'not-needed' : progressOf(decided.length, expected);
  };
  return [
    { stage: 'received', service: 'ingress-gateway', progress: 'done', at: timeOf(received_at), said: {} },
    {
      stage: 'normalised',
      service: 'normalizer',
      progress: total === null ? 'pending' : 'done',
      at: timeOf(normalized_at),
      said: total === null ? {} : { alerts: total, ...(outcome === null ? {} : { outcome, reason, detail }) },
    },
    {
      stage: 'correlated',
      service: 'dedup-correlator',
      progress: later(),
      at: timeOf(correlated_at),
      said: decided.length === 0 ? {} : { reasons: countsOf(decided.flatMap(({ why }) => why?.reason ?? [])) },
    },
    {
      stage: 'stored',
      service: 'incident-store',
      progress: later(),
      at: decided.length === 0 ? null : timeOf(settled_at),
      said: decided.length === 0 ? {} : { outcomes: countsOf(decided.map(({ outcome: word }) => word)) },
    },
  ];
}

/** What became of one request. `status` and `incident_id` are those of the first alert, as in the answer to the sender. */
export function receiptOf(receipt: ReceiptRecord, alerts: readonly OutcomeRow[]) {
  const [first] = alerts;
  const { receipt_id, webhook_id, received_at, settled_at, total, outcome, reason, detail } = receipt;
  return {
    receipt_id,
    webhook_id,
    status: first?.outcome ?? outcome ?? 'accepted',
    incident_id: first?.incident_id ?? null,
    reason: first?.reason ?? reason,
    detail,
    received_at: received_at.toISOString(),
    settled_at: isSettled(receipt, alerts) ? timeOf(settled_at) : null,
    total,
    stages: stagesOf(receipt, alerts),
    alerts: alerts.map(({ why, ...alert }) => ({ ...alert, why: why ? whyOf(why) : null })),
  };
}
