import { decodeRecord, type RequestsAnswered } from '@tocsin/contracts';
import type { AppendRecord } from '@tocsin/event-log';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { AnswersLog } from './answers-log.ts';
import { MINUTE_MS, type FirstRefused } from './answer-tally.ts';

const START = Date.parse('2026-11-21T10:00:30.000Z');
const webhook = { id: 'whk_1', workspaceId: 'ws_1' };
const inFull = (): FirstRefused => ({
  requestId: 'req_1',
  at: new Date(START).toISOString(),
  responseCode: 401,
  method: 'POST',
  sizeBytes: 2,
  clientNetwork: '192.0.2.7',
  headers: { 'user-agent': 'spec/1' },
  detail: 'The credential is wrong.',
});
const refused = (at = START, reason = 'credential-wrong') => ({ at, problem: 'authentication-failed', reason, inFull });
const accepted = (n: number) => ({
  receiptId: `rcv_${n}`,
  receivedAt: new Date(START).toISOString(),
  responseCode: 202,
  latencyMs: 1.5,
});

let log: AnswersLog | undefined;
afterEach(() => log?.stop());

/** A log of answers, and what it has appended; `append` may fail or take its time. */
function answersLog(append: (records: readonly AppendRecord[]) => Promise<void> = () => Promise.resolve()) {
  const appended: AppendRecord[][] = [];
  const tried: AppendRecord[][] = [];
  log = new AnswersLog({
    eventLog: {
      append: async (records) => {
        tried.push([...records]);
        await append(records);
        appended.push([...records]);
      },
    },
    log: pino({ level: 'silent' }),
    now: () => START,
    runId: 'run',
  });
  const values = (): RequestsAnswered[] =>
    appended.flat().map(({ value }) => decodeRecord('requests.answered.v1', value));
  return { log, appended, tried, values };
}

