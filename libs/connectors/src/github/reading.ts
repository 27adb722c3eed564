import type { AlertStatus } from '@tocsin/contracts';
import { textAt as text } from '@tocsin/domain/mapping';
import { tag } from '../kit/event-reader.ts';

export { text };
export const actionOf = (event: unknown): string => text(event, 'action') ?? '';
export const repositoryOf = (event: unknown): string | undefined => text(event, 'repository', 'full_name');
export const languageOf = (event: unknown): string[] => tag('language', text(event, 'repository', 'language'));

/** A table of words by what they mean. */
export const words = (meaning: Partial<Record<AlertStatus, readonly string[]>>): ReadonlyMap<string, AlertStatus> =>
  new Map(
    (Object.entries(meaning) as [AlertStatus, readonly string[]][]).flatMap(([status, list]) =>
      list.map((word): [string, AlertStatus] => [word, status]),
    ),
  );
