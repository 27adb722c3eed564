import { decodeFacts, type ReceiptFacts } from '@tocsin/contracts';
import { headerNames } from '@tocsin/event-log';
import type { ConfigurationFeed } from '@tocsin/nest-shell';
import type { Input, Stage, Tx, Verdict } from '@tocsin/postgres';
import { countAccepted, countSettled, type HeardReceipt, hearReceipts, isCounted } from '../ledger/ledger-store.ts';
import { CAPTURED_MAX, insertDeliveries, type NewDelivery, trimCaptured } from './delivery-store.ts';
import { keptPayload } from './kept-payload.ts';
import type { EarlyNews } from './news.ts';
import { keepingOf, type SamplingRule } from './sampling.ts';

export interface RecordReceiptsParts {
  feed: Pick<ConfigurationFeed, 'webhook'>;
  clock: () => Date;
  sampling: SamplingRule;
}

interface Received {
  facts: ReceiptFacts;
  body: Buffer;
}
type Loaded = Map<Input, Received>;

/**
 * Counts what was accepted and keeps the rows of the delivery log. A receipt is known by its id, so one that comes again (a resend, a
 * record read twice) is neither counted nor kept again. Outcomes may be here already.
 */
export const recordReceiptsStage = (parts: RecordReceiptsParts): Stage<Loaded> => ({
  load: (inputs) =>
    Promise.resolve(
      new Map(
        inputs.flatMap((input) => {
          const facts = factsOf(input);
          return facts ? [[input, { facts, body: input.value }] as const] : [];
        }),
      ),
    ),

  async apply(tx, inputs, loaded) {
    await record(tx, parts, countable([...loaded.values()], parts.clock()));
    return { verdicts: inputs.map((input) => verdictOf(loaded.has(input))), outputs: [] };
  },

  forget: () => undefined, // keeps no cache
});

/** What is no receipt is the normalizer's to dead-letter. */
const verdictOf = (taken: boolean): Verdict =>
  taken ? { kind: 'handled' } : { kind: 'skip', reason: 'not-for-this-service' };

function factsOf(input: Input): ReceiptFacts | undefined {
  const header = input.headers[headerNames.facts];
  if (input.type !== 'webhook.received.v1' || header === undefined) return undefined;
  try {
    const facts = decodeFacts('webhook.received.v1', header) as Partial<ReceiptFacts> | null;
    const ids = [facts?.receiptId, facts?.workspaceId, facts?.webhookId, facts?.connector];
    if (ids.some((id) => typeof id !== 'string' || id === '')) return undefined;
    return Number.isNaN(Date.parse(facts?.receivedAt ?? '')) ? undefined : (facts as ReceiptFacts);
  } catch {
    return undefined; // the facts are not JSON
  }
}

/** The first of each receipt, in the order in which they came. */
function countable(received: readonly Received[], now: Date): Map<string, Received> {
  const first = new Map<string, Received>();
  for (const one of received)
    if (isCounted(one.facts.receivedAt, now) && !first.has(one.facts.receiptId)) first.set(one.facts.receiptId, one);
  return first;
}

type Heard = HeardReceipt<EarlyNews> & Received;

async function record(tx: Tx, parts: RecordReceiptsParts, received: ReadonlyMap<string, Received>): Promise<void> {
  if (received.size === 0) return;
  const answers = await hearReceipts<EarlyNews>(
    tx,
    [...received.values()].map(({ facts }) => facts),
  );
  const byId = new Map(answers.map((one) => [one.receiptId, one]));
  const heard = [...received].flatMap(([id, one]): Heard[] => {
    const answer = byId.get(id);
    return answer ? [{ ...answer, ...one }] : [];
  });
  if (heard.length === 0) return;
  const ordinals = await count(tx, heard);
  const kept = keepLast(heard.flatMap((one) => deliveryOf(parts, one, ordinals.get(one.receiptId) ?? 1)));
  await insertDeliveries(tx, kept);
  const captured = kept.filter((one) => one.captured || one.early?.outcome?.outcomes.includes('captured'));
  await trimCaptured(tx, [...new Set(captured.map(({ facts }) => facts.webhookId))]);
}

const keyOf = ({ facts, minute }: Heard) => ({ workspaceId: facts.workspaceId, webhookId: facts.webhookId, minute });

/** Counts them, and says which receipt of its webhook and minute each one is. */
async function count(tx: Tx, heard: readonly Heard[]): Promise<Map<string, number>> {
  const minutes = await countAccepted(
    tx,
    heard.map((one) => ({ ...keyOf(one), receipts: 1, accepted: one.weight })),
  );
  await countSettled(
    tx,
    heard.flatMap((one) => (one.early ? [{ ...keyOf(one), counts: one.early.counts }] : [])),
  );
  const groups = Map.groupBy(heard, ({ facts, minute }) => `${facts.webhookId} ${minute}`);
  return new Map(
    minutes.flatMap(({ webhookId, minute, receipts }) => {
      const group = groups.get(`${webhookId} ${minute}`) ?? [];
      return group.map(({ receiptId }, at) => [receiptId, receipts - group.length + 1 + at] as const);
    }),
  );
}

function deliveryOf({ feed, sampling }: RecordReceiptsParts, heard: Heard, ordinal: number): NewDelivery[] {
  const { facts, body, complete } = heard;
  const captured = feed.webhook(facts.webhookId)?.body.mode === 'capture';
  const keeping = captured ? 'full' : keepingOf(ordinal, sampling);
  if (keeping === 'no') return [];
  const outcome = heard.early?.outcome ?? null;
  const early = heard.early && { ...heard.early, outcome: outcome && { ...outcome, complete } };
  return [
    {
      facts,
      sizeBytes: body.length,
      sampled: keeping === 'sample',
      captured,
      payload: keptPayload(body, facts),
      early,
    },
  ];
}

/** Of what is captured only the last ones stay, so no more need be written. */
function keepLast(deliveries: readonly NewDelivery[]): NewDelivery[] {
  const captured = Map.groupBy(
    deliveries.filter((one) => one.captured),
    ({ facts }) => facts.webhookId,
  );
  const last = new Set([...captured.values()].flatMap((group) => group.slice(-CAPTURED_MAX)));
  return deliveries.filter((one) => !one.captured || last.has(one));
}
