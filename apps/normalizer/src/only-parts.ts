import { alertIdOf, deriveId, type ReceiptFacts } from '@tocsin/contracts';
import type { Normalization, Omitted } from '@tocsin/connectors';

/**
 * A redriven dead letter names the elements that were broken: of everything that the payload gives now, only these go on. Their
 * siblings were applied long ago, perhaps longer than later stages remember what they have seen. Pure.
 */
export function onlyParts(result: Normalization, { only, receiptId }: ReceiptFacts): Normalization {
  if (only === undefined) return result;
  const wanted = new Set(only);
  if (result.kind === 'alerts') {
    const changeIds = new Set(only.map((index) => deriveId('chg', alertIdOf(receiptId, index))));
    return {
      ...result,
      alerts: result.alerts.filter(({ index }) => wanted.has(index)),
      omitted: result.omitted.filter(({ index }) => wanted.has(index)),
      changes: result.changes.filter(({ id }) => changeIds.has(id as `chg_${string}`)),
    };
  }
  // What is said of the payload as a whole now holds for these elements; the receipt has had its answer.
  const omitted = only.map((index): Omitted => {
    const { reason, detail } = result;
    return result.kind === 'unreadable'
      ? { index, outcome: 'dead-lettered', reason: result.reason, detail }
      : ({ index, outcome: 'ignored', reason, detail } as Omitted);
  });
  return { kind: 'alerts', total: Math.max(...only) + 1, alerts: [], omitted, changes: [] };
}
