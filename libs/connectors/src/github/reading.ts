import type { AlertStatus } from '@tocsin/contracts';
import { textAt } from '@tocsin/domain/mapping';
import { tag } from '../kit/event-reader.ts';

export const actionOf = (event: unknown): string => textAt(event, 'action') ?? '';
export const repositoryOf = (event: unknown): string | undefined => textAt(event, 'repository', 'full_name');
export const languageOf = (event: unknown): string[] => tag('language', textAt(event, 'repository', 'language'));

/** A table of words by what they mean. */
export const words = (meaning: Partial<Record<AlertStatus, readonly string[]>>): ReadonlyMap<string, AlertStatus> =>
  new Map(
    (Object.entries(meaning) as [AlertStatus, readonly string[]][]).flatMap(([status, list]) =>
      list.map((word): [string, AlertStatus] => [word, status]),
    ),
  );
