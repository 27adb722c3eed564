import type { AlertAnswer, ReceiptReplied } from '@tocsin/contracts';

/** What is known of a receipt so far. Replies come in parts: one record per scope and batch, in any order, some twice. */
export interface ReceiptSoFar {
  receiptId: string;
  total: number;
  byIndex: ReadonlyMap<number, AlertAnswer>;
  /** Set by the one reply of a receipt without alerts. */
  whole: Pick<ReceiptReplied, 'outcome' | 'reason' | 'detail'> | null;
}

/** Adds one reply. The first answer for an alert stands: a repeat says the same or knows less. */
export function mergeReply(before: ReceiptSoFar | undefined, reply: ReceiptReplied): ReceiptSoFar {
  const byIndex = new Map(before?.byIndex);
  for (const alert of reply.alerts) if (!byIndex.has(alert.index)) byIndex.set(alert.index, alert);
  const { outcome, reason, detail } = reply;
  const whole = outcome === undefined ? (before?.whole ?? null) : { outcome, reason, detail };
  return { receiptId: reply.receiptId, total: reply.total, byIndex, whole };
}

/** True when every alert of the receipt has its answer; a receipt without alerts is complete with its one reply. */
export const isComplete = (soFar: ReceiptSoFar): boolean => soFar.byIndex.size >= soFar.total;

/** The answers in the order of the payload. */
export const answersOf = (soFar: ReceiptSoFar): AlertAnswer[] =>
  [...soFar.byIndex.values()].sort((a, b) => a.index - b.index);
