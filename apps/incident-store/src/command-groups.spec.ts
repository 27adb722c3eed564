import { describe, expect, it } from 'vitest';
import { CommandGroups, type Outcome } from './command-groups.ts';

interface Ask {
  key: string;
  n: number;
}

/** Runs groups when it is told to, and remembers what they were made of. */
function bench(outcomeOf: (ask: Ask) => Outcome<number> = ({ n }) => ({ answer: n })) {
  const ran: number[][] = [];
  const gates: (() => void)[] = [];
  let failure: Error | undefined;
  const groups = new CommandGroups<Ask, number>({
    keyOf: ({ key }) => key,
    isOurFault: (error) => (error as Error).message === 'bad data',
    async run(asks) {
      ran.push(asks.map(({ n }) => n));
      await new Promise<void>((resolve) => gates.push(resolve));
      if (failure !== undefined && (asks.length > 1 || asks[0]?.n === 2)) throw failure;
      return asks.map(outcomeOf);
    },
  });
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  return {
    groups,
    ran,
    fail: (error: Error) => (failure = error),
    turn,
    /** Lets everything that is under way, and what follows from it, come to its end. */
    async finish(answers: readonly Promise<unknown>[]): Promise<void> {
      let done = false;
      void Promise.allSettled(answers).then(() => (done = true));
      while (!done) {
        gates.splice(0).forEach((open) => open());
        await turn();
      }
    },
  };
}
const asks = (...keys: string[]): Ask[] => keys.map((key, n) => ({ key, n }));

describe('commands that come at a time', () => {
  it('run together', async () => {
    const { groups, ran, finish } = bench();
    const answers = asks('a', 'b', 'c').map((ask) => groups.add(ask));
    await finish(answers);
    expect(ran).toEqual([[0, 1, 2]]);
    expect(await Promise.all(answers)).toEqual([0, 1, 2]);
  });

  it('do not wait for company', async () => {
    const { groups, ran, finish, turn } = bench();
    const first = groups.add({ key: 'a', n: 0 });
    await turn();
    expect(ran).toEqual([[0]]);
    await finish([first]);
  });

  it('are gathered while two groups are under way', async () => {
    const { groups, ran, finish, turn } = bench();
    const answers: Promise<number>[] = [];
    for (const ask of asks('a', 'b', 'c', 'd', 'e')) {
      answers.push(groups.add(ask));
      await turn();
    }
    await finish(answers);
    expect(ran).toEqual([[0], [1], [2, 3, 4]]);
  });

  it('with the same key run one after the other, in their order', async () => {
    const { groups, ran, finish } = bench();
    const answers = asks('a', 'a', 'b', 'a').map((ask) => groups.add(ask));
    await finish(answers);
    expect(ran.map((group) => group.filter((n) => n !== 2))).toEqual([[0], [1], [3]]);
    expect(ran.flat().toSorted()).toEqual([0, 1, 2, 3]);
  });

  it('are not more than a statement can bear', async () => {
    const { groups, ran, finish } = bench();
    const answers = Array.from({ length: 150 }, (_, n) => groups.add({ key: `k${n}`, n }));
    await finish(answers);
    expect(Math.max(...ran.map(({ length }) => length))).toBe(64);
    expect(ran.flat()).toHaveLength(150);
  });

  it('have each their own refusal', async () => {
    const refused = new Error('refused');
    const { groups, finish } = bench(({ n }) => (n === 1 ? { error: refused } : { answer: n }));
    const answers = asks('a', 'b', 'c').map((ask) => groups.add(ask));
    await finish(answers);
    expect(await Promise.allSettled(answers)).toEqual([
      { status: 'fulfilled', value: 0 },
      { status: 'rejected', reason: refused },
      { status: 'fulfilled', value: 2 },
    ]);
  });

  it('are tried one by one where one of them may be at fault', async () => {
    const { groups, ran, fail, finish } = bench();
    const bad = fail(new Error('bad data'));
    const answers = asks('a', 'b', 'c').map((ask) => groups.add(ask));
    await finish(answers);
    expect(ran).toEqual([[0, 1, 2], [0], [1], [2]]);
    expect(await Promise.allSettled(answers)).toEqual([
      { status: 'fulfilled', value: 0 },
      { status: 'fulfilled', value: 1 },
      { status: 'rejected', reason: bad },
    ]);
  });

  it('fail together where none of them is', async () => {
    const { groups, ran, fail, finish } = bench();
    const away = fail(new Error('the database is away'));
    const answers = asks('a', 'b').map((ask) => groups.add(ask));
    await finish(answers);
    expect(ran).toEqual([[0, 1]]);
    expect(await Promise.allSettled(answers)).toEqual([
      { status: 'rejected', reason: away },
      { status: 'rejected', reason: away },
    ]);
  });

  it('leave nothing behind: the key is free afterwards', async () => {
    const { groups, fail, finish } = bench();
    fail(new Error('the database is away'));
    await finish(asks('a', 'b').map((ask) => groups.add(ask)));
    const again = groups.add({ key: 'a', n: 7 });
    await finish([again]);
    expect(await again).toBe(7);
  });
});
