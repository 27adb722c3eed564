// The settings are at @tocsin/egress/config: who only dials needs no decorators.
export { AddressRefused, guardedConnector, type ConnectorOptions } from './guarded-connector.ts';
export {
  createSender,
  egressOptions,
  RESPONSE_BODY_MAX,
  type OutboundRequest,
  type OutboundResponse,
  type Sender,
  type SenderOptions,
} from './http-sender.ts';
export { nameServers, systemResolver, type Resolve, type Resolved } from './resolve.ts';
export { readProxy, type Proxy } from './proxy-tunnel.ts';
