import {
  decodeRecord,
  deriveId,
  type ReceiptsErased,
  type ReceiptsSettled,
  type RequestsAnswered,
} from '@tocsin/contracts';
import type { Input, Stage, Tx, Verdict } from '@tocsin/postgres';
import {
  countAccepted,
  countSettled,
  isCounted,
  keepEarly,
  settleReceipts,
  type SettledReceipt,
  unheardReceipts,
} from '../ledger/ledger-store.ts';
import { countOutcomes, membershipOf, type Settlement, settlementsOf } from '../ledger/settlement.ts';
import { noteSeenServices, seenServicesOf, type SeenService } from '../topology/service-store.ts';
import { countRejected, noteAnswers, noteOutcomes, trimCaptured } from './delivery-store.ts';
import { forgetPayloads } from './forget-payloads.ts';
import { type Answered, answeredOf, type EarlyNews, mergeEarly, newsOf, type Rejected, rejectedOf } from './news.ts';

interface Loaded {
  taken: ReadonlySet<Input>;
  settlements: Settlement[];
  answered: Answered[];
  rejected: Rejected[];
  erased: ReceiptsErased[];
  services: SeenService[];
}

/**
 * Fills in what became of receipts: outcomes into ledger and rows, answers into rows, refusals counted. What is told of a receipt that is
 * not heard of yet waits at its place in the ledger. An alert counts once, however often its outcome is told.
 */
export const recordOutcomesStage = (clock: () => Date): Stage<Loaded> => ({
  load(inputs) {
    const settled = new Map<Input, ReceiptsSettled>();
    const answers = new Map<Input, RequestsAnswered>();
    const erased = new Map<Input, ReceiptsErased>();
    for (const input of inputs) {
      if (input.type === 'receipts.settled.v1') settled.set(input, decodeRecord(input.type, input.value));
      if (input.type === 'requests.answered.v1') answers.set(input, decodeRecord(input.type, input.value));
      if (input.type === 'receipts.erased.v1') erased.set(input, decodeRecord(input.type, input.value));
    }
    const now = clock();
    return Promise.resolve({
      taken: new Set([...settled.keys(), ...answers.keys(), ...erased.keys()]),
      settlements: settlementsOf(
        [...settled.values()].flatMap(({ items }) => items).filter((item) => isCounted(item.receivedAt, now)),
      ),
      answered: answeredOf([...answers.values()]).filter((one) => isCounted(one.receivedAt, now)),
      rejected: rejectedOf([...answers.values()]),
      erased: [...erased.values()],
      services: seenServicesOf([...settled.values()].flatMap(({ items }) => items)),
    });
  },

  async apply(tx, inputs, { taken, settlements, answered, rejected, erased, services }) {
    if (settlements.length > 0) await settle(tx, settlements);
    if (answered.length > 0) await answer(tx, answered);
    await countRejected(tx, rejected.map(withId).sort(byId));
    await forgetPayloads(tx, erased);
    await noteSeenServices(tx, services);
    return { verdicts: inputs.map((input) => verdictOf(taken.has(input))), outputs: [] };
  },

  forget: () => undefined, // keeps no cache
});

/** A record of a later version: somebody else may know what it is. */
const verdictOf = (taken: boolean): Verdict =>
  taken ? { kind: 'handled' } : { kind: 'skip', reason: 'not-for-this-service' };

const withId = (one: Rejected) => ({
  ...one,
  id: deriveId('rej', one.webhookId, one.minute, one.problem, one.reason),
});
const byId = (a: { id: string }, b: { id: string }): number => (a.id < b.id ? -1 : 1);

interface Told extends SettledReceipt<EarlyNews> {
  settlement: Settlement;
}

/** Settlements into ledger and rows; those of receipts that are not heard of yet wait. */
export async function settle(tx: Tx, settlements: readonly Settlement[]): Promise<void> {
  const answers = new Map(
    (await settleReceipts<EarlyNews>(tx, settlements)).map((one) => [one.receiptId, one] as const),
  );
  const told = settlements.flatMap((settlement): Told[] => {
    const answer = answers.get(settlement.receiptId);
    return answer ? [{ ...answer, settlement }] : [];
  });
  const heard = told.filter((one) => one.heard);
  const keyed = ({ settlement: { workspaceId, webhookId }, minute }: Told) => ({ workspaceId, webhookId, minute });
  await countAccepted(
    tx,
    heard.filter(({ grown }) => grown > 0).map((one) => ({ ...keyed(one), receipts: 0, accepted: one.grown })),
  );
  await countSettled(
    tx,
    heard.map((one) => ({ ...keyed(one), counts: freshCounts(one) })),
  );
  const news = heard.flatMap(({ receiptId, settlement, complete }) => {
    const one = newsOf(settlement, complete);
    return one ? [{ receiptId, ...one }] : [];
  });
  await noteOutcomes(tx, news);
  await keepEarly(tx, told.filter((one) => !one.heard).map(earlyOf));
  const captured = heard.filter(({ settlement }) => settlement.alerts.some(({ outcome }) => outcome === 'captured'));
  await trimCaptured(tx, [...new Set(captured.map(({ settlement }) => settlement.webhookId))]);
}

/** Outcomes of the alerts that had none before. */
function freshCounts({ fresh, settlement }: Told) {
  const isFresh = membershipOf(fresh);
  return countOutcomes(settlement.alerts.filter(({ index }) => isFresh(index)));
}

const earlyOf = (one: Told) => ({
  receiptId: one.receiptId,
  early: mergeEarly(one.early, {
    counts: freshCounts(one),
    outcome: newsOf(one.settlement, one.complete) ?? null,
  }),
});

async function answer(tx: Tx, answered: readonly Answered[]): Promise<void> {
  const unheard = await unheardReceipts<EarlyNews>(tx, answered);
  const byReceipt = new Map(answered.map((one) => [one.receiptId, one]));
  await keepEarly(
    tx,
    unheard.flatMap(({ receiptId, early }) => {
      const one = byReceipt.get(receiptId);
      if (!one) return [];
      const { responseCode, latencyMs } = one;
      return [{ receiptId, early: mergeEarly(early, { answer: { responseCode, latencyMs } }) }];
    }),
  );
  await noteAnswers(tx, answered);
}
