import { outcomes as outcomeNames, type Outcome } from '@tocsin/contracts';
import { createPools, type Input, type Pools, type Stage } from '@tocsin/postgres';
import { testDatabase } from '@tocsin/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { recordOutcomesStage } from '../inbound-log/record-outcomes-batch.ts';
import { recordReceiptsStage } from '../inbound-log/record-receipts-batch.ts';
import {
  answered,
  answerOf,
  item,
  NOW,
  receiptNumber,
  received,
  run,
  settled,
  whole,
} from '../inbound-log/spec-parts.ts';
import { controlPlane } from '../index.ts';
import { LedgerQueries } from './ledger-queries.ts';

let database: Awaited<ReturnType<typeof testDatabase>>;
let pools: Pools;
const clock = () => NOW;
const feed = { webhook: () => undefined };
const receipts = recordReceiptsStage({ feed, clock, sampling: { rowsPerMinute: 3, every: 2 } }) as Stage<unknown>;
const outcomes = recordOutcomesStage(clock) as Stage<unknown>;

beforeAll(async () => {
  database = await testDatabase({ migrations: [{ schema: 'control_plane', directory: controlPlane.migrations! }] });
  pools = createPools({ connectionString: database.url, applicationName: 'ledger-spec', max: 6 });
});
afterAll(async () => {
  await pools?.close();
  await database?.drop();
});

interface Plan {
  webhookId: string;
  receivedAt: string;
  /** Outcome of each alert, or of the whole receipt where there is none. */
  words: Outcome[];
  whole: Outcome;
  /** How many of its outcomes are told in this run. */
  told: number;
}
const word = fc.constantFrom(...outcomeNames);
const plan: fc.Arbitrary<Plan> = fc.record({
  webhookId: fc.constantFrom('whk_a', 'whk_b'),
  receivedAt: fc.constantFrom('2026-11-21T09:15:01.000Z', '2026-11-21T09:15:59.999Z', '2026-11-21T09:16:00.000Z'),
  words: fc.array(word, { maxLength: 5 }),
  whole: word,
  told: fc.nat(6),
});

/** Records about one receipt: the receipt itself, its outcomes in pieces, its answer. */
function recordsOf({ webhookId, receivedAt, words, whole: one, told }: Plan, n: number) {
  const id = receiptNumber(n);
  const key = { webhookId, receivedAt };
  const pieces =
    words.length === 0
      ? told > 0
        ? [settled(whole(id, one, key))]
        : []
      : words.slice(0, told).map((outcome, at) => settled(item(id, words.length, [answerOf(id, at, outcome)], key)));
  const answer = answered({ webhookId, answered: [{ receiptId: id, receivedAt, responseCode: 202, latencyMs: 1 }] });
  return { in: [received(id, '{}', key)], out: [...pieces, answer] };
}

/** The list in another order with some of it more than once, cut into batches. */
const interleaved = (records: Input[], seed: fc.GeneratorValue): Input[][] => {
  const doubled = [...records, ...records.filter(() => seed(fc.boolean))];
  const order = doubled.map((record) => [seed(fc.nat, 1_000_000), record] as const).sort(([a], [b]) => a - b);
  const batches: Input[][] = [];
  for (const [, record] of order) {
    const last = batches.at(-1);
    if (last && seed(fc.nat, 3) > 0) last.push(record);
    else batches.push([record]);
  }
  return batches;
};

/** Several partitions are read at the same time, each in its own order. */
async function readAll(stage: Stage<unknown>, batches: readonly Input[][]): Promise<void> {
  for (const batch of batches) {
    await run(pools.pipeline, stage, batch);
    for (const row of await rows()) expect(row.accepted).toBe(sum(row.outcomes) + row.in_flight);
  }
}
const sum = (counts: Record<string, number>): number => Object.values(counts).reduce((a, b) => a + b, 0);
const rows = async () => (await new LedgerQueries(pools.rest, clock).read('ws_a', { limit: 200 })).items;

it('balances at every moment, whatever the order and however often, and ends exact', { timeout: 300_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(plan, { minLength: 1, maxLength: 8 }), fc.gen(), async (plans, seed) => {
      for (const table of ['ledger_receipts', 'ledger_minutes', 'ledger_outcomes', 'inbound_deliveries'])
        await pools.pipeline.query(`delete from control_plane.${table}`);
      const records = plans.map(recordsOf);
      const out = interleaved(
        records.flatMap((one) => one.out),
        seed,
      );
      const half = out.filter(() => seed(fc.boolean));
      await Promise.all([
        readAll(
          receipts,
          interleaved(
            records.flatMap((one) => one.in),
            seed,
          ),
        ),
        readAll(outcomes, half),
        readAll(
          outcomes,
          out.filter((batch) => !half.includes(batch)),
        ),
      ]);

      const found = await rows();
      expect(found.every(({ balanced, ahead }) => balanced && ahead === 0)).toBe(true);
      for (const key of minutes)
        expectExact(
          plans,
          key,
          found.find((row) => isOf(row, key)),
        );
    }),
    { numRuns: 25 },
  );
});

/** As one until an outcome says how many alerts it has. */
const weightOf = (words: readonly Outcome[], told: number): number => (told === 0 ? 1 : Math.max(words.length, 1));

type Row = Awaited<ReturnType<typeof rows>>[number];
type Key = { webhook_id: string; minute: string };
const minutes: Key[] = ['whk_a', 'whk_b'].flatMap((webhook_id) =>
  ['2026-11-21T09:15:00.000Z', '2026-11-21T09:16:00.000Z'].map((minute) => ({ webhook_id, minute })),
);
const isOf = (row: Row, { webhook_id, minute }: Key): boolean => row.webhook_id === webhook_id && row.minute === minute;

function expectExact(plans: readonly Plan[], { webhook_id, minute }: Key, row: Row | undefined): void {
  const of = plans.filter((one) => one.webhookId === webhook_id && one.receivedAt.startsWith(minute.slice(0, 16)));
  const told = of.flatMap((one) => (one.words.length === 0 ? [one.whole] : one.words).slice(0, one.told));
  const counts = Object.fromEntries(outcomeNames.map((name) => [name, told.filter((word) => word === name).length]));
  expect(row?.receipts ?? 0).toBe(of.length);
  expect(row?.accepted ?? 0).toBe(of.reduce((all, one) => all + weightOf(one.words, one.told), 0));
  expect(row?.outcomes ?? counts).toEqual(counts);
}
