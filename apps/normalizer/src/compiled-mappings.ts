import type { WebhookDocument } from '@tocsin/contracts';
import { type CompiledMapping, compileMapping } from '@tocsin/domain/mapping-rules';

/** Of the order of the webhooks that one partition serves; a compiled mapping is some kilobytes. */
const MAX_KEPT = 500;

/** The mapping of a webhook's document, compiled once per webhook and revision; undefined where it has none. */
export type MappingOf = (document: WebhookDocument) => CompiledMapping | undefined;

/** Remembers the mappings that were used last. */
export function compiledMappings(max: number = MAX_KEPT): MappingOf {
  const kept = new Map<string, CompiledMapping>();
  return ({ id, revision, body }) => {
    if (body.mapping === undefined) return undefined;
    const key = `${id} ${revision}`;
    const known = kept.get(key);
    const compiled = known ?? compileMapping(body.mapping);
    // The order of a Map is that of insertion: the first is the one that was used longest ago.
    if (known) kept.delete(key);
    else if (kept.size >= max) kept.delete(kept.keys().next().value ?? '');
    kept.set(key, compiled);
    return compiled;
  };
}
