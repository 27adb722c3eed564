import { decodeRecord, type ReceiptsSettled, type RequestsAnswered } from '@tocsin/contracts';
import type { Input, Stage, Verdict } from '@tocsin/postgres';
import { SAID_BY } from './receipt-outputs.ts';
import { insertForeignAnswers, noteAccepted, type ReceiptRow, upsertReceipts } from './receipt-store.ts';

interface Loaded {
  settled: Map<Input, ReceiptsSettled>;
  answered: Map<Input, RequestsAnswered>;
}
const isOwn = (input: Input): boolean => input.headers[SAID_BY] === 'incident-store';

/**
 * Receipts that never became alerts here (ignored, unreadable), so that `GET receipts/{id}` knows them too; and those that were accepted
 * and are on their way still (decision 19).
 */
export const settleReceiptsStage = (): Stage<Loaded> => ({
  load: async (inputs) => {
    const settled = inputs.filter((input) => input.type === 'receipts.settled.v1' && !isOwn(input));
    const answered = inputs.filter((input) => input.type === 'requests.answered.v1');
    return {
      settled: new Map(settled.map((input) => [input, decodeRecord('receipts.settled.v1', input.value)])),
      answered: new Map(answered.map((input) => [input, decodeRecord('requests.answered.v1', input.value)])),
    };
  },

  async apply(tx, inputs, { settled, answered }) {
    const items = inputs.flatMap((input) => settled.get(input)?.items ?? []);
    await upsertReceipts(tx, items.map(receiptRow));
    const answers = items.flatMap(({ receiptId, workspaceId, webhookId, settledAt, alerts }) =>
      alerts.map((alert) => ({ ...alert, receiptId, workspaceId, webhookId, settledAt })),
    );
    await insertForeignAnswers(tx, answers);
    await noteAccepted(
      tx,
      [...answered.values()].flatMap(({ workspaceId, webhookId, answered: accepted }) =>
        accepted.map(({ receiptId, receivedAt }) => ({ receiptId, workspaceId, webhookId, receivedAt })),
      ),
    );
    return {
      verdicts: inputs.map((input) => verdictOf(input, settled.has(input) || answered.has(input))),
      outputs: [],
    };
  },

  forget: () => undefined, // keeps no cache
});

/** What others settle, they settle when they normalise. */
const receiptRow = ({ outcome, reason, detail, ...item }: ReceiptsSettled['items'][number]): ReceiptRow => ({
  ...item,
  normalizedAt: item.settledAt,
  correlatedAt: null,
  outcome: outcome ?? null,
  reason: reason ?? null,
  detail: detail ?? null,
});

function verdictOf(input: Input, taken: boolean): Verdict {
  if (taken) return { kind: 'handled' };
  if (isOwn(input)) return { kind: 'skip', reason: 'not-for-this-service' };
  return { kind: 'dead-letter', reason: 'unknown-record-type', detail: `type ${input.type}` };
}
