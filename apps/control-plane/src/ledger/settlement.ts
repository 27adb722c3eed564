import type { AlertAnswer, Outcome, ReceiptsSettled } from '@tocsin/contracts';

/** One alert's outcome as it counts: by its index, which with the receipt is its id. */
export interface SettledAlert {
  index: number;
  outcome: Outcome;
  reason: string;
  incidentId: string | null;
}

/** What a batch says of one receipt. */
export interface Settlement {
  receiptId: string;
  workspaceId: string;
  webhookId: string;
  receivedAt: string;
  settledAt: string;
  total: number;
  alerts: SettledAlert[];
  detail: string | null;
}

type Item = ReceiptsSettled['items'][number];

/** A receipt without alerts counts as one: its outcome stands at index 0. */
function alertsOf({ alerts, outcome, reason }: Item): SettledAlert[] {
  if (alerts.length === 0 && outcome !== undefined)
    return [{ index: 0, outcome, reason: reason ?? outcome, incidentId: null }];
  return alerts.map(({ index, outcome, reason, incidentId }: AlertAnswer) => ({ index, outcome, reason, incidentId }));
}

/** Items by receipt, in the order of their ids, so that all writers lock in one order. Of an index that comes twice the first one counts. */
export function settlementsOf(items: readonly Item[]): Settlement[] {
  const found = new Map<string, Settlement>();
  for (const item of items) {
    const { receiptId, workspaceId, webhookId, receivedAt, settledAt, total, detail = null } = item;
    const before = found.get(receiptId);
    if (!before) {
      const alerts = alertsOf(item);
      found.set(receiptId, { receiptId, workspaceId, webhookId, receivedAt, settledAt, total, alerts, detail });
      continue;
    }
    const known = new Set(before.alerts.map(({ index }) => index));
    before.alerts.push(...alertsOf(item).filter(({ index }) => !known.has(index)));
    before.total = Math.max(before.total, total);
    before.settledAt = before.settledAt > settledAt ? before.settledAt : settledAt;
    before.detail ??= detail;
  }
  return [...found.values()].sort((a, b) => (a.receiptId < b.receiptId ? -1 : 1));
}

/** Indexes as PostgreSQL writes an int4multirange: `{[0,3),[5,6)}`. */
export function multirangeOf(indexes: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const index of [...new Set(indexes)].sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last?.[1] === index) last[1] = index + 1;
    else ranges.push([index, index + 1]);
  }
  return `{${ranges.map(([from, to]) => `[${from},${to})`).join(',')}}`;
}

/** Whether an index is in a multirange as PostgreSQL writes it. */
export function membershipOf(multirange: string): (index: number) => boolean {
  const ranges = [...multirange.matchAll(/\[(\d+),(\d+)\)/g)].map(
    ([, from, to]) => [Number(from), Number(to)] as const,
  );
  return (index) => ranges.some(([from, to]) => index >= from && index < to);
}

export type OutcomeCounts = Partial<Record<Outcome, number>>;

export function countOutcomes(alerts: readonly SettledAlert[]): OutcomeCounts {
  const counts: OutcomeCounts = {};
  for (const { outcome } of alerts) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}

export function addCounts(a: OutcomeCounts, b: OutcomeCounts): OutcomeCounts {
  const sum: OutcomeCounts = { ...a };
  for (const [outcome, count] of Object.entries(b) as [Outcome, number][]) sum[outcome] = (sum[outcome] ?? 0) + count;
  return sum;
}
