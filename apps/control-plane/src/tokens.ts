/** Injection tokens of the control-plane. */
export const CONTROL_PLANE_CONFIG = Symbol('CONTROL_PLANE_CONFIG');
export const CONFIGURATION_STORE = Symbol('CONFIGURATION_STORE');
export const CONNECTOR_CATALOGUE = Symbol('CONNECTOR_CATALOGUE');
export const WEBHOOKS = Symbol('WEBHOOKS');
export const SUBSCRIPTIONS = Symbol('SUBSCRIPTIONS');
export const WORKSPACES = Symbol('WORKSPACES');
export const API_KEYS = Symbol('API_KEYS');
export const CONFIGURATION_BOOT = Symbol('CONFIGURATION_BOOT');
export const CREDENTIALS = Symbol('CONTROL_PLANE_CREDENTIALS');
export const SEED_TOOLS = Symbol('SEED_TOOLS');
export const WEBHOOK_SETUP = Symbol('WEBHOOK_SETUP');
export const CONTROL_PLANE_PIPELINE = Symbol('CONTROL_PLANE_PIPELINE');
