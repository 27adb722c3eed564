import fc from 'fast-check';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { RejectionLog } from './rejection-log.ts';

const MINUTE = 60_000;
interface Line {
  webhookId: string;
  code: string;
  reason: string;
  requests: number;
  msg: string;
}

function rejections() {
  const lines: Line[] = [];
  const log = new RejectionLog(pino({}, { write: (line: string) => void lines.push(JSON.parse(line) as Line) }));
  return { log, lines };
}
const wrong = { webhookId: 'whk_1', code: 'authentication-failed', reason: 'credential-wrong' };

describe('refused requests in the log', () => {
  it('are one line at once, and one with the number of the others when the minute is over', () => {
    const { log, lines } = rejections();
    for (let n = 0; n < 500; n += 1) log.note(wrong, n);
    expect(lines).toMatchObject([{ ...wrong, requests: 1, msg: 'request.rejected' }]);
    log.settle(MINUTE - 1);
    expect(lines).toHaveLength(1);
    log.settle(MINUTE);
    expect(lines).toMatchObject([{ requests: 1 }, { ...wrong, requests: 499 }]);
    log.settle(2 * MINUTE);
    expect(lines).toHaveLength(2);
  });

  it('are told apart by webhook, answer and reason', () => {
    const { log, lines } = rejections();
    log.note(wrong, 0);
    log.note({ ...wrong, webhookId: 'whk_2' }, 0);
    log.note({ ...wrong, reason: 'credential-missing' }, 0);
    log.note({ ...wrong, code: 'locked-out' }, 0);
    expect(lines).toHaveLength(4);
  });

  it('add up to the number of requests, in a bounded number of lines, whatever comes', () => {
    const request = fc.record({ kind: fc.nat(4), pause: fc.nat(MINUTE) });
    fc.assert(
      fc.property(fc.array(request, { maxLength: 200 }), (requests) => {
        const { log, lines } = rejections();
        let now = 0;
        for (const { kind, pause } of requests) {
          now += pause;
          log.note({ ...wrong, webhookId: `whk_${kind}` }, now);
          if (pause % 3 === 0) log.settle(now);
        }
        log.tellAll();
        expect(lines.reduce((sum, line) => sum + line.requests, 0)).toBe(requests.length);
        const minutes = Math.floor(now / MINUTE) + 1;
        expect(lines.length).toBeLessThanOrEqual(minutes * 2 * 5);
      }),
    );
  });

  it('lose no count where there are more kinds than are kept', () => {
    const { log, lines } = rejections();
    for (let n = 0; n < 25_000; n += 1) {
      log.note({ ...wrong, webhookId: `whk_${n}` }, 0);
      log.note({ ...wrong, webhookId: `whk_${n}` }, 0);
    }
    log.tellAll();
    expect(lines.reduce((sum, line) => sum + line.requests, 0)).toBe(50_000);
  });
});
