import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { historyCount } from './spec/config.ts';
import { histories, type History } from './spec/history.ts';
import { playPlain, playReal } from './spec/play.ts';

const TIMEOUT = 600_000;

describe('the correlator and the incident-store', () => {
  it(
    'end with the same incidents as the plain model, whatever is late, repeated, out of order, closed by people or restarted',
    () => {
      let joined = 0;
      let played = 0;
      fc.assert(
        fc.property(histories(1, 40), (history) => {
          const expected = playPlain(history);
          expect(playReal(history).outcome).toBe(expected);
          played += 1;
          if (/\d \d/.test(expected)) joined += 1;
        }),
        { numRuns: historyCount(1) },
      );
      expect(joined).toBeGreaterThan(played / 2); // the histories are worth playing
    },
    TIMEOUT,
  );
});

/** The same steps of each scope in their order, the scopes in another. */
function interleaved({ alerts, steps }: History, order: readonly number[]): History {
  const lanes = [...Map.groupBy(steps, ({ scope }) => scope).values()];
  const mixed: History['steps'] = [];
  for (let turn = 0; lanes.some((lane) => lane.length > 0); turn++) {
    const left = lanes.filter((lane) => lane.length > 0);
    const lane = left[(order[turn % order.length] ?? 0) % left.length] as History['steps'];
    mixed.push(lane.shift() as History['steps'][number]);
  }
  return { alerts, steps: mixed };
}

describe('three replicas', () => {
  it(
    'say the same as one, byte for byte, however the scopes are interleaved and change hands',
    () =>
      fc.assert(
        fc.property(histories(3, 50), fc.array(fc.nat(2), { minLength: 1, maxLength: 30 }), (history, order) => {
          const one = playReal(history);
          const three = playReal(interleaved(history, order), 3);
          expect(three.outcome).toBe(one.outcome);
          for (const [scope, log] of one.logs)
            expect(three.logs.get(scope)?.map(({ said }) => said)).toEqual(log.map(({ said }) => said));
        }),
        { numRuns: historyCount(0.2) },
      ),
    TIMEOUT,
  );
});
