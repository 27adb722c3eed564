import { decodeRecord, type ReceiptsSettled } from '@tocsin/contracts';
import type { Input, Stage, Verdict } from '@tocsin/postgres';
import { SAID_BY } from './receipt-outputs.ts';
import { insertForeignAnswers, upsertReceipts } from './receipt-store.ts';

type Loaded = Map<Input, ReceiptsSettled>;
const isOwn = (input: Input): boolean => input.headers[SAID_BY] === 'incident-store';

/** Receipts that never became alerts here (rejected, ignored, unreadable), so that `GET receipts/{id}` knows them too. */
export const settleReceiptsStage = (): Stage<Loaded> => ({
  load: async (inputs) =>
    new Map(
      inputs.flatMap((input) =>
        input.type === 'receipts.settled.v1' && !isOwn(input)
          ? [[input, decodeRecord('receipts.settled.v1', input.value)] as const]
          : [],
      ),
    ),

  async apply(tx, inputs, loaded) {
    const items = inputs.flatMap((input) => loaded.get(input)?.items ?? []);
    await upsertReceipts(
      tx,
      items.map(({ outcome = null, reason = null, detail = null, ...item }) => ({ ...item, outcome, reason, detail })),
    );
    const answers = items.flatMap(({ receiptId, workspaceId, webhookId, settledAt, alerts }) =>
      alerts.map((alert) => ({ ...alert, receiptId, workspaceId, webhookId, settledAt })),
    );
    await insertForeignAnswers(tx, answers);
    return { verdicts: inputs.map((input) => verdictOf(input, loaded.has(input))), outputs: [] };
  },

  forget: () => undefined, // keeps no cache
});

function verdictOf(input: Input, taken: boolean): Verdict {
  if (taken) return { kind: 'handled' };
  if (isOwn(input) || input.type === 'requests.answered.v1') return { kind: 'skip', reason: 'not-for-this-service' };
  return { kind: 'dead-letter', reason: 'unknown-record-type', detail: `type ${input.type}` };
}
