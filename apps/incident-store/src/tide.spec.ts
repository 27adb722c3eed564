import { topics, type Topic } from '@tocsin/contracts';
import type { EventLog } from '@tocsin/event-log';
import { openJournal } from '@tocsin/event-log/journal';
import { waitFor } from '@tocsin/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Tide } from './tide.ts';

let log: EventLog;
beforeEach(async () => {
  log = await openJournal();
  await log.ensureTopics(topics);
});
afterEach(() => log.close());

const at = (minute: number): Date => new Date(Date.UTC(2026, 0, 1, 9, minute));
const say = (topic: Topic, key = 'a'): Promise<void> =>
  log.append([{ topic, key, value: Buffer.from('{}'), headers: { type: 'x' } }]);

/** A reader that takes records only while its gate is open, and hands them on. */
async function reader(group: string, topic: Topic, on?: Topic) {
  const gate = { open: true };
  await log.consume({ topic, group, mode: 'group' }, async ({ records }) => {
    if (!gate.open) return { kind: 'retry', afterMs: 5, reason: 'handler-failed' };
    for (const { key } of records) if (on) await say(on, key ?? '');
    return { kind: 'committed', next: records.at(-1)!.offset + 1n };
  });
  return gate;
}
const reaches = (tide: Tide, now: Date) =>
  waitFor(async () => (await tide.advance(now))?.getTime() === now.getTime(), { timeoutMs: 10_000 });

it('knows at once that all was heard where nothing is on its way', async () => {
  expect(await new Tide(log).advance(at(0))).toEqual(at(0));
});

it.each([
  ['normalizer', 'webhook.received'],
  ['dedup-correlator', 'correlation.inputs'],
  ['incident-store', 'alert.correlated'],
] as const)('does not get past what %s has not read', async (slow, topic) => {
  const gates = {
    normalizer: await reader('normalizer', 'webhook.received', 'correlation.inputs'),
    'dedup-correlator': await reader('dedup-correlator', 'correlation.inputs', 'alert.correlated'),
    'incident-store': await reader('incident-store', 'alert.correlated'),
  };
  const tide = new Tide(log);
  await reaches(tide, at(0));
  gates[slow].open = false;
  await say('webhook.received');
  await waitFor(async () => (await log.lag(slow, [topic])).some(({ lag }) => lag > 0n), { timeoutMs: 10_000 });
  expect(await tide.advance(at(1))).toEqual(at(0));
  expect(await tide.advance(at(2))).toEqual(at(0));
  gates[slow].open = true;
  await waitFor(async () => (await tide.advance(at(3)))!.getTime() >= at(1).getTime(), { timeoutMs: 10_000 });
});

it('rises though there is always something on its way', async () => {
  await reader('normalizer', 'webhook.received', 'correlation.inputs');
  await reader('dedup-correlator', 'correlation.inputs', 'alert.correlated');
  const last = await reader('incident-store', 'alert.correlated');
  const tide = new Tide(log);
  for (let minute = 0; minute < 5; minute++) {
    await say('webhook.received', String(minute));
    await reaches(tide, at(minute));
  }
  last.open = false;
  await say('alert.correlated');
  expect(await tide.advance(at(9))).toEqual(at(4));
});
