import { isObject, textOf, valueAlong, valueAt } from '@tocsin/domain/mapping';
import type { Reading } from '../kit/source-connector.ts';

/** An event of PagerDuty's Events API v2: what monitoring tools send to PagerDuty, where webhooks are what PagerDuty sends. */
export const isEvent = (element: unknown): boolean => typeof valueAt(element, 'event_action') === 'string';

/** Fields of the event itself; nothing where the element is a webhook's, so that its own chain goes on. */
export const ofEvent =
  (...keys: string[]) =>
  ({ element }: Reading): unknown =>
    isEvent(element) ? valueAlong(element, keys) : undefined;

const text = (reading: Reading, ...keys: string[]): string | undefined => textOf(ofEvent(...keys)(reading));

/**
 * A trigger without a key is an alert of its own, and its sender is told the receipt's id as the key: the drop-in address answers
 * before anything is decoded. Others name what they are about or are about nothing.
 */
export function keyOfEvent(reading: Reading): string | undefined {
  const given = text(reading, 'dedup_key');
  if (given !== undefined) return given;
  return text(reading, 'event_action')?.trim().toLowerCase() === 'trigger' ? reading.receiptId : undefined;
}

const LINES_MAX = 100;

/** The details as the sender wrote them: a text, or `name: value` lines. */
export function detailsOfEvent(reading: Reading): string | undefined {
  const details = ofEvent('payload', 'custom_details')(reading);
  if (!isObject(details)) return textOf(details);
  const lines = Object.keys(details)
    .sort()
    .slice(0, LINES_MAX)
    .flatMap((name) => {
      const value = details[name];
      const said = isObject(value) || Array.isArray(value) ? JSON.stringify(value) : textOf(value);
      return said === undefined ? [] : [`${name}: ${said}`];
    });
  return lines.length === 0 ? undefined : lines.join('\n');
}

/** A service of the sender's own, else the component that is broken, else the group of what belongs together. */
export const servicesOfEvent = (reading: Reading): unknown =>
  text(reading, 'payload', 'custom_details', 'service') ??
  text(reading, 'payload', 'component') ??
  text(reading, 'payload', 'group');

export const tagsOfEvent = (reading: Reading): string[] =>
  (['component', 'group', 'class'] as const).flatMap((name) => {
    const value = text(reading, 'payload', name);
    return value === undefined ? [] : [`${name}:${value}`];
  });

/** What the sender links to, else the sender's own page, else what its picture leads to. */
export function urlOfEvent(reading: Reading): string | undefined {
  const first = (name: string): string | undefined => {
    const list = ofEvent(name)(reading);
    return Array.isArray(list) ? textOf(valueAt(list[0], 'href')) : undefined;
  };
  return first('links') ?? text(reading, 'client_url') ?? first('images');
}
