import fc from 'fast-check';
import { expect, it } from 'vitest';
import { historyCount } from './spec/config.ts';
import { histories } from './spec/history.ts';
import { playReal } from './spec/play.ts';
import { Correlators, type Logged } from './spec/real-parts.ts';

const TIMEOUT = 300_000;

it.each([
  ['wherever the reader is restarted', false],
  ['however it is cut into batches that keep open incidents', true],
])(
  'a log that is read again from its start gives the same bytes of "why", %s',
  (_how, keepsOpen) =>
    fc.assert(
      fc.property(histories(1, 50), fc.array(fc.boolean(), { minLength: 1, maxLength: 20 }), (history, restarts) => {
        for (const [scope, log] of playReal(history).logs) {
          const again = new Correlators(1, {}, keepsOpen);
          log.forEach((entry, index) => {
            if (restarts[index % restarts.length]) again.failover(scope, 0);
            read(again, entry);
          });
          expect(again.logs.get(scope)?.map(({ said }) => said)).toEqual(log.map(({ said }) => said));
        }
      }),
      { numRuns: historyCount(0.1) },
    ),
  TIMEOUT,
);

function read(correlators: Correlators, { input, config }: Logged): void {
  if ('fact' in input) correlators.learn(input);
  else if (config) correlators.decide(input, config);
}
