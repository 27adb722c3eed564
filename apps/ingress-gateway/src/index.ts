import type { ServiceDefinition } from '@tocsin/nest-shell';
import { IngressGatewayModule } from './ingress-gateway.module.ts';

/**
 * Accepts alerts over HTTP, verifies them and makes them durable. Its migrations run beside its work (own-schema.ts), because a
 * gateway must start and take alerts in while the database is away; and likewise while the log is, into the spool.
 */
export const ingressGateway: ServiceDefinition = {
  name: 'ingress-gateway',
  module: IngressGatewayModule,
  worksWithoutLog: true,
};
export { IngressGatewayModule };
