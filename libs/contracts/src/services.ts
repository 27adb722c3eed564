import type { Topic } from './topics.ts';

/** Every deployable that hears or says something. The order gives the default ports 8081–8087 (settled, Processes). */
export const services = [
  'ingress-gateway',
  'normalizer',
  'dedup-correlator',
  'incident-store',
  'rca-trigger',
  'outbound-dispatcher',
  'control-plane',
] as const;
export type ServiceName = (typeof services)[number];

export const ALL_IN_ONE_PORT = 8080;
export const ADMIN_PORT_OFFSET = 1000;
export const defaultPortOf = (service: ServiceName): number => 8081 + services.indexOf(service);

/** Postgres schema that a service owns. */
export const schemaOf = (service: ServiceName): string => service.replaceAll('-', '_');

/** Public path prefixes and the service that serves them; compose and chart routes come from this table. First match wins. */
export const routes: readonly { method: string; path: string; service: ServiceName }[] = [
  { method: '*', path: '/webhook/', service: 'ingress-gateway' },
  { method: '*', path: '/api/integrations/', service: 'ingress-gateway' },
  { method: '*', path: '/v2/enqueue', service: 'ingress-gateway' },
  { method: '*', path: '/prometheus/', service: 'ingress-gateway' },
  { method: '*', path: '/api/v1/incidents/:id/rca', service: 'rca-trigger' },
  { method: '*', path: '/api/v1/changes', service: 'rca-trigger' },
  { method: '*', path: '/api/v1/recommendations', service: 'rca-trigger' },
  { method: '*', path: '/api/v1/incidents', service: 'incident-store' },
  { method: 'GET', path: '/api/v1/events', service: 'incident-store' },
  { method: 'POST', path: '/api/v1/events', service: 'outbound-dispatcher' },
  { method: 'GET', path: '/api/v1/event-types', service: 'outbound-dispatcher' },
  { method: '*', path: '/api/v1/notifications', service: 'outbound-dispatcher' },
  { method: '*', path: '/api/v1/alerts', service: 'incident-store' },
  { method: 'GET', path: '/api/v1/receipts/', service: 'incident-store' },
  { method: '*', path: '/api/v1/subscriptions/:id/deliveries', service: 'outbound-dispatcher' },
  { method: '*', path: '/api/v1/subscriptions/:id/redeliver', service: 'outbound-dispatcher' },
  { method: '*', path: '/api/v1/subscriptions/:id/test', service: 'outbound-dispatcher' },
  { method: '*', path: '/api/v1/subscriptions/:id/health', service: 'outbound-dispatcher' },
  { method: '*', path: '/api/v1/subscriptions/:id/feed', service: 'outbound-dispatcher' },
  { method: '*', path: '/api/v1/sync-links/:id/check', service: 'outbound-dispatcher' },
  { method: '*', path: '/api/v1/sync-links/:id/entries', service: 'outbound-dispatcher' },
  { method: '*', path: '/api/v1/deliveries', service: 'outbound-dispatcher' },
  { method: '*', path: '/api/v1/webhooks', service: 'control-plane' },
  { method: '*', path: '/api/v1/subscriptions', service: 'control-plane' },
  { method: '*', path: '/api/v1/', service: 'control-plane' },
  { method: 'GET', path: '/api/openapi.json', service: 'control-plane' },
  { method: 'GET', path: '/api/docs', service: 'control-plane' },
];

/** Who hears which topic. The boot refuses a service without a handler for one of its topics, and a handler that is not listed. */
export const hears: Readonly<Record<ServiceName, readonly Topic[]>> = {
  'ingress-gateway': ['webhook.replies'],
  normalizer: ['webhook.received'],
  'dedup-correlator': ['correlation.inputs'],
  'incident-store': ['alert.correlated', 'rca.events', 'delivery.events', 'webhook.outcomes', 'incident.commands'],
  'rca-trigger': ['incident.events', 'change.events'],
  'outbound-dispatcher': ['incident.events', 'platform.events', 'dead-letters'],
  'control-plane': ['webhook.received', 'webhook.outcomes', 'dead-letters'],
};