describe('what is said about answers', () => {
  it('is one append with a record per webhook, under its key', async () => {
    const { log, appended, values } = answersLog();
    log.accepted(webhook, accepted(1));
    log.accepted({ id: 'whk_2', workspaceId: 'ws_2' }, accepted(2));
    log.refused(webhook, refused());
    await log.flush();
    expect(appended).toHaveLength(1);
    expect(appended[0]?.map(({ topic, key, headers }) => [topic, key, headers.type, headers.mark])).toEqual([
      ['webhook.outcomes', 'whk_1', 'requests.answered.v1', 'ingress-gateway/run;1;0'],
      ['webhook.outcomes', 'whk_2', 'requests.answered.v1', 'ingress-gateway/run;1;1'],
    ]);
    const rejected = {
      minute: '2026-11-21T10:00:00.000Z',
      problem: 'authentication-failed',
      reason: 'credential-wrong',
      count: 1,
      first: inFull(),
    };
    expect(values()).toEqual([
      { workspaceId: 'ws_1', webhookId: 'whk_1', answered: [accepted(1)], rejected: [rejected] },
      { workspaceId: 'ws_2', webhookId: 'whk_2', answered: [accepted(2)], rejected: [] },
    ]);
    await log.flush();
    expect(appended).toHaveLength(1);
  });

  it('counts every refusal, and shows the first of each reason and minute once', async () => {
    const { log, values } = answersLog();
    const refuse = async (times: number, at: number, reason?: string) => {
      for (let n = 0; n < times; n += 1) log.refused(webhook, refused(at, reason));
      await log.flush();
    };
    await refuse(300, START);
    await refuse(20, START);
    await refuse(1, START, 'credential-missing');
    await refuse(5, START + MINUTE_MS);
    expect(
      values().flatMap(({ rejected }) =>
        rejected.map(({ minute, reason, count, first }) => [minute, reason, count, !!first]),
      ),
    ).toEqual([
      ['2026-11-21T10:00:00.000Z', 'credential-wrong', 300, true],
      ['2026-11-21T10:00:00.000Z', 'credential-wrong', 20, false],
      ['2026-11-21T10:00:00.000Z', 'credential-missing', 1, true],
      ['2026-11-21T10:01:00.000Z', 'credential-wrong', 5, true],
    ]);
  });

  it('is a sample of the accepted ones above fifty a webhook', async () => {
    const { log, values } = answersLog();
    for (let n = 0; n < 1_000; n += 1) log.accepted(webhook, accepted(n));
    await log.flush();
    expect(values()[0]?.answered).toHaveLength(50);
  });

  it('is said again as it was, under the same marks, where the append failed, and then the rest', async () => {
    let away = true;
    const { log, tried, values } = answersLog(() => (away ? Promise.reject(new Error('away')) : Promise.resolve()));
    log.refused(webhook, refused());
    await log.flush();
    log.refused(webhook, refused());
    log.refused(webhook, refused());
    await log.flush();
    away = false;
    await log.flush();
    await log.flush();
    expect(tried[1]).toEqual(tried[0]);
    expect(tried[2]).toEqual(tried[0]);
    expect(values().map(({ rejected }) => rejected.map(({ count, first }) => [count, !!first]))).toEqual([
      [[1, true]],
      [[2, false]],
    ]);
  });

  it('waits for one append at a time', async () => {
    const gate = Promise.withResolvers<void>();
    const { log, tried } = answersLog(() => gate.promise);
    log.refused(webhook, refused());
    const flushes = [log.flush(), log.flush(), log.flush()];
    expect(tried).toHaveLength(1);
    gate.resolve();
    await Promise.all(flushes);
    expect(tried).toHaveLength(1);
  });

  it('keeps exact totals in bounded memory while nothing can be appended', async () => {
    let away = true;
    const { log, values } = answersLog(() => (away ? Promise.reject(new Error('away')) : Promise.resolve()));
    for (let n = 0; n < 60_000; n += 1) log.refused(webhook, refused(START + n * MINUTE_MS));
    for (let n = 0; n < 100_000; n += 1) log.accepted({ id: `whk_${n % 1_000}`, workspaceId: 'ws_1' }, accepted(n));
    away = false;
    await log.flush();
    const entries = values().flatMap(({ rejected }) => rejected);
    expect(entries.reduce((sum, { count }) => sum + count, 0)).toBe(60_000);
    expect(entries.length).toBeLessThanOrEqual(20_000);
    expect(entries.filter(({ first }) => first).length).toBeLessThanOrEqual(1_000);
    expect(values().reduce((sum, { answered }) => sum + answered.length, 0)).toBeLessThanOrEqual(20_000);
  });

  it('is cut into records that a log takes', async () => {
    const { log, appended, values } = answersLog();
    const long = () => ({
      ...inFull(),
      headers: Object.fromEntries(Array.from({ length: 32 }, (_, n) => [`x-${n}-event`, 'x'.repeat(256)])),
    });
    for (let n = 0; n < 180; n += 1) log.refused(webhook, { ...refused(START + n * MINUTE_MS), inFull: long });
    await log.flush();
    expect(values().map(({ rejected }) => rejected.length)).toEqual([50, 50, 50, 30]);
    expect(Math.max(...appended.flat().map(({ value }) => value.length))).toBeLessThan(700_000);
    expect(appended.flat().map(({ headers }) => headers.mark)).toEqual(
      [0, 1, 2, 3].map((n) => `ingress-gateway/run;1;${n}`),
    );
  });

  it('is complete after a shutdown, also of what came while an append was running', async () => {
    const gate = Promise.withResolvers<void>();
    const { log, values } = answersLog(() => gate.promise);
    log.refused(webhook, refused());
    const running = log.flush();
    log.refused(webhook, refused());
    const stopped = log.stop();
    gate.resolve();
    await Promise.all([running, stopped]);
    expect(values().map(({ rejected }) => rejected[0]?.count)).toEqual([1, 1]);
  });
});
