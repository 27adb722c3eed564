import { describe, expect, it } from 'vitest';
import type { ClaimedDelivery } from './claim-store.ts';
import { LocalQueue } from './local-queue.ts';

const delivery = (subscriptionId: string, seq: number) => ({ subscriptionId, seq: String(seq) }) as ClaimedDelivery;
const seqs = (all: readonly (ClaimedDelivery | undefined)[]) => all.map((one) => one?.seq);

describe('what is held ready', () => {
  it('leaves in its order, by subscription', () => {
    const queue = new LocalQueue();
    for (const [index, id] of ['a', 'b', 'a'].entries()) queue.add(delivery(id, index), 0);
    expect([queue.size, queue.lengthOf('a'), queue.ids()]).toEqual([3, 2, ['a', 'b']]);
    expect(seqs([queue.take('a'), queue.take('a'), queue.take('a'), queue.take('b')])).toEqual([
      '0',
      '2',
      undefined,
      '1',
    ]);
    expect([queue.size, queue.ids()]).toEqual([0, []]);
  });

  it('is given up when it has waited for long, and as a whole', () => {
    const queue = new LocalQueue();
    for (let at = 0; at < 4; at += 1) queue.add(delivery(at % 2 ? 'a' : 'b', at), at);
    expect(seqs(queue.late(2)).sort()).toEqual(['0', '1']);
    expect(queue.size).toBe(2);
    queue.add(delivery('c', 4), 4);
    expect(seqs(queue.clear('c'))).toEqual(['4']);
    expect(seqs(queue.clear('nobody'))).toEqual([]);
    expect(seqs(queue.clear()).sort()).toEqual(['2', '3']);
    expect(queue.size).toBe(0);
  });

  it('says when there is room again, and does not keep anybody waiting for long', async () => {
    const queue = new LocalQueue(2);
    await queue.hasRoom(60_000);
    for (let at = 0; at < 3; at += 1) queue.add(delivery('a', at), at);
    let roomy = false;
    const waiting = queue.hasRoom(60_000).then(() => (roomy = true));
    queue.take('a');
    await Promise.resolve();
    expect(roomy).toBe(false);
    queue.take('a');
    await waiting;
    queue.add(delivery('a', 9), 9);
    await queue.hasRoom(1);
  });

  it('keeps who waits for room waiting while what is held becomes less', async () => {
    const queue = new LocalQueue(2);
    for (let at = 0; at < 20; at += 1) queue.add(delivery('a', at), at);
    let roomy = false;
    const waiting = queue.hasRoom(40).then(() => (roomy = true));
    const draining = setInterval(() => queue.take('a'), 4);
    while (queue.size > 8) await new Promise((resolve) => setTimeout(resolve, 1));
    expect(roomy).toBe(false);
    await waiting;
    clearInterval(draining);
    expect(queue.size).toBeLessThan(2);
  });
});
