import type { Logger } from '@tocsin/nest-shell';
import type { CommitCommand } from '@tocsin/postgres';
import { expect, it } from 'vitest';
import { SettleQueue } from './settle-queue.ts';
import type { SettledDelivery } from './settle-store.ts';

it('a result that comes alone is stored at once, those of a stream share transactions, and none is forgotten', async () => {
  const open: (() => void)[] = [];
  const commits: number[] = [];
  // What a transaction stores is not looked at here: only how often there is one, and when.
  const commitCommand = (() => {
    commits.push(performance.now());
    return new Promise((resolve) => open.push(() => resolve([])));
  }) as unknown as CommitCommand;
  const quiet = { warn: () => undefined } as unknown as Logger;
  const queue = new SettleQueue(
    commitCommand,
    () => undefined,
    () => new Date(0),
    {
      log: quiet,
      endpoints: { policyOf: () => ({}) as never, random: () => 0 },
    },
  );
  const result = {} as SettledDelivery;
  const first = queue.add(result);
  await new Promise((turn) => setImmediate(turn));
  expect(commits).toHaveLength(1);
  open.shift()?.();
  await first;
  const stream = Array.from({ length: 10 }, () => queue.add(result));
  await new Promise((turn) => setImmediate(turn));
  expect(commits).toHaveLength(1);
  const finishing = setInterval(() => open.shift()?.(), 1);
  await Promise.all(stream);
  expect(commits).toHaveLength(2);
  // Enough for a transaction does not wait; what comes as the last one ends begins another.
  const many = Array.from({ length: 64 }, () => queue.add(result));
  const after = Promise.all(many).then(() => queue.add(result));
  await after;
  clearInterval(finishing);
  expect(commits).toHaveLength(4);
});
