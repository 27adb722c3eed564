import type { Source } from '@tocsin/event-log';
import type { Mark } from './pipeline.ts';

/** Origin of outputs that follow from an input of this partition. */
export const originOf = (logId: string, source: Pick<Source, 'topic' | 'partition'>): string =>
  `${logId}/${source.topic}/${source.partition}`;

/** Text form of a mark, as the header `mark` carries it: `<origin>;<offset>;<ordinal>`. */
export const markOf = ({ origin, offset, ordinal }: Mark): string => `${origin};${offset};${ordinal}`;

const TEXT = /^(.+);(\d{1,19});(\d{1,9})$/s;

/** The mark of a header text; undefined when it is none (a record of a foreign writer). */
export function parseMark(text: string | undefined): Mark | undefined {
  const [, origin, offset, ordinal] = TEXT.exec(text ?? '') ?? [];
  if (origin === undefined || offset === undefined || ordinal === undefined) return undefined;
  return { origin, offset: BigInt(offset), ordinal: Number(ordinal) };
}

/** Whether `a` comes after `b` on their common origin. */
export const isAfter = (a: Mark, b: Pick<Mark, 'offset' | 'ordinal'>): boolean =>
  a.offset > b.offset || (a.offset === b.offset && a.ordinal > b.ordinal);
