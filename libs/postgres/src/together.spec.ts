import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { inTurns } from './together.ts';

/** Takes the time of this process, as serialising many rows does. */
function work(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

describe('parts in turns', () => {
  it('are begun in their order, none of them waiting for the answer of another', async () => {
    const begun: number[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    await inTurns(
      () => (begun.push(1), promise),
      () => begun.push(2),
      () => (begun.push(3), resolve()),
    );
    expect(begun).toEqual([1, 2, 3]);
  });

  it('let what is ready go out before the next takes its time', async () => {
    const seen: string[] = [];
    const slow = (name: string) => () => {
      setImmediate(() => seen.push(`${name} is out`));
      work(5);
      seen.push(`${name} is ready`);
    };
    await inTurns(slow('one'), slow('two'), () => seen.push('the end'));
    expect(seen).toEqual(['one is ready', 'one is out', 'two is ready', 'two is out', 'the end']);
  });

  it('fail with the first failure in their order, and not before all are answered', async () => {
    const answered: string[] = [];
    const failing = inTurns(
      () => pause(30).then(() => answered.push('a')),
      () => pause(20).then(() => Promise.reject(new Error('the first'))),
      () => {
        throw new Error('what follows from it');
      },
      () => pause(60).then(() => answered.push('d')),
    );
    await expect(failing).rejects.toThrow('the first');
    expect(answered).toEqual(['a', 'd']);
  });

  it('that fail while later ones are made ready are nobody else’s affair', async () => {
    const unhandled: unknown[] = [];
    const note = (error: unknown) => unhandled.push(error);
    process.on('unhandledRejection', note);
    const failing = inTurns(
      () => Promise.reject(new Error('at once')),
      () => work(3),
      () => work(3),
      () => pause(20),
    );
    await expect(failing).rejects.toThrow('at once');
    process.off('unhandledRejection', note);
    expect(unhandled).toEqual([]);
  });
});
