import type { AlertAnswer, ReceiptReplied } from '@tocsin/contracts';
import { Problem } from '@tocsin/nest-shell';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { acceptedAnswer, outcomeAnswer } from './answers.ts';
import { answersOf, isComplete, mergeReply, type ReceiptSoFar } from './merge-replies.ts';

const anAnswer = (index: number, over: Partial<AlertAnswer> = {}): AlertAnswer => ({
  index,
  alertId: `alr_${index}`,
  incidentId: `inc_${index}`,
  outcome: 'created',
  reason: 'new-alert',
  occurrenceCount: 1,
  ...over,
});
const aReply = (total: number, alerts: AlertAnswer[], over: Partial<ReceiptReplied> = {}): ReceiptReplied => ({
  receiptId: 'rcv_1',
  total,
  alerts,
  ...over,
});
const merged = (...replies: ReceiptReplied[]) =>
  replies.reduce<ReceiptSoFar | undefined>(mergeReply, undefined) as ReceiptSoFar;
const answerOf = (...replies: ReceiptReplied[]) =>
  JSON.parse(outcomeAnswer(merged(...replies)).body) as Record<string, unknown>;

describe('a receipt whose replies come in parts', () => {
  it('is complete when every alert is answered, in whatever order and however often the parts come', () => {
    const scenario = fc.integer({ min: 1, max: 30 }).chain((total) => {
      const indexes = Array.from({ length: total }, (_, index) => index);
      return fc.record({
        total: fc.constant(total),
        order: fc.shuffledSubarray(indexes, { minLength: total }),
        cuts: fc.array(fc.boolean(), { minLength: total, maxLength: total }),
        repeats: fc.array(fc.nat(total - 1), { maxLength: 10 }),
      });
    });
    fc.assert(
      fc.property(scenario, ({ total, order, cuts, repeats }) => {
        let soFar: ReceiptSoFar | undefined;
        const seen = new Set<number>();
        let part: AlertAnswer[] = [];
        for (const [at, index] of order.entries()) {
          part.push(anAnswer(index));
          if (!cuts[at] && at < order.length - 1) continue;
          for (const alert of part) seen.add(alert.index);
          const again = repeats.filter((index) => seen.has(index)).map((index) => anAnswer(index));
          soFar = mergeReply(soFar, aReply(total, [...part, ...again]));
          part = [];
          expect(isComplete(soFar)).toBe(seen.size === total);
        }
        expect(answersOf(soFar as ReceiptSoFar).map((alert) => alert.index)).toEqual([...order].sort((a, b) => a - b));
      }),
    );
  });

  it('keeps the first answer for an alert', () => {
    const soFar = merged(aReply(2, [anAnswer(0)]), aReply(2, [anAnswer(0, { outcome: 'repeated' }), anAnswer(1)]));
    expect(answersOf(soFar).map((alert) => alert.outcome)).toEqual(['created', 'created']);
  });
});

describe('the answer to a waiting sender', () => {
  it('has the keys of the contract, with the first alert in front', () => {
    const first = anAnswer(0, {
      outcome: 'deduplicated',
      reason: 'same-dedup-key',
      incidentId: 'inc_a',
      occurrenceCount: 2,
    });
    expect(answerOf(aReply(2, [anAnswer(1)]), aReply(2, [first]))).toEqual({
      receipt_id: 'rcv_1',
      status: 'deduplicated',
      reason: 'same-dedup-key',
      incident_id: 'inc_a',
      alerts: [
        {
          alert_id: 'alr_0',
          incident_id: 'inc_a',
          outcome: 'deduplicated',
          reason: 'same-dedup-key',
          occurrence_count: 2,
        },
        { alert_id: 'alr_1', incident_id: 'inc_1', outcome: 'created', reason: 'new-alert', occurrence_count: 1 },
      ],
      status_url: '/api/v1/receipts/rcv_1',
    });
  });

  it('has the same keys whether the outcome is known or not', () => {
    const unknown = JSON.parse(acceptedAnswer('rcv_1').body) as object;
    expect(Object.keys(unknown).sort()).toEqual(Object.keys(answerOf(aReply(1, [anAnswer(0)]))).sort());
    expect(unknown).toMatchObject({ status: 'accepted', incident_id: null, alerts: [] });
  });

  it('says why a receipt without alerts was ignored', () =>
    expect(answerOf(aReply(0, [], { outcome: 'ignored', reason: 'test-notification' }))).toMatchObject({
      status: 'ignored',
      reason: 'test-notification',
      incident_id: null,
      alerts: [],
    }));

  it.each([
    [
      'nothing of it was recognised',
      aReply(0, [], { outcome: 'dead-lettered', reason: 'unrecognised-payload', detail: 'No title in sight.' }),
    ],
    [
      'no element was recognised',
      aReply(
        2,
        [0, 1].map((index) =>
          anAnswer(index, { outcome: 'dead-lettered', reason: 'undecodable-payload', incidentId: null }),
        ),
      ),
    ],
  ])('is a 422 where %s', (_name, reply) => {
    const thrown = (() => {
      try {
        return outcomeAnswer(merged(reply));
      } catch (error) {
        return error;
      }
    })();
    expect(thrown).toBeInstanceOf(Problem);
    expect(thrown).toMatchObject({
      code: 'unrecognised-payload',
      status: 422,
      extra: { body: { receipt_id: 'rcv_1' } },
    });
  });

  it('is a 200 where one element of many was not recognised, or where the fault was ours', () => {
    const bad = anAnswer(0, { outcome: 'dead-lettered', reason: 'unrecognised-payload', incidentId: null });
    expect(answerOf(aReply(2, [bad, anAnswer(1)]))).toMatchObject({ status: 'dead-lettered', incident_id: null });
    expect(answerOf(aReply(0, [], { outcome: 'dead-lettered', reason: 'decision-failed' }))).toMatchObject({
      status: 'dead-lettered',
      reason: 'decision-failed',
    });
  });
});
