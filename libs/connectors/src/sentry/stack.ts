import { textOf, valueAlong, valueAt } from '@tocsin/domain/mapping';

const FRAMES = 20;
/** Far more than an event of Sentry holds (250). */
const MAX_FRAMES = 1_000;

const listAt = (value: unknown, ...keys: string[]): readonly unknown[] => {
  const list = valueAlong(value, keys);
  return Array.isArray(list) ? list : [];
};

/**
 * The top 20 frames of the application's own code as text, newest call first; those of libraries only where there is none of its own.
 * The event nests them ten levels deep, where a depth limit would cut them off. Undefined without a stack.
 */
export function stackOf(event: unknown): string | undefined {
  const entries = listAt(event, 'entries').find((entry) => valueAt(entry, 'type') === 'exception');
  const exceptions = [...listAt(event, 'exception', 'values'), ...listAt(entries, 'data', 'values')].slice(0, FRAMES);
  // Sentry lists the oldest call and the first cause first.
  const frames = exceptions
    .toReversed()
    .flatMap((one) => listAt(one, 'stacktrace', 'frames').slice(-MAX_FRAMES).toReversed());
  const own = frames.filter((frame) => (valueAt(frame, 'in_app') ?? valueAt(frame, 'inApp')) === true);
  const lines = (own.length > 0 ? own : frames).slice(0, FRAMES).flatMap(lineOf);
  return lines.length === 0 ? undefined : lines.join('\n');
}

function lineOf(frame: unknown): string[] {
  const file =
    textOf(valueAt(frame, 'filename')) ?? textOf(valueAt(frame, 'abs_path')) ?? textOf(valueAt(frame, 'module'));
  const call = textOf(valueAt(frame, 'function'));
  if (file === undefined && call === undefined) return [];
  const line = textOf(valueAt(frame, 'lineno') ?? valueAt(frame, 'lineNo'));
  const where = [file, line].filter((part) => part !== undefined).join(':');
  return [`at ${call === undefined ? where : `${call} (${where})`}`];
}
