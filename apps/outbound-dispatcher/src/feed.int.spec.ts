import { describe, expect, it } from 'vitest';
import { waitFor } from '@tocsin/testing';
import { inTransaction } from './look-for-work.ts';
import { aBatch, anIncidentEvent } from './spec/events.ts';
import { aSubscription, SUBSCRIPTION, WORKSPACE } from './spec/harness.ts';
import { commandsOf, installation, logOf } from './spec/installation.ts';

const { dispatcher } = installation();
const documents = [aSubscription({ url: 'about:feed', delivery: 'pull' })];
const start = () => {
  const running = dispatcher(documents);
  const { feeds } = commandsOf(running, documents);
  const read = (asked: { after?: string; limit?: number; wait?: number } = {}) =>
    feeds.read(WORKSPACE, SUBSCRIPTION, { limit: 100, wait: 0, ...asked });
  return { running, feeds, read };
};
const events = (from: number, to: number) =>
  aBatch(...Array.from({ length: to - from + 1 }, (_, index) => anIncidentEvent('one', from + index)));
const numbers = (answer: { items: { sequence: number | null }[] }) => answer.items.map(({ sequence }) => sequence);

describe('a feed', () => {
  it('gives events in order, page by page, again until they are acknowledged, and then what follows', async () => {
    const { running, feeds, read } = start();
    await running.dispatcher.plan(events(1, 3));
    await running.dispatcher.plan(events(4, 5));
    const first = await waitFor(async () => {
      const answer = await read({ limit: 3 });
      return answer.items.length === 3 && answer;
    });
    expect([numbers(first), first.acknowledged]).toEqual([[1, 2, 3], null]);
    expect(first.items[0]?.payload).toMatchObject({ type: 'incident.acknowledged', id: first.items[0]?.id });
    expect(numbers(await read({ after: first.next_after! }))).toEqual([4, 5]);
    expect(numbers(await read())).toEqual([1, 2, 3, 4, 5]);
    expect(await feeds.acknowledge(WORKSPACE, SUBSCRIPTION, first.items[1]!.cursor)).toMatchObject({ count: 2 });
    expect(numbers(await read())).toEqual([3, 4, 5]);
    expect(await feeds.acknowledge(WORKSPACE, SUBSCRIPTION, first.items[0]!.cursor)).toEqual({
      ...{ acknowledged: first.items[1]!.cursor, count: 0 },
    });
    expect((await logOf(running)).map(({ status }) => status).sort()).toEqual([
      ...['delivered', 'delivered', 'pending', 'pending', 'pending'],
    ]);
  });

  it('waits for the next event where there is none, no longer than asked', async () => {
    const { running, read } = start();
    expect((await read({ wait: 0 })).items).toEqual([]);
    const waiting = read({ wait: 30 });
    await running.dispatcher.plan(events(1, 1));
    expect(numbers(await waiting)).toEqual([1]);
  });

  it('misses nothing of a transaction that began earlier and commits later', async () => {
    const { running, read } = start();
    let commit: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (commit = resolve));
    let begun: () => void = () => undefined;
    const began = new Promise<void>((resolve) => (begun = resolve));
    const slow = inTransaction(running.pools.pipeline, async (tx) => {
      await tx.query('select pg_current_xact_id()');
      begun();
      await held;
      await tx.query(
        `insert into outbound_dispatcher.deliveries (id, workspace_id, subscription_id, subscription_name, config_revision, event_id, event_type,
                body, due_at, head, feed_xid)
         values ('dlv_slow', $1, $2, 'x', 1, 'evt_slow', 'incident.created', '{}', 'infinity', false, pg_current_xact_id())`,
        [WORKSPACE, SUBSCRIPTION],
      );
    });
    await began;
    await running.dispatcher.plan(events(1, 2));
    // The later transaction has committed; it is not shown while the earlier one is open.
    await waitFor(async () => (await logOf(running)).length === 2);
    expect((await read()).items).toEqual([]);
    commit();
    await slow;
    const all = await waitFor(async () => {
      const answer = await read();
      return answer.items.length === 3 && answer;
    });
    expect(all.items.map(({ id }) => id)[0]).toBe('evt_slow');
  });

  it('is refused for a subscription that is sent to, a cursor of nobody’s, and another workspace', async () => {
    const { running, feeds, read } = start();
    await expect(read({ after: 'x' })).rejects.toMatchObject({ code: 'validation-failed' });
    await expect(feeds.acknowledge(WORKSPACE, SUBSCRIPTION, 'x')).rejects.toMatchObject({ code: 'validation-failed' });
    await expect(feeds.read('ws_other', SUBSCRIPTION, { limit: 1, wait: 0 })).rejects.toMatchObject({
      code: 'not-found',
    });
    const pushed = commandsOf(running, [aSubscription({ url: 'http://127.0.0.1:1/' })]).feeds;
    await expect(pushed.read(WORKSPACE, SUBSCRIPTION, { limit: 1, wait: 0 })).rejects.toMatchObject({
      code: 'conflict',
    });
  });
});
