import { compileConnector, type Connector } from './compile.ts';
import type { SourceConnector } from './source-connector.ts';

export interface Registry {
  /** All connectors in the order of their ids. */
  readonly connectors: readonly Connector[];
  connectorOf(this: void, id: string): Connector | undefined;
  /** The connector that `/api/integrations/{slug}` means: an id or one of its other names (product P3). */
  connectorBySlug(this: void, slug: string): Connector | undefined;
}

/**
 * Compiles the connectors and indexes them by their names.
 * @throws Error when two connectors claim one name, and PathError when a path of a connector cannot be read.
 */
export function registryOf(sources: readonly SourceConnector[]): Registry {
  const connectors = sources.map(compileConnector);
  const byId = new Map(connectors.map((connector) => [connector.source.id, connector]));
  const bySlug = new Map<string, Connector>();
  for (const connector of connectors) {
    for (const slug of [connector.source.id, ...connector.source.slugs]) {
      const other = bySlug.get(slug);
      if (other) throw new Error(`the connectors ${other.source.id} and ${connector.source.id} both claim "${slug}"`);
      bySlug.set(slug, connector);
    }
  }
  return { connectors, connectorOf: (id) => byId.get(id), connectorBySlug: (slug) => bySlug.get(slug) };
}
