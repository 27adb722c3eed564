import { connectors } from '@tocsin/connectors';
import type { ConnectorCatalogue } from './webhooks.ts';

/** What the control-plane knows of the connectors: which there are, and how their senders authenticate by default. */
export const connectorCatalogue: ConnectorCatalogue = new Map(
  Object.values(connectors).map((connector) => [connector.id, { auth: { default: connector.auth.default } }]),
);
