import { textOf } from './text-of.ts';

export type FilterArgument = string | number | boolean | null;

interface FilterDefinition {
  /** Fewest and most arguments. */
  arity: readonly [number, number];
  /** What it does, for the docs. */
  meaning: string;
  /** Why these arguments cannot be used; undefined where they can. */
  check?: (args: readonly FilterArgument[]) => string | undefined;
  apply: (value: unknown, args: readonly FilterArgument[]) => unknown;
}

export const dateForms = ['iso', 'date', 'time', 'unix', 'unix_ms'] as const;

const DATE_MAX_MS = 8.64e15;

/** An instant in UTC; what is no instant stays as it is. Numbers below 10^11 are seconds, others milliseconds. */
function dateIn(value: unknown, form: FilterArgument): unknown {
  const ms = typeof value === 'number' ? (Math.abs(value) < 1e11 ? value * 1000 : value) : Date.parse(textOf(value));
  if (!Number.isFinite(ms) || Math.abs(ms) > DATE_MAX_MS) return value;
  const iso = new Date(ms).toISOString();
  switch (form) {
    case 'date':
      return iso.slice(0, iso.indexOf('T'));
    case 'time':
      return iso.slice(iso.indexOf('T') + 1, iso.indexOf('T') + 9);
    case 'unix':
      return Math.floor(ms / 1000);
    case 'unix_ms':
      return ms;
    default:
      return iso;
  }
}

/** Cuts at whole characters, never within a pair of surrogates; the mark counts. */
function truncated(text: string, most: number): string {
  const characters = [...text];
  return characters.length <= most ? text : `${characters.slice(0, Math.max(0, most - 1)).join('')}…`;
}

/** `map: "a=b", "c=d", "*=e"`: the first pair whose left side is the text, in any case; `*` takes everything else. */
function mapped(value: unknown, pairs: readonly FilterArgument[]): unknown {
  const text = textOf(value).toLowerCase();
  for (const pair of pairs) {
    const at = String(pair).indexOf('=');
    const left = String(pair).slice(0, at);
    if (left === '*' || left.toLowerCase() === text) return String(pair).slice(at + 1);
  }
  return value;
}

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const escaped = (text: string, characters: RegExp): string =>
  text.replaceAll(characters, (character) => escapes[character] ?? character);

const isMissing = (value: unknown): boolean => value === undefined || value === null || value === '';

/** The closed list of filters (product P12). No code: each is a pure function of the value and literal arguments. */
export const filters: Readonly<Record<string, FilterDefinition>> = {
  upper: { arity: [0, 0], meaning: 'upper case', apply: (value) => textOf(value).toUpperCase() },
  lower: { arity: [0, 0], meaning: 'lower case', apply: (value) => textOf(value).toLowerCase() },
  dashed: {
    arity: [0, 0],
    meaning: 'dots, spaces and underscores become dashes',
    apply: (value) => textOf(value).replaceAll(/[.\s_]+/g, '-'),
  },
  date: {
    arity: [0, 1],
    meaning: `an instant in UTC as ${dateForms.join(', ')}`,
    check: ([form]) =>
      form === undefined || dateForms.some((known) => known === form)
        ? undefined
        : `its form must be one of ${dateForms.join(', ')}`,
    apply: (value, [form = 'iso']) => dateIn(value, form),
  },
  json: { arity: [0, 0], meaning: 'compact JSON text', apply: (value) => JSON.stringify(value ?? null) },
  truncate: {
    arity: [1, 1],
    meaning: 'at most so many characters, the last one … where it was longer',
    check: ([most]) =>
      typeof most === 'number' && Number.isInteger(most) && most >= 1 && most <= 100_000
        ? undefined
        : 'it needs a whole number from 1 to 100000',
    apply: (value, [most]) => truncated(textOf(value), Number(most)),
  },
  default: {
    arity: [1, 1],
    meaning: 'stands in where the value is missing, null or empty',
    apply: (value, [other]) => (isMissing(value) ? other : value),
  },
  map: {
    arity: [1, 50],
    meaning: '"a=b" pairs: another word for a word; "*=c" for every other',
    check: (pairs) =>
      pairs.every((pair) => typeof pair === 'string' && pair.includes('='))
        ? undefined
        : 'it needs texts of the form "from=to"',
    apply: mapped,
  },
  escape_html: {
    arity: [0, 0],
    meaning: '& < > " and \' as entities, for HTML',
    apply: (value) => escaped(textOf(value), /[&<>"']/g),
  },
  escape_mrkdwn: {
    arity: [0, 0],
    meaning: '& < > as entities, for Slack and Google Chat texts',
    apply: (value) => escaped(textOf(value), /[&<>]/g),
  },
};
