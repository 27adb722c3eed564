import { textOf, valueAt } from '@tocsin/domain/mapping';

/** The id of the first related document of a kind, which its prefix tells (`Projects-81`). */
export function documentOf(event: unknown, prefix: string): string | undefined {
  const related = valueAt(event, 'RelatedDocumentIds');
  if (!Array.isArray(related)) return undefined;
  return related.slice(0, 200).find((id): id is string => typeof id === 'string' && id.startsWith(prefix));
}

/** The name of a document as the message writes it: the event says at which place of its message which document is named. */
export function named(event: unknown, prefix: string): string | undefined {
  const message = valueAt(event, 'Message');
  const references = valueAt(event, 'MessageReferences');
  if (typeof message !== 'string' || !Array.isArray(references)) return undefined;
  const reference: unknown = references
    .slice(0, 100)
    .find((one) => textOf(valueAt(one, 'ReferencedDocumentId'))?.startsWith(prefix));
  const start = valueAt(reference, 'StartIndex');
  const length = valueAt(reference, 'Length');
  if (typeof start !== 'number' || typeof length !== 'number' || start < 0 || length <= 0) return undefined;
  return message.slice(start, start + length).trim() || undefined;
}

/** `… for Shop release 1.2.3 to Production`: servers before 2018 write no references. */
export function release(event: unknown): { project: string; version: string; environment: string } | undefined {
  const message = valueAt(event, 'Message');
  if (typeof message !== 'string' || message.length > 1_000) return undefined;
  const [, project, version, environment] = / for (\S.*?) release (\S+) to (\S.*)$/.exec(message) ?? [];
  return project === undefined || version === undefined || environment === undefined
    ? undefined
    : { project, version, environment };
}
