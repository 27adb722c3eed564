import { compileConnector, type Connector } from './kit/compile.ts';
import type { SourceConnector } from './kit/source-connector.ts';
import { source as generic } from './generic/source.ts';
import { source as pagerduty } from './pagerduty/source.ts';
import { source as prometheus } from './prometheus/source.ts';

/** Every folder of this library that has a `source.ts`; conformance.spec.ts says which one is missing here. */
const sources: readonly SourceConnector[] = [generic, pagerduty, prometheus];

/** All connectors in the order of their ids. */
export const connectors: readonly Connector[] = sources.map(compileConnector);

const byId = new Map(connectors.map((connector) => [connector.source.id, connector]));
const bySlug = new Map(
  connectors.flatMap((connector) => [connector.source.id, ...connector.source.slugs].map((slug) => [slug, connector])),
);

export const connectorOf = (id: string): Connector | undefined => byId.get(id);

/** The connector that `/api/integrations/{slug}` means: an id or one of its other names (product P3). */
export const connectorBySlug = (slug: string): Connector | undefined => bySlug.get(slug);
