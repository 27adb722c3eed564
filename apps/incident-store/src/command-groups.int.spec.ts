import { waitFor } from '@tocsin/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startStore, type Answer, type RunningStore } from './spec/store.ts';

let store: RunningStore;

beforeAll(async () => {
  store = await startStore('command-groups.int.spec');
});
afterAll(() => store.close());

const opened = (name: string, count: number) =>
  Promise.all(Array.from({ length: count }, (_, n) => store.open(`rcv_${name}_${n}`)));
const comment = (id: string, text: string, headers: Record<string, string> = {}): Promise<Answer> =>
  store.call('POST', `incidents/${id}/comments`, { text }, headers);
const statuses = (answers: readonly Answer[]) => answers.map(({ status }) => status).toSorted();
/** In how many transactions the newest events of these incidents were written. */
const transactionsOf = async (ids: readonly string[]) =>
  (
    await store.pools.pipeline.query<{ n: number }>(
      `select count(distinct e.xmin::text)::int as n from incident_store.events e join incident_store.streams s using (stream_id, version)
        where stream_id = any($1)`,
      [ids],
    )
  ).rows[0]?.n ?? 0;

describe('commands of people that come at a time', () => {
  it('share transactions, and each has its own answer and its own event', async () => {
    const ids = await opened('shared', 30);
    const answers = await Promise.all(ids.map((id, n) => comment(id, `text ${n}`)));
    expect(new Set(statuses(answers))).toEqual(new Set([201]));
    expect(answers.map(({ body }) => [body['id'], body['version']])).toEqual(ids.map((id) => [id, 2]));
    expect(await transactionsOf(ids)).toBeLessThan(15);
    await waitFor(
      () => ids.every((id) => store.events.some(({ event }) => event.stream === id && event.version === 2)),
      {
        timeoutMs: 20_000,
      },
    );
    const texts = ids.map(
      (id) => store.events.find(({ event }) => event.stream === id && event.version === 2)?.event.data,
    );
    expect(texts).toEqual(ids.map((_, n) => ({ text: `text ${n}` })));
  });

  it('are refused one by one: what is wrong with one is not the affair of the others', async () => {
    const [late = '', done = '', good = '', foreign = ''] = await opened('refused', 4);
    await store.call('POST', `incidents/${done}/acknowledge`, {});
    const answers = await Promise.all([
      comment(late, 'too late', { 'if-match': '"7"' }),
      store.call('POST', `incidents/${done}/acknowledge`, {}),
      comment(good, 'fine', { 'if-match': '"1"' }),
      store.asStranger('POST', `incidents/${foreign}/comments`, { text: 'not mine' }),
      comment('inc_aaaaaaaaaaaaaaaaaaaaaaaaaa', 'nowhere'),
    ]);
    expect(answers.map(({ status, body }) => [status, body['code']])).toEqual([
      [412, 'precondition-failed'],
      [409, 'wrong-state'],
      [201, undefined],
      [404, 'not-found'],
      [404, 'not-found'],
    ]);
    const { body } = await store.call('GET', `incidents/${foreign}`);
    expect(body['version']).toBe(1);
  });

  it('on one incident keep their order and never overtake a version', async () => {
    const [id = ''] = await opened('one', 1);
    const answers = await Promise.all(Array.from({ length: 12 }, (_, n) => comment(id, `text ${n}`)));
    expect(answers.map(({ body }) => body['version']).toSorted((a, b) => Number(a) - Number(b))).toEqual(
      Array.from({ length: 12 }, (_, n) => n + 2),
    );
    const guarded = await Promise.all([1, 2, 3].map((n) => comment(id, `once ${n}`, { 'if-match': '"13"' })));
    expect(statuses(guarded)).toEqual([201, 412, 412]);
  });

  it('under one Idempotency-Key have one effect, whether they are repeated at once or later', async () => {
    const ids = await opened('repeated', 3);
    const key = { 'idempotency-key': 'the same' };
    const answers = await Promise.all([...ids, ...ids].map((id) => comment(id, 'once', key)));
    expect(new Set(statuses(answers))).toEqual(new Set([201]));
    const events = (answer?: Answer) => answer?.body['events'];
    for (const [n] of ids.entries()) expect(events(answers[n])).toEqual(events(answers[n + ids.length]));
    const again = await comment(ids[0] ?? '', 'once', key);
    expect([again.body['version'], events(again)]).toEqual([2, events(answers[0])]);
    expect((await comment(ids[0] ?? '', 'something else', key)).status).toBe(409);
  });

  it('resolve together and give their keys back', async () => {
    const ids = await opened('resolved', 5);
    const answers = await Promise.all(ids.map((id) => store.call('POST', `incidents/${id}/resolve`, {})));
    expect(new Set(statuses(answers))).toEqual(new Set([200]));
    const closed = await waitFor(
      () => {
        const facts = store.facts.filter(({ incidentId, fact }) => ids.includes(incidentId) && fact.kind === 'closed');
        return facts.length === ids.length ? facts : undefined;
      },
      { timeoutMs: 20_000 },
    );
    for (const { keys } of closed) expect(keys).toHaveLength(1);
    const { rows } = await store.pools.pipeline.query(
      'select from incident_store.key_holders where incident_id = any($1)',
      [ids],
    );
    expect(rows).toHaveLength(0);
  });

  it('in bulk are many at a time, too, and keep the order of their answers', async () => {
    const ids = await opened('bulk', 20);
    const { body } = await store.call('POST', 'incidents/bulk', { ids, command: 'acknowledge' });
    const results = body['results'] as { id: string; ok: boolean; status: string }[];
    expect(results.map(({ id, ok, status }) => [id, ok, status])).toEqual(ids.map((id) => [id, true, 'acknowledged']));
    expect(await transactionsOf(ids)).toBeLessThan(5);
  });
});
