import { setTimeout as pause } from 'node:timers/promises';
import { topics } from '@tocsin/contracts';
import { testKafka, uniquePrefix, waitFor } from '@tocsin/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { EventLog } from '../port.ts';
import { openKafka } from './index.ts';
import { removeTopics } from './remove-topics.ts';

const TOPIC = 'webhook.received';
const GATHER_MS = 2_000;
const RECORDS = 60;

let log: EventLog;
let brokers: string[];
const prefix = uniquePrefix();
beforeAll(async () => {
  ({ brokers } = await testKafka());
  log = await openKafka({ brokers, clientId: 'gather-spec', prefix });
  await log.ensureTopics({ [TOPIC]: topics[TOPIC] });
});
afterAll(async () => {
  await log.close();
  await removeTopics(brokers, prefix);
});

const record = (n: number) => ({ topic: TOPIC, key: 'one', value: Buffer.from(String(n)), headers: {} }) as const;

it('what comes within the time is read together, what comes after a pause at once', async () => {
  const batches: string[][] = [];
  await log.consume({ topic: TOPIC, group: 'gathers', mode: 'group', gatherMs: GATHER_MS }, ({ records }) => {
    batches.push(records.map(({ value }) => value.toString()));
    return Promise.resolve({ kind: 'committed', next: (records.at(-1)?.offset ?? 0n) + 1n });
  });
  await log.append([record(0)]);
  await waitFor(() => batches.length === 1, { timeoutMs: 20_000 });
  await pause(2 * GATHER_MS);

  const began = performance.now();
  await log.append([record(1)]);
  await waitFor(() => batches.length === 2, { timeoutMs: 20_000 });
  expect(performance.now() - began, 'it did not wait').toBeLessThan(GATHER_MS);

  for (let n = 2; n < RECORDS; n += 1) {
    await log.append([record(n)]);
    await pause(10);
  }
  const took = performance.now() - began;
  await waitFor(() => batches.flat().length === RECORDS, { timeoutMs: 20_000 });
  expect(batches.flat()).toEqual(Array.from({ length: RECORDS }, (_, n) => String(n)));
  // A read for each time that passed meanwhile, two at its ends, and the two above.
  expect(batches.length).toBeLessThanOrEqual(took / GATHER_MS + 4);
});
