import type { AlertDraft } from '@tocsin/domain/alert';
import { Notes, type SeverityProfile } from '@tocsin/domain/mapping';
import {
  applyMapping,
  type CompiledMapping,
  mapDraft,
  type MappingEffort,
  type Position,
  type Vocabulary,
} from '@tocsin/domain/mapping-rules';
import { severityWordOf, statusWordOf, type UserWords } from './fields.ts';
import type { SourceConnector } from './source-connector.ts';

/** The mapping of a webhook, while one payload is read. */
export interface UserMapping {
  readonly compiled: CompiledMapping;
  readonly vocabulary: Vocabulary;
  readonly effort: MappingEffort;
}

/** What the connector knows stands behind the user's words. */
export const userMappingOf = (
  source: SourceConnector,
  by: { mapping: CompiledMapping; profile: SeverityProfile; effort: MappingEffort },
): UserMapping => ({
  compiled: by.mapping,
  effort: by.effort,
  vocabulary: {
    severityOf: (text) => severityWordOf(source.severity, text, by.profile),
    statusOf: (text) => statusWordOf(source.status, text),
  },
});

/**
 * The draft with the user's mapping over it. The connector's remarks on a field that the mapping fills are dropped: what it could not find
 * or read there is not missing.
 */
export function mappedDraft(
  { compiled, vocabulary, effort }: UserMapping,
  source: SourceConnector,
  at: Omit<Position, 'effort'>,
  draftOf: (words: UserWords) => AlertDraft,
): AlertDraft {
  const draft = draftOf(compiled);
  const notes = new Notes();
  try {
    const applied = applyMapping(compiled, { ...at, effort }, vocabulary, notes);
    for (const { code, path, detail } of draft.notes.all())
      if (path === undefined || !Object.hasOwn(applied.overrides, path)) notes.add(code, path, detail);
    return mapDraft({ ...draft, notes }, compiled, applied, source.kind);
  } catch (error) {
    // Applying is total; should it not be, the alert is the connector's.
    draft.notes.add('mapping-failed', 'mapping', error instanceof Error ? error.message : String(error));
    return draft;
  }
}
