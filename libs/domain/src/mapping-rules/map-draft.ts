import type { AlertKind } from '@tocsin/contracts';
import type { AlertDraft } from '../alert/index.ts';
import type { AppliedMapping } from './apply-mapping.ts';
import type { CompiledMapping } from './compile-mapping.ts';

/**
 * The draft of an alert with the user's mapping over it: the mapping's value, else the connector's, else the mapping's default. Extracted
 * fields are kept beside the custom ones; their names are unlike. What a kind requires and nobody gave is noted (product P6).
 */
export function mapDraft(
  draft: AlertDraft,
  mapping: CompiledMapping,
  applied: AppliedMapping,
  kind: AlertKind,
): AlertDraft {
  const { overrides } = applied;
  const { defaults } = mapping;
  const statusWasMapped = mapping.fields.status !== undefined && overrides.status === undefined;
  const mapped: AlertDraft = {
    ...draft,
    title: overrides.title ?? draft.title ?? defaults.title,
    description: overrides.description ?? draft.description ?? defaults.description,
    severity: overrides.severity ?? draft.severity ?? defaults.severity,
    // A connector always has a status, so a default stands in where a mapped one could not be read.
    status: overrides.status ?? (statusWasMapped ? defaults.status : undefined) ?? draft.status,
    services: overrides.services ?? orDefault(draft.services, defaults.services),
    tags: overrides.tags ?? orDefault(draft.tags, defaults.tags),
    source: overrides.source ?? draft.source ?? defaults.source,
    url: overrides.url ?? draft.url ?? defaults.url,
    dedupKey: overrides.dedupKey ?? draft.dedupKey,
    occurredAt: overrides.occurredAt ?? draft.occurredAt,
    // Nobody says that a mapped time is the one of this change: a resolve that repeats the start's must not count as stale.
    occurredAtOrders: draft.occurredAtOrders && overrides.occurredAt === undefined,
    incidentType: overrides.incidentType ?? draft.incidentType ?? defaults.incident_type,
    customFields: { ...applied.extractedFields, ...applied.customFields },
    dedupKeyFromMapping: overrides.dedupKey !== undefined,
  };
  noteMissing(mapped, kind);
  return mapped;
}

const orDefault = (found: readonly string[], standIn: readonly string[] | undefined): readonly string[] =>
  found.length > 0 ? found : (standIn ?? []);

/** A build or a deployment is of a service; a title and a severity that are missing are noted where they are replaced. */
function noteMissing(draft: AlertDraft, kind: AlertKind): void {
  if ((kind === 'build' || kind === 'deployment') && draft.services.length === 0)
    draft.notes.add('service-missing', 'services');
}
