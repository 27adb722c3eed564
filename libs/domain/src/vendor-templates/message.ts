import { eventTypeOf, isEventType } from '@tocsin/contracts';
import { textOf } from '../template/text-of.ts';
import type { TemplateEvent } from './vendor-template.ts';

/** What a person is told of an event, before it is written in any vendor's markup. */
export interface Message {
  /** `Incident opened: #42 Checkout latency above 2 s`. */
  headline: string;
  description: string;
  facts: readonly { name: string; value: string }[];
  /** Absolute http(s) link, or null. */
  link: string | null;
  mood: 'bad' | 'warning' | 'good' | 'neutral';
}

/** Fields worth a line, in this order; what an event does not have is left out. */
const FACTS: readonly (readonly [field: string, name: string])[] = [
  ['severity', 'Severity'],
  ['status', 'Status'],
  ['services', 'Services'],
  ['assignee', 'Assignee'],
  ['changed', 'Changed'],
  ['framework', 'Framework'],
  ['previous_status', 'Was'],
  ['resource', 'Resource'],
  ['region', 'Region'],
  ['effort', 'Effort'],
  ['risk', 'Risk'],
  ['potential_savings', 'Potential savings'],
  ['requested_by', 'Requested by'],
  ['approved_by', 'Approved by'],
  ['event_type', 'Event'],
  ['attempts', 'Attempts'],
  ['count', 'Count'],
];
const SUBJECTS = ['title', 'name', 'action', 'subscription_name', 'webhook_name', 'framework', 'id'];
const DETAILS = ['comment', 'description', 'summary', 'error', 'result', 'reason'];
const FACTS_MAX = 8;

const first = (data: TemplateEvent['data'], fields: readonly string[]): string =>
  fields.map((field) => textOf(data[field]).trim()).find((text) => text !== '') ?? '';

/** Reads an event for people. Never throws, whatever its data holds. */
export function messageOf({ type, data }: TemplateEvent): Message {
  const label = isEventType(type) ? eventTypeOf(type).title : type;
  const number = type.startsWith('incident.') && typeof data['number'] === 'number' ? `#${data['number']} ` : '';
  return {
    headline: oneLine(`${label}: ${number}${first(data, SUBJECTS)}`),
    description: first(data, DETAILS),
    facts: FACTS.map(([field, name]) => ({ name, value: oneLine(textOf(data[field])) }))
      .filter(({ value }) => value !== '')
      .slice(0, FACTS_MAX),
    link: linkOf(data['url']),
    mood: moodOf(type, data),
  };
}

function moodOf(type: string, data: TemplateEvent['data']): Message['mood'] {
  if (/\.(resolved|implemented|completed|granted|recovered)$/.test(type) || data['status'] === 'resolved')
    return 'good';
  if (/\.(failed|exhausted|disabled|locked_out)$/.test(type)) return 'bad';
  const { severity } = data;
  if (severity === 'critical' || severity === 'high') return 'bad';
  return severity === 'medium' || severity === 'low' ? 'warning' : 'neutral';
}

/** The entry of a table for what an event says; an event may say anything. */
export const entryOf = <T>(table: Readonly<Record<string, T>>, value: unknown): T | undefined => {
  const key = textOf(value);
  return Object.hasOwn(table, key) ? table[key] : undefined;
};

export const oneLine = (text: string): string => text.replaceAll(/[\p{Cc}\s]+/gu, ' ').trim();

/** Links are http(s) and cannot end a vendor's link markup. */
export function linkOf(url: unknown): string | null {
  if (typeof url !== 'string' || url.length > 2_000 || !URL.canParse(url)) return null;
  const { protocol, href } = new URL(url);
  if (protocol !== 'https:' && protocol !== 'http:') return null;
  return href.replaceAll(
    /[<>|"'\\^`{}()[\]\s]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** What escaping makes of one character. */
export type Escape = (character: string) => string;

/** At most so many UTF-16 units after escaping, never within an escape; the mark … counts. */
export function within(text: string, most: number, escape: Escape = (character) => character): string {
  let out = '';
  let end = 0;
  for (const character of text.toWellFormed()) {
    const next = escape(character);
    if (out.length + next.length > most) return `${out.slice(0, end)}…`;
    out += next;
    if (out.length < most) end = out.length;
  }
  return out;
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
/** Texts of Slack: & < > are its only markup that names somebody or makes a link. */
export const slackText: Escape = (character) => (/[&<>]/.test(character) ? (entities[character] ?? '') : character);
export const htmlText: Escape = (character) => entities[character] ?? character;
/** Markdown as Discord and Adaptive Cards read it. */
export const markdownText: Escape = (character) =>
  /[\\*_~`|>#[\]()!<+-]/.test(character) ? `\\${character}` : character;
/** Texts of Google Chat know no escape: what begins a mention or a link is replaced. */
export const chatText: Escape = (character) => ({ '<': '‹', '>': '›' })[character] ?? character;
