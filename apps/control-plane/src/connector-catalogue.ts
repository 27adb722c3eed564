import { connectors } from '@tocsin/connectors';
import type { ConnectorCatalogue } from './webhooks.ts';

/** What the control-plane knows of the connectors: which there are, and the defaults of their webhooks. */
export const connectorCatalogue: ConnectorCatalogue = new Map(
  connectors.map(({ source }) => [source.id, { auth: source.auth, respond: source.respond }]),
);
