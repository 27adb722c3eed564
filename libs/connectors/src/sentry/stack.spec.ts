import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compileConnector } from '../kit/compile.ts';
import { payloadOfSample, sampleContext } from '../kit/expected-result.ts';
import { source } from './source.ts';
import { stackOf } from './stack.ts';

const sample = (name: string): unknown => {
  const bytes = readFileSync(new URL(`./samples/${name}`, import.meta.url));
  const result = compileConnector(source).normalize(payloadOfSample(bytes), sampleContext);
  return result.kind === 'alerts' ? result.alerts[0]?.fields : result;
};
const frame = (name: string, own: boolean) => ({ function: name, filename: `${name}.ts`, lineno: 0, in_app: own });
const event = (...frames: unknown[]) => ({ exception: { values: [{ stacktrace: { frames } }] } });

describe('the stack of an event', () => {
  it('is text: the newest 20 of the own frames, beside the project', () => {
    const { project, stack } = sample('event-alert.json') as { project: string; stack: string };
    expect(project).toBe('shop-web');
    const lines = stack.split('\n');
    expect(lines).toHaveLength(20);
    expect(lines[0]).toBe('at step22 (src/steps/step-22.ts:32)');
    expect(lines[19]).toBe('at step3 (src/steps/step-3.ts:13)');
    expect(stack).not.toContain('node_modules');
  });

  it('goes on with the cause where the last exception has fewer', () =>
    expect(
      stackOf({
        exception: {
          values: [{ stacktrace: { frames: [frame('cause', true)] } }, ...event(frame('last', true)).exception.values],
        },
      }),
    ).toBe('at last (last.ts:0)\nat cause (cause.ts:0)'));

  it('falls back to the frames of libraries where none is its own', () =>
    expect(stackOf(event(frame('a', false), frame('b', false)))).toBe('at b (b.ts:0)\nat a (a.ts:0)'));

  it.each([undefined, {}, { exception: null }, { exception: { values: [{ stacktrace: { frames: [null, 7, {}] } }] } }])(
    'is left out where there is none: %j',
    (value) => expect(stackOf(value)).toBeUndefined(),
  );

  it('does not stay in the kept event as well', () => {
    const kept = sample('event-alert.json') as { event: { exception: unknown } };
    expect(kept.event.exception).toEqual({
      values: [
        { type: 'ConnectError', value: 'ECONNREFUSED' },
        { type: 'DatabaseError', value: 'connection refused' },
      ],
    });
  });
});
