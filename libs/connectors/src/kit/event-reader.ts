import type { AlertStatus } from '@tocsin/contracts';
import type { ChangeFields, FieldSource } from './source-connector.ts';

type Read = (element: unknown) => unknown;

/**
 * How one kind of event is read, for a source whose events share an address and little else (source control sends pipelines,
 * deployments and findings to the same URL). What a field has no text for is undefined, and the chain goes on.
 */
export interface EventReader {
  /** What the event says about its condition; undefined: a state that neither opens nor closes anything, such as "running". */
  readonly status: (element: unknown) => AlertStatus | undefined;
  readonly severity: Read;
  readonly title: Read;
  readonly description: Read;
  readonly services: Read;
  readonly tags: Read;
  readonly url: Read;
  readonly key: Read;
  /** The instant of this change. */
  readonly at: Read;
  /** Given where the event tells of a build or a deployment. */
  readonly change?: Readonly<Record<ChangeText, Read>> & { readonly kind: 'build' | 'deployment' };
}

type ChangeText = 'version' | 'environment' | 'status' | 'actor' | 'started' | 'finished';

type ReaderOf = (element: unknown) => EventReader | undefined;

/** Field sources that ask the reader of the element's event. */
export const fieldByEvent =
  (readerOf: ReaderOf) =>
  (field: Exclude<keyof EventReader, 'change'>): FieldSource =>
  ({ element }) =>
    readerOf(element)?.[field](element);

/** The changes that the events of such a source tell of. */
export function changeByEvent(readerOf: ReaderOf): ChangeFields {
  const text = (name: ChangeText): [FieldSource] => [({ element }) => readerOf(element)?.change?.[name](element)];
  return {
    kind: ({ element }) => readerOf(element)?.change?.kind,
    version: text('version'),
    environment: text('environment'),
    status: text('status'),
    actor: text('actor'),
    started: text('started'),
    finished: text('finished'),
  };
}

/** Parts of a key, joined; no key at all when a part is missing, so that two things never share half a key. */
export const keyOf = (...parts: readonly (string | undefined)[]): string | undefined =>
  parts.includes(undefined) ? undefined : parts.join(':');

/** `name:value` where there is a value. */
export const tag = (name: string, value: string | undefined): string[] =>
  value === undefined ? [] : [`${name}:${value}`];

/** Words with one space between them; what is not there is left out. */
export const sentence = (...parts: readonly (string | undefined)[]): string =>
  parts.filter((part) => part !== undefined && part !== '').join(' ');
