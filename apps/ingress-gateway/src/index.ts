import type { ServiceDefinition } from '@tocsin/nest-shell';
import { IngressGatewayModule } from './ingress-gateway.module.ts';

/** Accepts alerts over HTTP, verifies them and makes them durable. Owns no tables in this version: no migrations. */
export const ingressGateway: ServiceDefinition = { name: 'ingress-gateway', module: IngressGatewayModule };
export { IngressGatewayModule };
